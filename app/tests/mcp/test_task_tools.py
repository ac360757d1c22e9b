"""Tasks over MCP: given, taken once, told about, ended, and delegated to an expert."""

import asyncio

import pytest

from tests.mcp.test_elicitation_tools import call, client

MODES = pytest.mark.parametrize("mode", ["legacy", "auto"])


@MODES
async def test_from_giving_to_the_result(bridge_process, mode) -> None:
    bob = f"task-bob-{mode}"
    async with client(bridge_process, "task-ann", mode) as giver, client(bridge_process, bob, mode) as taker:
        looking = asyncio.create_task(call(taker, "check_tasks", wait_seconds=60))
        given = await call(giver, "dispatch_task", title="Test it", body="all of it", to=bob)
        assert given["state"] == "pending"
        (task,) = (await asyncio.wait_for(looking, 30))["tasks"]
        assert (task["id"], task["title"], task["body"]) == (given["id"], "Test it", "all of it")
        claimed = await call(taker, "change_task", id=task["id"], action="claim")
        assert claimed["state"] == "claimed"
        assert claimed["lease_until"]
        taken = {"id": task["id"], "action": "claim"}
        assert (await giver.call_tool("lighthouse_change_task", taken)).is_error
        await call(taker, "change_task", id=task["id"], action="progress", note="half", percent=50)
        ending = asyncio.create_task(call(giver, "check_tasks", id=task["id"], wait_seconds=60))
        done = await call(taker, "change_task", id=task["id"], action="complete", result={"failed": 0})
        assert (done["state"], done["result"]) == ("completed", {"failed": 0})
        (ended,) = (await asyncio.wait_for(ending, 30))["tasks"]
        assert (ended["state"], ended["result"], ended["percent"]) == ("completed", {"failed": 0}, 50)
        assert ended["notes"][0]["note"] == "half"
        assert await call(taker, "check_tasks") == {"tasks": []}


@MODES
async def test_failed_given_back_and_cancelled(bridge_process, mode) -> None:
    carl = f"task-carl-{mode}"
    async with client(bridge_process, "task-ann", mode) as giver, client(bridge_process, carl, mode) as taker:

        async def given(title: str) -> str:
            return str((await call(giver, "dispatch_task", title=title, to=carl))["id"])

        first, second, third = [await given(title) for title in ("one", "two", "three")]
        await call(taker, "change_task", id=first, action="claim")
        failed = await call(taker, "change_task", id=first, action="fail", note="no way")
        assert (failed["state"], failed["reason"]) == ("failed", "no way")
        await call(taker, "change_task", id=second, action="claim")
        back = await call(taker, "change_task", id=second, action="give_back", note="not now")
        assert back["state"] == "pending"
        cancelled = await call(giver, "change_task", id=third, action="cancel", note="done already")
        assert cancelled["state"] == "cancelled"


async def test_delegated_to_who_fits(own_bridge) -> None:
    own_bridge.start()
    async with (
        client(own_bridge, "ann", "auto") as giver,
        client(own_bridge, "eve", "auto", role="expert") as expert,
    ):
        await call(expert, "register_expert", speciality="security", languages=["python"])
        given = await call(giver, "delegate_to_expert", title="Look at it", speciality="security")
        assert given["offered"] == ["eve"]
        (task,) = (await call(expert, "check_tasks", wait_seconds=30))["tasks"]
        await call(expert, "change_task", id=task["id"], action="claim")
        done = await call(
            expert, "change_task", id=task["id"], action="complete", result={"found": "nothing"}
        )
        assert done["result"] == {"found": "nothing"}
