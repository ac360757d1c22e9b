"""Resources over both protocol versions: files as they are and were, what is bounded, what is refused."""

import base64
import json

import pytest
from mcp import Client, MCPError
from mcp_types import INVALID_PARAMS

from lighthouse.mcp import resources
from lighthouse.mcp.adapter import build

pytestmark = pytest.mark.parametrize("mode", ["legacy", "auto"])


async def read(bridge, uri: str, mode: str):
    async with Client(build(bridge.environment()), mode=mode) as agent:
        (found,) = (await agent.read_resource(uri)).contents
    return found


async def test_what_there_is(bridge_process, mode) -> None:
    async with Client(build(bridge_process.environment()), mode=mode) as agent:
        listed = (await agent.list_resources()).resources
        templates = (await agent.list_resource_templates()).resource_templates
        for one in listed:
            assert one.description
            assert (await agent.read_resource(one.uri)).contents
    found = {one.uri_template for one in templates}
    assert {"lighthouse://project/{+path}", "lighthouse://history/{at}/{+path}"} <= found
    assert all(one.description and one.title for one in templates)


async def test_files_and_folders(bridge_process, mode) -> None:
    text = await read(bridge_process, "lighthouse://project/src/main.py", mode)
    assert (text.text, text.mime_type) == ("print('grüß dich')\n", "text/plain")
    assert (await read(bridge_process, "lighthouse://project/src", mode)).text == "main.py"
    assert "src/" in (await read(bridge_process, "lighthouse://project/", mode)).text.splitlines()
    binary = await read(bridge_process, "lighthouse://project/image.bin", mode)
    assert base64.b64decode(binary.blob) == bytes(range(256))
    assert binary.mime_type == "application/octet-stream"
    assert (await read(bridge_process, "lighthouse://project/link", mode)).text == "a symlink to src/main.py"


async def test_as_it_was(bridge_process, mode) -> None:
    file, place = f"a b {mode}.txt", f"a%20b%20{mode}.txt"
    (bridge_process.project / file).write_text("one\n")
    async with Client(build(bridge_process.environment()), mode=mode) as agent:
        await agent.call_tool("lighthouse_update_shadow", {"paths": [file]})
        await agent.call_tool("lighthouse_create_snapshot", {"name": f"resources-{mode}"})
        (bridge_process.project / file).write_text("two\n")
        await agent.call_tool("lighthouse_update_shadow", {"paths": [file]})
        was = (await agent.read_resource(f"lighthouse://history/resources-{mode}/{place}")).contents[0]
        now = (await agent.read_resource(f"lighthouse://project/{place}")).contents[0]
    assert (was.text, now.text) == ("one\n", "two\n")


async def test_what_agents_left(bridge_process, mode) -> None:
    async with Client(build(bridge_process.environment("ria")), mode=mode) as agent:
        noted = {"path": "src/main.py", "text": f"seen over {mode}", "line": 1}
        note = (await agent.call_tool("lighthouse_annotate", noted)).structured_content
        proposed = await agent.call_tool("lighthouse_create_proposal", {"name": f"resource-{mode}"})
        assert not proposed.is_error, proposed.content
        packed = {"name": f"resource-{mode}", "files": ["src/**"]}
        assert not (await agent.call_tool("lighthouse_create_context", packed)).is_error
    notes = json.loads((await read(bridge_process, "lighthouse://annotations/src", mode)).text)
    assert note["id"] in {one["id"] for one in notes["annotations"]}
    patch = await read(bridge_process, f"lighthouse://proposal/resource-{mode}", mode)
    assert (patch.text, patch.mime_type) == ("", "text/x-diff")
    context = json.loads((await read(bridge_process, f"lighthouse://context/resource-{mode}", mode)).text)
    assert [file["path"] for file in context["files"]] == ["src/main.py"]
    async with Client(build(bridge_process.environment("ria")), mode=mode) as agent:
        said = (
            await agent.call_tool("lighthouse_send_message", {"body": mode, "to": "rob"})
        ).structured_content
        begun = {"topic": mode, "agents": ["rob"]}
        session = (await agent.call_tool("lighthouse_start_collaboration", begun)).structured_content
    thread = json.loads((await read(bridge_process, f"lighthouse://thread/{said['thread']}", mode)).text)
    assert [one["body"] for one in thread["messages"]] == [mode]
    record = json.loads(
        (await read(bridge_process, f"lighthouse://collaboration/{session['id']}", mode)).text
    )
    assert [entry["type"] for entry in record["entries"]] == ["collaboration.started"]
    event = json.loads((await read(bridge_process, "lighthouse://event/1", mode)).text)
    assert event["seq"] == 1


async def refusal(bridge, uri: str, mode: str) -> MCPError:
    async with Client(build(bridge.environment()), mode=mode) as agent:
        try:
            await agent.read_resource(uri)
        except MCPError as error:
            return error
    pytest.fail(f"{uri} was read")


@pytest.mark.parametrize(
    "uri",
    [
        "lighthouse://project/no/such",
        "lighthouse://project/..%2f..%2fetc/passwd",
        "lighthouse://project//etc/passwd",
        "lighthouse://history/nobody/src/main.py",
        "lighthouse://context/nobody",
        "lighthouse://event/999999999",
        "lighthouse://thread/m999999999",
        "lighthouse://elsewhere",
    ],
)
async def test_what_is_not_there(bridge_process, mode, uri) -> None:
    assert (await refusal(bridge_process, uri, mode)).error.code == INVALID_PARAMS


async def test_what_is_too_large_for_one_answer(bridge_process, mode, monkeypatch) -> None:
    monkeypatch.setattr(resources, "MAX_BYTES", 8)
    error = await refusal(bridge_process, "lighthouse://project/src/main.py", mode)
    assert "lighthouse_read_file" in str(error)
    error = await refusal(bridge_process, "lighthouse://status", mode)
    assert "more than one answer may have" in str(error)


async def test_while_the_bridge_is_away(own_bridge, mode) -> None:
    assert "no bridge answers" in str(await refusal(own_bridge, "lighthouse://project/", mode))
