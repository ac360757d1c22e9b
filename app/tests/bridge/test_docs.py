"""docs/http.md and docs/settings.md are true: nothing is missing in them, and their examples work."""

import json
import re
from pathlib import Path

import msgspec
import pytest

from lighthouse.bridge.call import Route
from lighthouse.bridge.routes import ROUTES
from lighthouse.bridge.schemas import Components
from lighthouse.config import Settings, load
from lighthouse.sessions import Role
from tests.bridge.conftest import Api

DOCUMENT = Path(__file__).parents[3] / "docs" / "http.md"
SECTIONS = {
    found[1]: found[2]
    for found in re.finditer(r"^### (.+?)\n(.*?)(?=^##|\Z)", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
}
EXAMPLES = [
    (heading.removeprefix("POST "), example)
    for heading, text in SECTIONS.items()
    for example in re.findall(r"^```json\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
]
every_route = pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)


def section(route: Route) -> str:
    return SECTIONS[f"{route.method} {route.path}"]


def fields(kind: object) -> set[str]:
    kinds = kind if isinstance(kind, tuple) else (kind,)
    structs = [one for one in kinds if isinstance(one, type) and issubclass(one, msgspec.Struct)]
    return {field.encode_name for struct in structs for field in msgspec.structs.fields(struct)}


def test_it_describes_the_routes_and_no_others() -> None:
    assert SECTIONS.keys() == {f"{route.method} {route.path}" for route in ROUTES}


@every_route
def test_permission_and_statuses_are_those_of_the_code(route: Route) -> None:
    text = section(route)
    listed = re.match(r"(.+?)(?: · |\. )([\d, ]+)", text)
    assert listed is not None
    said, statuses = listed.groups()
    expected = {None: "Open", "": "Any good token"}.get(route.permission, f"`{route.permission}`")
    assert said == expected
    numbers = {int(number) for number in re.findall(r"\d{3}", statuses)}
    if route.name == "health":
        numbers |= {503} if "else 503" in text else set()
    assert numbers == set(route.statuses)


@every_route
def test_fields_are_named(route: Route) -> None:
    text = section(route)
    wanted = fields(route.body) | fields(route.query)
    for answer in route.answers.values():
        wanted |= fields(answer.body)
    if route.body is not None:
        wanted.discard("agent_id")  # said once, for all bodies
    missing = {name for name in wanted if not re.search(rf"[`\"]{name}[`\"]", text)}
    assert not missing


def test_components_are_named() -> None:
    text = SECTIONS["GET /health"]
    assert all(f"`{name}`" in text for name in Components.__struct_fields__)


@pytest.mark.parametrize(("path", "example"), EXAMPLES)
async def test_examples_work(api: Api, path: str, example: str) -> None:
    answer = await api.post(path, json.loads(example), token=api.token("olga", Role.OPERATOR))
    assert answer.status == 200, answer.body


async def test_metrics_are_named(api: Api) -> None:
    text = (await api.get("/metrics")).body.decode()
    served = set(re.findall(r"^# TYPE (lighthouse_\w+) ", text, re.MULTILINE))
    named = set(re.findall(r"`(lighthouse_\w+)`", SECTIONS["GET /metrics"]))
    assert served == named


def test_every_setting_is_documented_and_the_example_is_valid(tmp_path: Path) -> None:
    text = DOCUMENT.with_name("settings.md").read_text()
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == set(Settings.__struct_fields__)
    example = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    assert example is not None
    (tmp_path / "config.toml").write_text(example[1])
    assert load({"LIGHTHOUSE_CONFIG": str(tmp_path / "config.toml")}).roots == {"/home/ann/shop": "/project"}
