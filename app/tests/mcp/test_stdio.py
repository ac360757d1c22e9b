"""The adapter as a client starts it: a process over stdio, also while the bridge is away."""

import json
import subprocess
import sys

import pytest
from mcp import Client, StdioServerParameters
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS


def adapter(env: dict[str, str]) -> StdioServerParameters:
    return StdioServerParameters(command=sys.executable, args=["-m", "lighthouse.mcp_server"], env=env)


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_a_session_from_end_to_end(bridge_process, mode) -> None:
    async with Client(adapter(bridge_process.environment("eve")), mode=mode) as agent:
        assert agent.server_info.name == "lighthouse"
        assert "lighthouse_store_event" in {tool.name for tool in (await agent.list_tools()).tools}
        event = {"type": "note.added", "data": {"mode": mode}, "stream": "stdio"}
        stored = await agent.call_tool("lighthouse_store_event", event)
        found = await agent.call_tool("lighthouse_query_events", {"stream": "stdio", "agent_id": "eve"})
        refused = await agent.call_tool("lighthouse_store_event", {**event, "agent_id": "ann"})
    assert found.structured_content["events"][-1]["id"] == stored.structured_content["id"]
    assert refused.is_error


@pytest.mark.parametrize("version", HANDSHAKE_PROTOCOL_VERSIONS)
def test_each_version_that_begins_with_a_handshake(version) -> None:
    hello = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "old", "version": "1"}}
    asked = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {}},
    ]
    said = "".join(f"{json.dumps(each)}\n" for each in asked).encode()
    command = [sys.executable, "-m", "lighthouse.mcp_server"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(said)
        server.stdin.flush()
        begun, listed = [json.loads(server.stdout.readline())["result"] for _ in range(2)]
        server.stdin.close()
        assert server.wait(30) == 0
    assert begun["protocolVersion"] == version
    assert "lighthouse_health_check" in {tool["name"] for tool in listed["tools"]}


async def test_the_bridge_comes_goes_and_comes_back(own_bridge) -> None:
    event = {"type": "note.added", "data": {}}
    async with Client(adapter(own_bridge.environment())) as agent:
        away = await agent.call_tool("lighthouse_store_event", event)
        assert away.is_error
        assert own_bridge.url in away.content[0].text
        assert "start it" in away.content[0].text
        own_bridge.start()
        assert not (await agent.call_tool("lighthouse_store_event", event)).is_error
        own_bridge.stop()
        assert (await agent.call_tool("lighthouse_get_bridge_status", {})).is_error
        own_bridge.start()
        assert not (await agent.call_tool("lighthouse_store_event", event)).is_error


async def test_a_token_file_that_comes_late(own_bridge, tmp_path) -> None:
    own_bridge.start()
    file = tmp_path / "token"
    env = own_bridge.environment()
    token = env.pop("LIGHTHOUSE_TOKEN")
    async with Client(adapter({**env, "LIGHTHOUSE_TOKEN_FILE": str(file)})) as agent:
        missing = await agent.call_tool("lighthouse_get_bridge_status", {})
        assert missing.is_error
        assert str(file) in missing.content[0].text
        file.touch(0o600)
        file.write_text(token)
        assert not (await agent.call_tool("lighthouse_get_bridge_status", {})).is_error


def test_it_ends_with_its_input_and_says_nothing(bridge_process) -> None:
    command = [sys.executable, "-m", "lighthouse.cli.main", "mcp"]
    ended = subprocess.run(
        command, input=b"", capture_output=True, env=bridge_process.environment(), timeout=30, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")


def test_the_start_loads_nothing_of_the_bridge_and_no_http_client() -> None:
    code = (
        "import sys, lighthouse.mcp_server, lighthouse.mcp.adapter as a; a.build({});"
        "print([n for n in sys.modules if n in ('aiohttp', 'pyfuse3', 'lighthouse.bridge')])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=30, check=True)
    assert ended.stdout.strip() == b"[]"
