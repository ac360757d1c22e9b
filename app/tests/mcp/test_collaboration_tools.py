"""Collaborations and pair sessions over MCP, from the invitation to the record."""

import asyncio

import pytest

from tests.mcp.test_elicitation_tools import call, client

pytestmark = pytest.mark.parametrize("mode", ["legacy", "auto"])


async def test_several_at_one_topic(bridge_process, mode) -> None:
    cleo = f"cleo-{mode}"
    async with client(bridge_process, "cara", mode) as cara, client(bridge_process, cleo, mode) as other:
        looking = asyncio.create_task(call(other, "check_collaborations", wait_seconds=60))
        begun = await call(cara, "start_collaboration", topic="The parser", agents=[cleo], paths=["src"])
        assert (begun["members"], begun["invited"]) == (["cara"], [cleo])
        (session,) = (await asyncio.wait_for(looking, 30))["sessions"]
        assert (session["id"], session["topic"], session["paths"]) == (begun["id"], "The parser", ["src"])
        await call(other, "collaborate", id=begun["id"], action="join")
        said = {"text": "here", "path": "src/main.py", "line": 1}
        await call(other, "collaborate", id=begun["id"], action="say", **said)
        record = await call(cara, "check_collaborations", id=begun["id"])
        last = record["entries"][-1]
        assert (last["agent_id"], last["note"]["path"], record["more"]) == (cleo, "src/main.py", False)
        waiting = asyncio.create_task(
            call(cara, "check_collaborations", id=begun["id"], after=last["seq"], wait_seconds=60)
        )
        await call(other, "collaborate", id=begun["id"], action="leave", text="done")
        (left,) = (await asyncio.wait_for(waiting, 30))["entries"]
        assert left["type"] == "collaboration.left"
        closed = await call(cara, "collaborate", id=begun["id"], action="close", text="all said")
        assert closed["state"] == "closed"


async def test_a_pair_from_request_to_completion(bridge_process, mode) -> None:
    dora = f"dora-{mode}"
    async with client(bridge_process, "dan", mode) as dan, client(bridge_process, dora, mode) as partner:
        pair = await call(dan, "pair", action="request", to=dora, text="Mend it", path="src")
        assert pair["state"] == "requested"
        accepted = await call(partner, "pair", action="accept", id=pair["id"])
        assert accepted["state"] == "active"
        place = {"path": "src/main.py", "line": 1}
        made = await call(dan, "pair", action="suggest", id=pair["id"], text="Say more", **place)
        review = {"action": "review", "id": pair["id"], "suggestion": made["suggestion"]}
        refused = await partner.call_tool("lighthouse_pair", review)
        assert refused.is_error
        assert "verdict" in refused.content[0].text
        await call(partner, "pair", **review, verdict="accept", text="yes")
        done = await call(dan, "pair", action="complete", id=pair["id"], text="It says more")
        assert done["state"] == "completed"
        record = await call(partner, "check_collaborations", id=pair["id"])
        assert [entry["type"] for entry in record["entries"]] == [
            "pair.requested",
            "pair.accepted",
            "pair.suggested",
            "pair.reviewed",
            "pair.completed",
        ]
        (suggestion,) = record["sessions"][0]["suggestions"]
        assert suggestion["verdict"] == "accept"
        turned = await call(dan, "pair", action="request", to=dora, text="More")
        declined = await call(partner, "pair", action="decline", id=turned["id"], text="no time")
        assert declined["state"] == "declined"
