"""The tools for proposals against a real bridge."""

import json
from typing import Any

from mcp import Client

from lighthouse.mcp.adapter import build


async def call(env: dict[str, str], tool: str, /, **arguments: Any) -> Any:
    async with Client(build(env)) as client:
        answer = await client.call_tool(tool, arguments)
    assert not answer.is_error, answer
    return json.loads(answer.content[0].text)


async def test_a_proposal_from_making_to_withdrawing(bridge_process) -> None:
    env = bridge_process.environment("mcp-1")
    made = await call(env, "lighthouse_create_proposal", name="of-mcp", title="A title")
    assert made["text"].startswith("of-mcp, open, by mcp-1, on version ")
    assert ": A title\n" in made["text"]
    listed = await call(env, "lighthouse_show_proposal")
    assert "of-mcp, open" in listed["text"]
    shown = await call(env, "lighthouse_show_proposal", name="of-mcp")
    assert shown["text"] + "\n" == made["text"].split("\n")[0] + "\n"
    patch = await call(env, "lighthouse_show_proposal", name="of-mcp", patch=True)
    assert patch == {"text": ""}
    rebased = await call(env, "lighthouse_change_proposal", name="of-mcp", action="rebase")
    assert rebased["text"].startswith("of-mcp: open")
    ended = await call(env, "lighthouse_change_proposal", name="of-mcp", action="withdraw", reason="no")
    assert ended["text"].startswith("of-mcp: withdrawn")
    assert "of-mcp" not in (await call(env, "lighthouse_show_proposal"))["text"]
    assert "withdrawn (no)" in (await call(env, "lighthouse_show_proposal", name="of-mcp"))["text"]
