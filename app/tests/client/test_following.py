"""Following the log: history and live without gap or double, across a bridge that goes and comes back."""

import asyncio
import signal
from contextlib import aclosing

import pytest

from lighthouse.client import BridgeAway, Client, NewEvent, Refused


async def test_history_then_live(bridge_process) -> None:
    async with Client(bridge_process.url, bridge_process.token()) as client:
        first = await client.store_event(NewEvent("note.added", {"n": 0}, "following"))
        async with aclosing(client.stream_events(first.seq)) as events:
            assert (await anext(events)).seq == first.seq
            second = await client.store_event(NewEvent("note.added", {"n": 1}, "following"))
            seqs = [first.seq]
            while seqs[-1] < second.seq:
                seqs.append((await anext(events)).seq)
    assert seqs == list(range(first.seq, second.seq + 1))


async def test_across_a_killed_bridge(own_bridge) -> None:
    own_bridge.start()
    losses: list[Exception] = []
    async with Client(own_bridge.url, own_bridge.token()) as client:
        first = await client.store_event(NewEvent("note.added", {}))
        async with aclosing(client.stream_events(1, on_away=losses.append)) as events:
            seen = [(await anext(events)).seq for _ in range(first.seq)]
            own_bridge.stop(signal.SIGKILL)
            waiting = asyncio.ensure_future(anext(events))
            await asyncio.wait({waiting}, timeout=0.3)
            own_bridge.start()
            last = await client.store_event(NewEvent("note.added", {"back": True}))
            seen.append((await waiting).seq)
            while seen[-1] < last.seq:
                seen.append((await anext(events)).seq)
    assert seen == list(range(1, last.seq + 1))
    assert losses


async def test_without_reconnecting_the_loss_is_raised(own_bridge) -> None:
    own_bridge.start()
    async with (
        Client(own_bridge.url, own_bridge.token()) as client,
        aclosing(client.stream_events(1, reconnect=False)) as events,
    ):
        await anext(events)
        own_bridge.stop()
        with pytest.raises(BridgeAway):
            async for _ in events:
                pass


async def test_a_bad_token_is_raised_at_once(bridge_process) -> None:
    async with Client(bridge_process.url, "no.token.atall", session_seconds=None) as client:
        with pytest.raises(Refused) as refusal:
            await anext(client.stream_events(1))
    assert refusal.value.status == 401
