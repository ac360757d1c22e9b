"""Following: each event once and in order, whatever writers and slow readers do; ends with the store."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from lighthouse.events import Draft, Event, EventStore, Subscription, subscription
from lighthouse.keys import KeyRing

WaitFor = Callable[..., Awaitable[None]]


def notes(count: int) -> list[Draft]:
    return [Draft("note.added", {"n": number}) for number in range(count)]


async def take(follower: Subscription, count: int) -> list[int]:
    async with asyncio.timeout(20):
        return [(await anext(follower)).seq for _ in range(count)]


@pytest.mark.parametrize("from_seq", [-1, 0, 1, 4, 10, 11])
async def test_history_then_live(store: EventStore, from_seq: int) -> None:
    await store.append(notes(10), agent_id="ann")
    follower = store.subscribe(from_seq)
    first = max(1, from_seq)
    assert await take(follower, 11 - first) == list(range(first, 11))
    await store.append(notes(5), agent_id="ann")
    assert await take(follower, 5) == list(range(11, 16))
    await follower.aclose()


async def test_from_the_future(store: EventStore) -> None:
    async with store.subscribe(5) as follower:
        await store.append(notes(7), agent_id="ann")
        assert await take(follower, 3) == [5, 6, 7]


async def test_events_are_those_of_the_log(store: EventStore) -> None:
    async with store.subscribe(1) as live:
        stored = await store.append(notes(3), agent_id="ann")
        async with store.subscribe(1) as late:
            assert [await anext(live) for _ in range(3)] == stored
            assert [await anext(late) for _ in range(3)] == stored


async def test_no_gap_and_no_double_while_writers_write(store: EventStore) -> None:
    total = 1500

    async def write() -> None:
        for size in (1, 7, 42) * 6:
            await store.append(notes(size), agent_id="ann")

    async def follow(from_seq: int) -> list[int]:
        async with store.subscribe(from_seq) as follower:
            return await take(follower, total - from_seq + 1)

    async def late_comers() -> list[list[int]]:
        followers = []
        for _ in range(10):
            followers.append(asyncio.create_task(follow(max(1, store.head.seq - 20))))
            await store.append(notes(1), agent_id="ben")
        return list(await asyncio.gather(*followers))

    early = [asyncio.create_task(follow(1)) for _ in range(4)]
    writers = [asyncio.create_task(write()) for _ in range(4)]
    late = asyncio.create_task(late_comers())
    await asyncio.gather(*writers)
    while store.head.seq < total:
        await store.append(notes(min(100, total - store.head.seq)), agent_id="ann")
    for seen in [*await asyncio.gather(*early), *await late]:
        assert seen == list(range(seen[0], total + 1))


async def test_slow_reader_loses_nothing_and_keeps_little(
    store: EventStore, monkeypatch: pytest.MonkeyPatch, wait_for: WaitFor
) -> None:
    monkeypatch.setattr(subscription, "BUFFER_EVENTS", 10)
    monkeypatch.setattr(subscription, "PAGE_EVENTS", 10)
    async with store.subscribe(1) as follower:
        for _ in range(20):
            await store.append(notes(5), agent_id="ann")
        await wait_for(lambda: follower.lag == 100)
        assert len(follower._buffer) <= 10
        assert await take(follower, 55) == list(range(1, 56))
        await store.append(notes(5), agent_id="ann")
        assert await take(follower, 50) == list(range(56, 106))
        assert follower.lag == 0


async def test_buffer_is_bounded_in_bytes(store: EventStore, wait_for: WaitFor) -> None:
    async with store.subscribe(1) as follower:
        large = [Draft("note.added", {"text": "x" * 250_000})] * 3
        for _ in range(10):
            await store.append(large, agent_id="ann")
        await wait_for(lambda: follower.lag == 30)
        assert len(follower._buffer) < 12
        assert await take(follower, 30) == list(range(1, 31))


async def test_waiting_follower_wakes_up(store: EventStore) -> None:
    async with store.subscribe(1) as follower:
        waiting = asyncio.create_task(take(follower, 1))
        await asyncio.sleep(0)
        await store.append(notes(1), agent_id="ann")
        assert await waiting == [1]


async def test_aclose_ends_the_iteration(store: EventStore) -> None:
    follower = store.subscribe(1)

    async def collect() -> list[Event]:
        return [event async for event in follower]

    waiting = asyncio.create_task(collect())
    await asyncio.sleep(0)
    assert store.stats()["subscribers"] == 1
    await follower.aclose()
    await follower.aclose()
    async with asyncio.timeout(10):
        assert await waiting == []
    assert store.stats()["subscribers"] == 0


async def test_closing_the_store_ends_all(folder: Path, keyring: KeyRing) -> None:
    store = EventStore.open(folder, keyring)
    await store.append(notes(2000 // 4), agent_id="ann")
    idle, behind = store.subscribe(501), store.subscribe(1)

    async def drain(follower: Subscription) -> int:
        return len([event async for event in follower])

    tasks = [asyncio.create_task(drain(follower)) for follower in (idle, behind)]
    await asyncio.sleep(0)
    await store.close()
    async with asyncio.timeout(10):
        await asyncio.gather(*tasks)
    async with asyncio.timeout(10):
        assert [event async for event in store.subscribe(1)] == []


async def test_cancelled_read_loses_nothing(store: EventStore) -> None:
    await store.append(notes(50), agent_id="ann")
    async with store.subscribe(1) as follower:
        for _ in range(5):
            reading = asyncio.create_task(take(follower, 1))
            await asyncio.sleep(0)
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        assert await take(follower, 50) == list(range(1, 51))


async def test_followers_on_two_loops(store: EventStore) -> None:
    ready = threading.Event()

    async def elsewhere() -> list[int]:
        async with store.subscribe(1) as follower:
            ready.set()
            return await take(follower, 20)

    other = asyncio.create_task(asyncio.to_thread(lambda: asyncio.run(elsewhere())))
    async with store.subscribe(1) as follower:
        await asyncio.to_thread(ready.wait, 10)
        for _ in range(20):
            await store.append(notes(1), agent_id="ann")
        assert await take(follower, 20) == await other == list(range(1, 21))
