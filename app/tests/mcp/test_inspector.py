"""The MCP Inspector's command line, as npm has it: it lists and calls the tools, and warns of nothing."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from lighthouse.mcp.adapter import build
from tests.conftest import plain_environment

VERSION = "2.12.0"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lighthouse"
FOLDER = CACHE / f"inspector-{VERSION}"
PROGRAM = FOLDER / "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js"
AWAY = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "E403", "E50")

# In this order: who calls, with what, {tool} being the id that its call answered, {run} a word of this run.
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("lighthouse_health_check", "ann", {}),
    ("lighthouse_get_bridge_status", "ann", {}),
    ("lighthouse_create_session", "ann", {"ttl_seconds": 60}),
    ("lighthouse_validate_session", "ann", {}),
    ("lighthouse_store_event", "ann", {"type": "note.added", "data": {"by": "inspector"}}),
    ("lighthouse_query_events", "ann", {"type": "note.*"}),
    ("lighthouse_read_file", "ann", {"path": "src/main.py"}),
    ("lighthouse_search", "ann", {"pattern": "print"}),
    ("lighthouse_create_snapshot", "ann", {"name": "inspected-{run}"}),
    ("lighthouse_list_snapshots", "ann", {}),
    ("lighthouse_diff", "ann", {"old": "inspected-{run}"}),
    ("lighthouse_update_shadow", "ann", {}),
    ("lighthouse_create_context", "ann", {"name": "inspected-{run}", "files": ["src/**"]}),
    ("lighthouse_show_contexts", "ann", {"name": "inspected-{run}"}),
    ("lighthouse_remove_context", "ann", {"name": "inspected-{run}"}),
    ("lighthouse_create_proposal", "ann", {"name": "inspected-{run}"}),
    ("lighthouse_show_proposal", "ann", {"name": "inspected-{run}"}),
    ("lighthouse_change_proposal", "ann", {"name": "inspected-{run}", "action": "withdraw"}),
    ("lighthouse_annotate", "ann", {"path": "src/main.py", "text": "seen", "line": 1}),
    ("lighthouse_list_annotations", "ann", {"path": "src"}),
    ("lighthouse_end_annotation", "ann", {"id": "{lighthouse_annotate}", "ending": "withdrawn"}),
    ("lighthouse_register_expert", "eve", {"speciality": "inspection", "paths": ["nowhere/**"]}),
    ("lighthouse_validate_command", "ann", {"command": "frobnicate"}),
    ("lighthouse_pending_validations", "olga", {}),
    (
        "lighthouse_answer_validation",
        "olga",
        {"id": "{lighthouse_validate_command}", "verdict": "deny", "reason": "a test"},
    ),
    (
        "lighthouse_elicit_information",
        "ann",
        {"to": "eve", "message": "Which?", "schema": {"type": "string"}, "wait_seconds": 0},
    ),
    ("lighthouse_check_elicitations", "eve", {}),
    (
        "lighthouse_respond_to_elicitation",
        "eve",
        {"id": "{lighthouse_elicit_information}", "action": "accept", "content": "this"},
    ),
    ("lighthouse_delegate_to_expert", "ann", {"title": "Look", "speciality": "inspection"}),
    ("lighthouse_dispatch_task", "ann", {"title": "Test", "to": "eve"}),
    ("lighthouse_check_tasks", "eve", {}),
    ("lighthouse_change_task", "eve", {"id": "{lighthouse_dispatch_task}", "action": "claim"}),
    ("lighthouse_take_lease", "ann", {"paths": ["inspected-{run}"], "seconds": 60}),
    ("lighthouse_list_leases", "eve", {}),
    ("lighthouse_change_lease", "ann", {"id": "{lighthouse_take_lease}", "action": "release"}),
    ("lighthouse_send_message", "ann", {"body": "Hello", "to": "eve"}),
    ("lighthouse_read_messages", "eve", {}),
    ("lighthouse_start_collaboration", "ann", {"topic": "The parser", "agents": ["eve"]}),
    ("lighthouse_collaborate", "eve", {"id": "{lighthouse_start_collaboration}", "action": "join"}),
    ("lighthouse_pair", "ann", {"action": "request", "to": "eve", "text": "The parser"}),
    ("lighthouse_check_collaborations", "eve", {"id": "{lighthouse_pair}"}),
]
ROLES = {"ann": "agent", "eve": "expert", "olga": "operator"}


def filled(arguments: dict[str, Any], answered: dict[str, str]) -> dict[str, Any]:
    def fill(value: Any) -> Any:
        if isinstance(value, list):
            return [fill(each) for each in value]
        return value.format(**answered) if isinstance(value, str) else value

    return {name: fill(value) for name, value in arguments.items()}


class Inspector:
    """Runs it against the adapter; whatever it prints on standard error is a warning."""

    def __init__(self, bridge, home: Path) -> None:
        self._bridge, self._home = bridge, home

    def run(self, *arguments: str, agent: str = "ann", era: str = "legacy") -> Any:
        token = self._home / f"{agent}.token"
        token.touch(0o600)
        token.write_text(self._bridge.token(agent, ROLES[agent]))
        told = [f"LIGHTHOUSE_BRIDGE_URL={self._bridge.url}", f"LIGHTHOUSE_TOKEN_FILE={token}"]
        where = [sys.executable, "-m", "lighthouse.mcp_server", "--protocol-era", era]
        options = [word for each in told for word in ("-e", each)]
        command = ["node", str(PROGRAM), "--cli", *options, *where, *arguments]
        env = {**plain_environment(), "HOME": str(self._home), "NO_COLOR": "1"}
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (0, ""), f"{arguments}: {done.stderr}{done.stdout}"
        return json.loads(done.stdout)

    def call(self, tool: str, agent: str, arguments: dict[str, Any], *, era: str = "legacy") -> Any:
        named = ["--method", "tools/call", "--tool-name", tool]
        answer = self.run(*named, "--tool-args-json", json.dumps(arguments), agent=agent, era=era)
        assert not answer.get("isError"), answer
        return answer["structuredContent"]


@pytest.fixture(scope="module")
def installed() -> None:
    if PROGRAM.exists():
        return
    if not (shutil.which("npm") and shutil.which("node")):
        pytest.skip("the MCP Inspector comes from npm's registry, and there is no npm to reach it with")
    package = f"@modelcontextprotocol/inspector@{VERSION}"
    FOLDER.mkdir(parents=True, exist_ok=True)
    npm = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(FOLDER), package]
    done = subprocess.run(npm, capture_output=True, text=True, timeout=240, check=False)
    if any(f"npm error code {kind}" in done.stderr for kind in AWAY):
        pytest.skip("npm's registry cannot be reached")
    assert done.returncode == 0, done.stderr


@pytest.fixture
def inspector(installed, bridge_process, tmp_path) -> Inspector:
    return Inspector(bridge_process, tmp_path)


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_the_tools_are_portable(inspector, era) -> None:
    tools = inspector.run("--method", "tools/list", "--strict", era=era)["tools"]
    assert {tool["name"] for tool in tools} == {tool for tool, _, _ in CALLS}


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_a_call_a_resource_and_a_prompt(inspector, era) -> None:
    health = inspector.call("lighthouse_health_check", "ann", {}, era=era)
    assert health["status"] == "ok"
    asked = ["--method", "resources/read", "--uri", "lighthouse://project/src/main.py"]
    assert inspector.run(*asked, era=era)["contents"][0]["text"] == "print('grüß dich')\n"
    asked = ["--method", "prompts/get", "--prompt-name", "builder", "--prompt-args", "goal=mend"]
    assert "mend" in inspector.run(*asked, era=era)["messages"][0]["content"]["text"]


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_every_tool(inspector, era) -> None:
    answered = {"run": f"inspector-{era}"}
    for tool, agent, arguments in CALLS:
        answered[tool] = inspector.call(tool, agent, filled(arguments, answered), era=era).get("id", "")


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_every_tool_by_the_sdks_own_client(bridge_process, mode) -> None:
    """The same calls, quickly, as what the Inspector does with all of them takes minutes."""
    answered = {"run": f"sdk-{mode}"}
    async with AsyncExitStack() as stack:
        clients = {
            agent: await stack.enter_async_context(
                Client(build(bridge_process.environment(agent, role)), mode=mode)
            )
            for agent, role in ROLES.items()
        }
        for tool, agent, arguments in CALLS:
            found = await clients[agent].call_tool(tool, filled(arguments, answered))
            assert not found.is_error, (tool, found.content)
            assert found.structured_content is not None
            answered[tool] = str(found.structured_content.get("id"))
