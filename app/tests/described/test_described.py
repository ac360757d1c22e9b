"""openapi.json is true to what the bridge answers, whatever is sent, whoever sends it."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lighthouse.bridge.routes import ROUTES
from lighthouse.sessions import Role, allows
from tests.conftest import RunningBridge, plain_environment

CONFIGURATION = """
[dictionaries]
known = {{ values = {known} }}

[generation.dictionaries]
string = {{ dictionary = "known", probability = 0.25 }}

# The console leads whoever has no session to the log-in.
[checks]
enabled = false
not_a_server_error.enabled = true
status_code_conformance.enabled = true
content_type_conformance.enabled = true
response_headers_conformance.enabled = true
response_schema_conformance.enabled = true
unsupported_method.enabled = true
use_after_free.enabled = true
negative_data_rejection.enabled = true
negative_data_rejection.expected-statuses = [303, "4XX"]

# Whoever sends it gets an answer in the client's own form, with 200.
[[operations]]
include-operation-id = "claude_code_hook"
checks.negative_data_rejection.enabled = false
"""
# Server-sent events without end.
ENDLESS = "console_stream"


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBridge]:
    running = RunningBridge(tmp_path_factory.mktemp("described"))
    (running.project / "src").mkdir()
    (running.project / "src" / "main.py").write_text("def main():\n    print('ahoy')\n")
    running.start()
    yield running
    running.stop()


def call(bridge: RunningBridge, path: str, body: Any, agent: str = "ann", role: str = "agent") -> Any:
    headers = {"Authorization": f"Bearer {bridge.token(agent, role)}"}
    request = urllib.request.Request(bridge.url + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


@pytest.fixture(scope="module")
def known(bridge: RunningBridge) -> list[str]:
    """Names of what is there, so that what is sent finds something."""
    note = call(bridge, "/shadow/annotate", {"path": "src/main.py", "symbol": "main", "text": "loud"})
    call(bridge, "/snapshot/first", {})
    call(bridge, "/context/create", {"name": "both", "files": ["src"]})
    call(bridge, "/proposal/create", {"name": "better"})
    asked = {"tool_name": "Bash", "tool_input": {"command": "frobnicate"}, "cwd": str(bridge.project)}
    waiting = call(bridge, "/validate", asked)
    ids = [note["annotation"]["id"], waiting["id"]]
    for role in (Role.AGENT, Role.EXPERT, Role.OPERATOR, Role.ADMIN):
        other = f"the-{role}"
        schema = {"type": "boolean"}
        asking = {"to": other, "message": "now?", "schema": schema, "timeout_seconds": 3600}
        ids.append(call(bridge, "/elicitation/create", asking)["id"])
        ids.append(call(bridge, "/collaboration/start", {"topic": "the release", "with": [other]})["id"])
        ids.append(call(bridge, "/pair/request", {"to": other, "goal": "a release"})["id"])
        ids.append(call(bridge, "/task/dispatch", {"title": "look", "to": other})["id"])
        message = call(bridge, "/message/send", {"body": "soon", "to": other})
        ids += [message["id"], message["thread"], other]
    there = ["src/main.py", "src", "main", "first", "both", "better", "current", "note.added", "bash", "ann"]
    return [*there, *ids]


def try_out(
    bridge: RunningBridge, known: list[str], role: Role, folder: Path, *options: str
) -> dict[str, set[str]]:
    """Let schemathesis call whatever there is; the statuses that came, by route."""
    (folder / "schemathesis.toml").write_text(CONFIGURATION.format(known=json.dumps(known)))
    told = {
        "SCHEMATHESIS_HOOKS": str(Path(__file__).with_name("caller.py")),
        "CALLER_URL": bridge.url,
        "CALLER_ROLE": role.value,
        "CALLER_SECRET": str(bridge.state / "secret"),
        "CALLER_ANSWERED": str(folder / "answered.json"),
    }
    command = [sys.executable, "-m", "schemathesis.cli", "--no-color", "run", f"{bridge.url}/openapi.json"]
    command += ["--exclude-operation-id", ENDLESS, "--max-redirects", "0"]
    command += ["--warnings", "off", "--continue-on-failure", "--request-timeout", "30", *options]
    ended = subprocess.run(
        command, cwd=folder, env=plain_environment() | told, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout[-20_000:] + ended.stderr[-5_000:]
    answered: dict[str, set[str]] = {}
    for key in json.loads((folder / "answered.json").read_text()):
        name, status = key.split()
        answered.setdefault(name, set()).add(status)
    return answered


def check(answered: dict[str, set[str]], role: Role) -> None:
    """Every route was called, and let in the role if it may, and else did not."""
    assert {route.name for route in ROUTES} - answered.keys() <= {ENDLESS, "openapi", "console_logout"}
    for route in ROUTES:
        if route.name not in answered or not route.permission or route.face == "console":
            continue
        came = answered[route.name]
        if allows(role, route.permission):  # type: ignore[arg-type]
            assert "lacking" not in came, route.name
            assert came - {"401", "405"}, route.name
        else:
            assert "lacking" in came, route.name
            assert not any(status.startswith("2") for status in came), route.name


@pytest.mark.timeout(600)
@pytest.mark.parametrize("role", Role, ids=str)
def test_a_token_of_each_role(bridge, known, role, tmp_path) -> None:
    # Always the same calls: make soak looks for new ones, and of all kinds for each role.
    wanted = {
        Role.AGENT: ("--phases", "coverage,fuzzing", "--max-examples", "5"),
        Role.OPERATOR: ("--phases", "coverage,fuzzing", "--max-examples", "5", "--mode", "positive"),
    }.get(role, ("--phases", "coverage", "--mode", "positive"))
    check(try_out(bridge, known, role, tmp_path, *wanted, "--seed", "1"), role)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("role", Role, ids=str)
def test_a_token_of_each_role_for_long(bridge, known, role, tmp_path) -> None:
    check(try_out(bridge, known, role, tmp_path, "--max-examples", "200"), role)
