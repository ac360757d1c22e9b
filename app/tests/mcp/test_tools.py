"""The tools in process, against a real bridge: what they answer, and what they refuse."""

from typing import Any

import pytest
from mcp import Client
from mcp_types import CallToolResult, ListToolsResult

from lighthouse.mcp.adapter import build

NAMES = {
    "lighthouse_get_bridge_status",
    "lighthouse_health_check",
    "lighthouse_create_session",
    "lighthouse_validate_session",
    "lighthouse_store_event",
    "lighthouse_query_events",
    "lighthouse_read_file",
    "lighthouse_search",
    "lighthouse_create_snapshot",
    "lighthouse_list_snapshots",
    "lighthouse_diff",
    "lighthouse_update_shadow",
    "lighthouse_create_context",
    "lighthouse_show_contexts",
    "lighthouse_remove_context",
    "lighthouse_create_proposal",
    "lighthouse_show_proposal",
    "lighthouse_change_proposal",
    "lighthouse_annotate",
    "lighthouse_list_annotations",
    "lighthouse_end_annotation",
    "lighthouse_validate_command",
    "lighthouse_pending_validations",
    "lighthouse_answer_validation",
    "lighthouse_register_expert",
    "lighthouse_elicit_information",
    "lighthouse_check_elicitations",
    "lighthouse_respond_to_elicitation",
    "lighthouse_dispatch_task",
    "lighthouse_delegate_to_expert",
    "lighthouse_check_tasks",
    "lighthouse_change_task",
    "lighthouse_take_lease",
    "lighthouse_change_lease",
    "lighthouse_list_leases",
    "lighthouse_send_message",
    "lighthouse_read_messages",
    "lighthouse_start_collaboration",
    "lighthouse_collaborate",
    "lighthouse_pair",
    "lighthouse_check_collaborations",
}
WRITING = {
    "lighthouse_create_session",
    "lighthouse_store_event",
    "lighthouse_create_snapshot",
    "lighthouse_update_shadow",
    "lighthouse_create_context",
    "lighthouse_remove_context",
    "lighthouse_create_proposal",
    "lighthouse_change_proposal",
    "lighthouse_annotate",
    "lighthouse_end_annotation",
    "lighthouse_validate_command",
    "lighthouse_answer_validation",
    "lighthouse_register_expert",
    "lighthouse_elicit_information",
    "lighthouse_respond_to_elicitation",
    "lighthouse_dispatch_task",
    "lighthouse_delegate_to_expert",
    "lighthouse_change_task",
    "lighthouse_take_lease",
    "lighthouse_change_lease",
    "lighthouse_send_message",
    "lighthouse_read_messages",
    "lighthouse_start_collaboration",
    "lighthouse_collaborate",
    "lighthouse_pair",
}


class Agent:
    """A client for each request: its task group cannot live in a fixture, which ends in another task."""

    def __init__(self, env: dict[str, str]) -> None:
        self._server = build(env)

    async def list_tools(self) -> ListToolsResult:
        async with Client(self._server) as client:
            return await client.list_tools()

    async def call_tool(self, name: str, arguments: dict[str, Any]) -> CallToolResult:
        async with Client(self._server) as client:
            return await client.call_tool(name, arguments)


@pytest.fixture
def agent(bridge_process) -> Agent:
    return Agent(bridge_process.environment())


async def test_the_tools_are_those_that_exist(agent) -> None:
    tools = {tool.name: tool for tool in (await agent.list_tools()).tools}
    assert tools.keys() == NAMES
    for name, tool in tools.items():
        assert tool.annotations is not None
        assert bool(tool.annotations.read_only_hint) is (name not in WRITING)
        assert tool.description
        assert tool.output_schema
        assert tool.output_schema["type"] == "object"
        assert tool.input_schema["additionalProperties"] is False


async def test_the_descriptions_are_lean(agent) -> None:
    tools = (await agent.list_tools()).tools
    told = "".join(tool.model_dump_json(by_alias=True, exclude_none=True) for tool in tools)
    # About four characters make a token; the whole surface is to stay under 6,000.
    assert len(told) / 4 < 6000
    assert all(len(tool.description or "") < 200 for tool in tools)


async def test_health_and_status(agent, bridge_process) -> None:
    health = await agent.call_tool("lighthouse_health_check", {})
    assert health.structured_content["status"] == "ok"
    status = await agent.call_tool("lighthouse_get_bridge_status", {})
    assert status.structured_content["project"] == str(bridge_process.project)
    assert status.structured_content["shadow"]["files"] >= 4


async def test_store_then_query(agent) -> None:
    event = {"type": "note.added", "data": {"text": "hi"}, "stream": "tools"}
    stored = await agent.call_tool("lighthouse_store_event", event)
    assert not stored.is_error
    found = await agent.call_tool("lighthouse_query_events", {"stream": "tools"})
    last = found.structured_content["events"][-1]
    assert last["seq"] == stored.structured_content["seq"]
    assert (last["agent_id"], last["data"]) == ("ann", {"text": "hi"})
    assert "next_from_seq" not in found.structured_content


async def test_pages_of_events(agent) -> None:
    for n in range(3):
        event = {"type": "note.added", "data": {"n": n}, "stream": "tool-pages"}
        await agent.call_tool("lighthouse_store_event", event)
    seen, start = [], 0
    while start is not None:
        asked = {"stream": "tool-pages", "limit": 2, "from_seq": start}
        page = (await agent.call_tool("lighthouse_query_events", asked)).structured_content
        seen += [event["data"]["n"] for event in page["events"]]
        start = page.get("next_from_seq")
    assert seen == [0, 1, 2]


@pytest.mark.parametrize("tool", ["lighthouse_store_event", "lighthouse_create_session"])
async def test_an_agent_cannot_act_as_another(agent, tool) -> None:
    arguments = {"type": "note.added", "data": {}} if tool == "lighthouse_store_event" else {}
    refused = await agent.call_tool(tool, {**arguments, "agent_id": "bob"})
    assert refused.is_error
    assert "(403)" in refused.content[0].text
    assert not (await agent.call_tool(tool, {**arguments, "agent_id": "ann"})).is_error


@pytest.mark.parametrize(
    "arguments",
    [
        {"type": "note.added", "data": {}, "agent": "bob"},
        {"type": "note.added"},
        {"type": "note.added", "data": [1]},
        {"type": "note.added", "data": {}, "expected_seq": -1},
    ],
)
async def test_arguments_are_checked(agent, arguments) -> None:
    assert (await agent.call_tool("lighthouse_store_event", arguments)).is_error


async def test_the_bridges_reason_reaches_the_agent(agent) -> None:
    refused = await agent.call_tool("lighthouse_store_event", {"type": "session.created", "data": {}})
    assert refused.is_error
    assert "(403)" in refused.content[0].text
    refused = await agent.call_tool("lighthouse_store_event", {"type": "No Type", "data": {}})
    assert "(422)" in refused.content[0].text


async def test_sessions(agent) -> None:
    made = (await agent.call_tool("lighthouse_create_session", {"ttl_seconds": 60})).structured_content
    assert made["agent_id"] == "ann"
    said = await agent.call_tool("lighthouse_validate_session", {"token": made["token"]})
    assert said.structured_content["valid"]
    assert said.structured_content["token_id"] == made["token_id"]
    own = (await agent.call_tool("lighthouse_validate_session", {})).structured_content
    assert (own["agent_id"], own["kind"]) == ("ann", "session")
    bad = (await agent.call_tool("lighthouse_validate_session", {"token": "a.b.c"})).structured_content
    assert not bad["valid"]


async def test_reading_text_in_pieces(agent) -> None:
    text, offset = "", 0
    while offset is not None:
        asked = {"path": "src/main.py", "offset": offset, "max_bytes": 16}
        piece = (await agent.call_tool("lighthouse_read_file", asked)).structured_content
        assert piece["encoding"] == "utf-8"
        text += piece["content"]
        offset = piece.get("next_offset")
    assert text == "print('grüß dich')\n"


async def test_reading_the_rest(agent) -> None:
    async def read(path: str) -> dict:
        answer = await agent.call_tool("lighthouse_read_file", {"path": path})
        assert not answer.is_error, answer.content
        return answer.structured_content

    assert (await read("image.bin"))["encoding"] == "base64"
    assert (await read("empty.txt"))["content"] == ""
    assert (await read("link"))["target"] == "src/main.py"
    assert "src" in {entry["name"] for entry in (await read("."))["entries"]}


@pytest.mark.parametrize("path", ["../etc/passwd", "/etc/passwd", "no/such/file", "a\0b"])
async def test_reading_what_may_not_be_read(agent, path) -> None:
    assert (await agent.call_tool("lighthouse_read_file", {"path": path})).is_error


async def test_through_time(own_bridge) -> None:
    (own_bridge.project / "file").write_text("one\n")
    own_bridge.start()
    agent = Agent(own_bridge.environment())

    async def call(tool: str, **arguments: Any) -> dict[str, Any]:
        answer = await agent.call_tool(f"lighthouse_{tool}", arguments)
        assert not answer.is_error, answer
        assert answer.structured_content is not None
        return answer.structured_content

    made = await call("create_snapshot", name="first", note="why")
    (own_bridge.project / "file").write_text("two\n")
    assert (await call("update_shadow", paths=["file"]))["seq"] > made["seq"]
    assert (await call("list_snapshots"))["snapshots"] == [made]
    for at in ("first", made["seq"], str(made["seq"]), made["created_at"]):
        assert (await call("read_file", path="file", at=at))["content"] == "one\n"
    assert await call("diff", old="first") == {"text": "M\tfile\n", "truncated": False}
    assert "-one\n+two\n" in (await call("diff", old="first", new="current", patch=True))["text"]
    refused = await agent.call_tool("lighthouse_diff", {"old": "nobody"})
    assert refused.is_error
