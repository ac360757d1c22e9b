"""Leases over MCP: taken, told of to others, waited for, renewed and given back."""

import asyncio

from tests.mcp.test_elicitation_tools import call, client


async def test_one_holds_and_another_waits(bridge_process) -> None:
    async with (
        client(bridge_process, "lease-ann", "auto") as ann,
        client(bridge_process, "lease-bob", "auto") as bob,
    ):
        paths = ["leased/one", "leased/two"]
        taken = await call(ann, "take_lease", paths=paths, seconds=60, reason="rewriting")
        assert taken["state"] == "held"
        refused = await bob.call_tool("lighthouse_take_lease", {"paths": ["leased"]})
        assert refused.is_error
        assert "lease-ann" in refused.content[0].text
        (seen,) = (await call(bob, "list_leases", path="leased/two"))["leases"]
        assert (seen["id"], seen["agent_id"], seen["paths"]) == (taken["id"], "lease-ann", paths)
        renewed = await call(ann, "change_lease", id=taken["id"], action="renew", seconds=600)
        assert renewed["expires_at"] > taken["expires_at"]
        waiting = asyncio.create_task(call(bob, "take_lease", paths=["leased"], wait_seconds=60))
        denied = await bob.call_tool("lighthouse_change_lease", {"id": taken["id"], "action": "release"})
        assert denied.is_error
        assert (await call(ann, "change_lease", id=taken["id"], action="release"))["state"] == "released"
        assert (await asyncio.wait_for(waiting, 30))["state"] == "held"
