"""Messages over MCP: sent, waited for, acknowledged, answered in a thread, found again."""

import asyncio

import pytest

from tests.mcp.test_elicitation_tools import call, client


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_from_sending_to_finding(bridge_process, wait_for, mode) -> None:
    moe = f"moe-{mode}"
    async with client(bridge_process, "mel", mode) as mel, client(bridge_process, moe, mode) as other:
        reading = asyncio.create_task(call(other, "read_messages", wait_seconds=60))
        word = f"zucchini{mode}"
        sent = await call(mel, "send_message", body=f"The {word} is ripe", to=moe, subject="Garden")
        (found,) = (await asyncio.wait_for(reading, 30))["messages"]
        assert (found["id"], found["agent_id"], found["subject"]) == (sent["id"], "mel", "Garden")
        # It comes until it is acknowledged.
        assert (await call(other, "read_messages"))["messages"] == [found]
        assert await call(other, "read_messages", acknowledge=[found["id"]]) == {"messages": []}
        answer = await call(other, "send_message", body="I pick it", thread=sent["thread"])
        (back,) = (await call(mel, "read_messages", wait_seconds=30))["messages"]
        assert (back["id"], back["body"]) == (answer["id"], "I pick it")
        thread = await call(mel, "read_messages", thread=sent["thread"], acknowledge=[back["id"]])
        assert [one["id"] for one in thread["messages"]] == [sent["id"], answer["id"]]

        async def indexed() -> bool:
            page = await call(mel, "read_messages", words=word)
            return [one["id"] for one in page["messages"]] == [sent["id"]] and "incomplete" not in page

        await wait_for(indexed, timeout=30)
        refused = await mel.call_tool("lighthouse_read_messages", {"acknowledge": [sent["id"]]})
        assert refused.is_error
