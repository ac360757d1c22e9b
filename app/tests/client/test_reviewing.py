"""Being an expert through the client: asked, answering, across a lost bridge, and no longer needed."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from lighthouse.client import BridgeAway, Client, Refused
from lighthouse.client.answers_validations import Verdict


def asking(ann: Client, bridge, what: str = "src", wait: float = 30) -> "asyncio.Task[Verdict]":
    command = {"command": f"rm -rf {what}"}
    return asyncio.create_task(ann.validate("Bash", command, cwd=str(bridge.project), wait_seconds=wait))


@asynccontextmanager
async def two(bridge) -> AsyncIterator[tuple[Client, Client]]:
    """One who asks, and one who may be an expert."""
    async with (
        Client(bridge.url, bridge.token()) as ann,
        Client(bridge.url, bridge.token("eve", "expert")) as eve,
    ):
        yield ann, eve


async def test_asked_and_answering(own_bridge) -> None:
    own_bridge.start()
    async with two(own_bridge) as (ann, eve), aclosing(eve.expert("review")) as requests:
        # Generators begin when they are asked first.
        first = asyncio.ensure_future(anext(requests))
        waiting = asking(ann, own_bridge, "one")
        async with asyncio.timeout(30):
            request = await first
            assert request.validation.tool_input == {"command": "rm -rf one"}
            assert (await request.deny("one is all there is")).how == "expert"
            assert not request.open
            verdict = await waiting
            assert (verdict.decision, verdict.id) == ("deny", request.validation.id)
            with pytest.raises(Refused) as refusal:
                await request.approve("or not")
            assert refusal.value.status == 409
            waiting = asking(ann, own_bridge, "two")
            await (await anext(requests)).approve("two is a copy")
            assert (await waiting).decision == "allow"


async def test_what_is_not_answered_comes_again_across_a_killed_bridge(own_bridge) -> None:
    own_bridge.start()
    losses: list[Exception] = []
    async with two(own_bridge) as (ann, eve):
        async with aclosing(eve.expert("review")) as requests, asyncio.timeout(30):
            first = asyncio.ensure_future(anext(requests))
            verdict = await asking(ann, own_bridge, wait=0)
            assert (await first).validation.id == verdict.id
        async with aclosing(eve.expert("review", on_away=losses.append)) as requests, asyncio.timeout(50):
            request = await anext(requests)
            assert request.validation.id == verdict.id  # by another program of the same expert
            own_bridge.stop(signal.SIGKILL)
            with pytest.raises(BridgeAway):
                await request.deny("while it is away")
            own_bridge.start()
            assert (await request.deny("once it is back")).state == "resolved"
            later = asking(ann, own_bridge, "later")
            again = await anext(requests)
            assert again.validation.tool_input == {"command": "rm -rf later"}
            await again.deny("no")
            assert (await later).decision == "deny"
    assert losses


async def test_what_somebody_else_decided_is_not_open_any_more(own_bridge, wait_for) -> None:
    own_bridge.start()
    async with (
        Client(own_bridge.url, own_bridge.token("olga", "operator")) as olga,
        two(own_bridge) as (ann, eve),
        aclosing(eve.expert("review")) as requests,
        asyncio.timeout(30),
    ):
        first = asyncio.ensure_future(anext(requests))
        verdict = await asking(ann, own_bridge, "three", wait=0)
        request = await first
        assert request.open
        await olga.answer_validation(verdict.id, "deny", "mine")
        await wait_for(lambda: not request.open)


async def test_who_may_not_be_an_expert_is_told(bridge_process) -> None:
    async with Client(bridge_process.url, bridge_process.token()) as ann:
        with pytest.raises(Refused) as refusal:
            await anext(ann.expert("review"))
        assert refusal.value.status == 403
