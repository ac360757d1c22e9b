"""Defaults, descriptions and use of the roles' variables agree, in each role and between them."""

import re
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

ROOT = Path(__file__).resolve().parents[2]
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())
# Names that look like variables and are not: modules where a task calls them, and a variable of AppArmor's own.
MODULES = "|".join(path.stem for path in (ROOT / "roles").glob("*/library/*.py"))
NOT_VARIABLES = re.compile(rf"^\s+({MODULES}):$|lighthouse_exec\b", re.MULTILINE)


def read(path: Path) -> dict:
    return yaml.safe_load(path.read_text()) if path.exists() else {}


def defaults(role: str) -> dict:
    return read(ROOT / "roles" / role / "defaults/main.yml")


def options(role: str) -> dict:
    return read(ROOT / "roles" / role / "meta/argument_specs.yml")["argument_specs"]["main"]["options"]


def text_of(role: str) -> str:
    """Everything in which a role uses variables; the quadlets are the bridge's."""
    folder = ROOT / "roles" / role
    files = [path for part in ("tasks", "handlers", "templates", "vars") for path in (folder / part).rglob("*.*")]
    if role == "bridge":
        files += (ROOT / "quadlets").glob("*.j2")
    return "\n".join(path.read_text() for path in files)


def used(role: str) -> set[str]:
    return set(re.findall(r"\blighthouse_[a-z_]+\b", NOT_VARIABLES.sub("", text_of(role))))


def made_by(role: str) -> set[str]:
    """The lighthouse_ facts a role sets for the roles after it."""
    return set(re.findall(r"^ {4}(lighthouse_[a-z_]+): ", text_of(role), re.MULTILINE))


@pytest.mark.parametrize("role", ROLES)
def test_every_default_is_described_with_the_same_value(role: str) -> None:
    described = {name: option["default"] for name, option in options(role).items() if "default" in option}
    assert defaults(role) == described


@pytest.mark.parametrize("role", ROLES)
def test_defaults_fit_their_own_description(role: str) -> None:
    given = {**defaults(role), "lighthouse_project_path": "/srv/shop"}
    given = {name: value for name, value in given.items() if name in options(role)}
    assert ArgumentSpecValidator(options(role)).validate(given).error_messages == []


@pytest.mark.parametrize("role", ROLES)
def test_what_a_role_uses_is_described_and_what_is_described_is_used(role: str) -> None:
    described = {name for name in options(role) if name.startswith("lighthouse_")}
    assert used(role) - made_by(role) - described == set()
    assert described - used(role) == set()


@pytest.mark.parametrize("role", ROLES)
def test_what_a_role_needs_is_given_by_its_user_a_default_or_an_earlier_role(role: str) -> None:
    order = [entry for play in read(ROOT / "site.yml") for entry in play["roles"]]
    earlier = {fact for before in order[: order.index(role)] for fact in made_by(before)}
    asked = {name for name, option in options(role).items() if option.get("required")}
    assert used(role) <= asked | set(defaults(role)) | earlier | made_by(role)


def test_a_variable_of_several_roles_has_one_default() -> None:
    seen: dict[str, object] = {}
    for role in ROLES:
        for name, value in defaults(role).items():
            assert seen.setdefault(name, value) == value, f"{name} differs in {role}"


@pytest.mark.parametrize("role", ROLES)
def test_a_variable_carries_its_role_s_prefix_or_the_appliance_s(role: str) -> None:
    assert {name for name in defaults(role) if not name.startswith((f"{role}_", "lighthouse_"))} == set()


def test_every_role_is_part_of_the_appliance() -> None:
    assert sorted(entry for play in read(ROOT / "site.yml") for entry in play["roles"]) == ROLES
