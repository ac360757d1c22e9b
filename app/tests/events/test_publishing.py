"""Events that are held back: nobody sees them or what follows, and nothing waits for ever."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from lighthouse.events import Draft, EventStore, Query


@pytest.fixture
async def store(tmp_path, keyring) -> AsyncIterator[EventStore]:
    store = EventStore.open(tmp_path / "events", keyring)
    yield store
    await store.close()


async def append(store: EventStore, *types: str) -> list[int]:
    events = await store.append([Draft(kind, {}) for kind in types], agent_id="ann")
    return [event.seq for event in events]


async def test_without_a_hold_everything_is_told_of_at_once(store) -> None:
    assert await append(store, "shadow.changed", "note.added") == [1, 2]
    assert store.head.seq == 2
    assert len((await store.query(Query())).events) == 2


async def test_a_held_event_and_what_follows_wait_for_the_release(store, wait_for) -> None:
    told: list[int] = []
    store.add_listener(lambda events: told.extend(event.seq for event in events))
    hold = store.hold("shadow.", 60)
    async with store.subscribe(1) as subscription:
        assert await append(store, "note.added", "shadow.changed", "note.added") == [1, 2, 3]
        await append(store, "note.added")
        assert store.head.seq == 1
        await wait_for(lambda: told == [1])
        assert (await anext(subscription)).seq == 1
        waiting = asyncio.ensure_future(anext(subscription))
        asking = asyncio.ensure_future(store.query(Query()))
        done, _ = await asyncio.wait({waiting, asking}, timeout=0.05)
        assert not done
        hold.release(2)
        assert store.head.seq == 4
        assert (await asyncio.wait_for(waiting, 10)).seq == 2
        assert [event.seq for event in (await asyncio.wait_for(asking, 10)).events] == [1, 2, 3, 4]
        assert [(await anext(subscription)).seq for _ in range(2)] == [3, 4]
    await wait_for(lambda: told == [1, 2, 3, 4])


async def test_what_was_released_before_it_came_is_not_held(store) -> None:
    hold = store.hold("shadow.", 60)
    hold.release(1)
    await append(store, "shadow.changed")
    assert store.head.seq == 1
    await append(store, "shadow.changed")
    assert store.head.seq == 1
    hold.end()
    assert store.head.seq == 2
    hold.end()


async def test_a_hold_that_is_not_released_ends_by_itself_and_tells_so(store, wait_for, caplog) -> None:
    hold = store.hold("shadow.", 0.05)
    await append(store, "shadow.changed", "note.added")
    page = await asyncio.wait_for(store.query(Query()), 10)
    assert [event.seq for event in page.events] == [1, 2]
    assert hold.late
    assert "event 1 was told of" in caplog.text
    # Nothing waits for who is late, until it has caught up.
    await append(store, "shadow.changed")
    assert store.head.seq == 3
    hold.release(1)
    assert hold.late
    hold.release(3)
    assert not hold.late
    await append(store, "shadow.changed")
    assert store.head.seq == 3
    hold.release(4)
    assert store.head.seq == 4


async def test_closing_tells_of_all_that_waits(tmp_path, keyring) -> None:
    store = EventStore.open(tmp_path / "other", keyring)
    told: list[int] = []
    store.add_listener(lambda events: told.extend(event.seq for event in events))
    store.hold("shadow.", 60)
    await append(store, "shadow.changed", "note.added")
    asking = asyncio.ensure_future(store.query(Query()))
    blocked = threading.Thread(target=store.catch_up)
    blocked.start()
    await asyncio.sleep(0)
    await store.close()
    await asyncio.to_thread(blocked.join, 10)
    assert told == [1, 2]
    assert not blocked.is_alive()
    await asyncio.wait({asking}, timeout=10)
    assert asking.done()
    asking.exception()


async def test_a_query_that_is_given_up_while_it_waits(store) -> None:
    hold = store.hold("shadow.", 60)
    await append(store, "shadow.changed")
    asking = asyncio.ensure_future(store.query(Query()))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait({asking}, timeout=10)
    hold.release(1)
    assert len((await store.query(Query())).events) == 1
