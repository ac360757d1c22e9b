"""Appending: all or none, in order, once per key, only where expected; grouped, bounded, cancelled."""

import asyncio
import threading
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lighthouse.events import (
    EMPTY,
    GENESIS,
    Conflict,
    Draft,
    Event,
    EventStore,
    Head,
    InvalidEvent,
    Query,
    StoreBusy,
    StoreUnavailable,
    writer,
)
from lighthouse.keys import KeyRing


def note(number: int = 0, **fields: object) -> Draft:
    return Draft("note.added", {"n": number}, **fields)  # type: ignore[arg-type]


async def test_event_is_what_the_draft_said(store: EventStore) -> None:
    [event] = await store.append([Draft("note.added", {"b": 1, "a": None}, stream="s")], agent_id="ann")
    assert (event.seq, event.type, event.stream, event.agent_id) == (1, "note.added", "s", "ann")
    assert bytes(event.data) == b'{"a":null,"b":1}'
    assert event.value == {"a": None, "b": 1}
    assert event.prev == GENESIS
    assert uuid.UUID(event.id).version == 4
    assert abs(datetime.fromisoformat(event.ts) - datetime.now(UTC)) < timedelta(minutes=1)
    assert store.head == Head(1, event.mac)


async def test_batch_is_in_order_and_chained(store: EventStore) -> None:
    events = await store.append([note(number) for number in range(150)], agent_id="ann")
    assert [event.seq for event in events] == list(range(1, 151))
    assert [event.value["n"] for event in events] == list(range(150))
    assert [event.prev for event in events[1:]] == [event.mac for event in events[:-1]]
    assert (await store.query(Query(limit=1000))).events == events


async def test_nothing_asked_nothing_stored(store: EventStore) -> None:
    assert await store.append([], agent_id="ann") == []
    assert store.head == EMPTY


async def test_batch_with_one_bad_draft_stores_none(store: EventStore) -> None:
    with pytest.raises(InvalidEvent):
        await store.append([note(), Draft("Bad", {})], agent_id="ann")
    with pytest.raises(Conflict):
        await store.append([note(), note(expected_seq=7)], agent_id="ann")
    with pytest.raises(InvalidEvent, match="at most 1000"):
        await store.append([note()] * 1001, agent_id="ann")
    assert store.head == EMPTY


async def test_same_key_same_content_answers_the_earlier_event(store: EventStore) -> None:
    first = await store.append([note(1, idempotency_key="k"), note(2)], agent_id="ann")
    again = await store.append([note(1, idempotency_key="k")], agent_id="ann")
    assert again == first[:1]
    assert store.head.seq == 2


async def test_same_key_twice_in_one_batch(store: EventStore) -> None:
    events = await store.append([note(1, idempotency_key="k")] * 2, agent_id="ann")
    assert [event.seq for event in events] == [1, 1]


async def test_same_key_other_content_conflicts(store: EventStore) -> None:
    await store.append([note(1, idempotency_key="k")], agent_id="ann")
    for draft in (note(2, idempotency_key="k"), note(1, idempotency_key="k", stream="other")):
        with pytest.raises(Conflict) as conflict:
            await store.append([draft], agent_id="ann")
        assert conflict.value.actual == 1


async def test_key_belongs_to_the_agent(store: EventStore) -> None:
    [one] = await store.append([note(1, idempotency_key="k")], agent_id="ann")
    [two] = await store.append([note(2, idempotency_key="k")], agent_id="ben")
    assert (one.seq, two.seq) == (1, 2)


async def test_key_is_known_after_reopening(folder: Path, keyring: KeyRing) -> None:
    store = EventStore.open(folder, keyring)
    first = await store.append([note(1, idempotency_key="k")], agent_id="ann")
    await store.close()
    store = EventStore.open(folder, keyring)
    assert await store.append([note(1, idempotency_key="k")], agent_id="ann") == first
    await store.close()


async def test_repeat_of_a_stored_draft_ignores_where_the_stream_went(store: EventStore) -> None:
    draft = note(1, idempotency_key="k", expected_seq=0)
    first = await store.append([draft], agent_id="ann")
    await store.append([note(2)], agent_id="ann")
    assert await store.append([draft], agent_id="ann") == first


async def test_expected_seq_is_the_streams_last_event(store: EventStore) -> None:
    await store.append([note(stream="s", expected_seq=0), note(stream="other")], agent_id="ann")
    await store.append([note(stream="s", expected_seq=1), note(stream="s", expected_seq=1)], agent_id="ann")
    with pytest.raises(Conflict, match="stands at event 4, not at 1") as conflict:
        await store.append([note(stream="s", expected_seq=1)], agent_id="ann")
    assert conflict.value.actual == 4


async def test_one_of_many_claims_a_stream(store: EventStore) -> None:
    claims = [store.append([note(n, stream="s", expected_seq=0)], agent_id="ann") for n in range(50)]
    outcomes = await asyncio.gather(*claims, return_exceptions=True)
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 49
    assert store.head.seq == 1


async def test_what_waits_together_is_committed_together(store: EventStore) -> None:
    async def writer() -> None:
        for _ in range(10):
            await store.append([note()], agent_id="ann")

    await asyncio.gather(*(writer() for _ in range(64)))
    stats = store.stats()
    assert stats["requests"] == stats["events"] == stats["head_seq"] == 640
    assert stats["commits"] <= 320
    assert stats["largest_group"] >= 2
    assert (await store.verify()).ok


async def test_conflict_in_a_group_leaves_its_neighbours_alone(store: EventStore) -> None:
    requests = [
        store.append([note(n, expected_seq=999 if n % 3 else None)], agent_id="ann") for n in range(90)
    ]
    outcomes = await asyncio.gather(*requests, return_exceptions=True)
    stored = [outcome[0].value["n"] for outcome in outcomes if isinstance(outcome, list)]
    assert stored == list(range(0, 90, 3))
    assert store.head.seq == 30
    assert (await store.verify()).ok


async def test_cancelled_caller_does_not_hurt_others(store: EventStore) -> None:
    tasks = [asyncio.create_task(store.append([note(n)], agent_id="ann")) for n in range(100)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(outcome, list) for outcome in outcomes[1::2])
    await store.append([note()], agent_id="ann")
    assert (await store.verify()).ok


async def test_callers_of_a_closed_loop_do_not_hurt_the_writer(store: EventStore) -> None:
    def abandon() -> None:
        loop = asyncio.new_event_loop()
        task = loop.create_task(store.append([note()], agent_id="ann"))
        loop.call_soon(loop.stop)
        loop.run_forever()
        task.cancel()
        loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
        loop.close()

    await asyncio.to_thread(abandon)
    await store.append([note()], agent_id="ann")


async def test_append_sync_and_listener(store: EventStore) -> None:
    heard: list[Event] = []
    threads: set[str] = set()

    def listen(events: Sequence[Event]) -> None:
        threads.add(threading.current_thread().name)
        heard.extend(events)

    def fail(_: Sequence[Event]) -> None:
        raise RuntimeError("a listener's own trouble")

    store.add_listener(fail)
    store.add_listener(listen)
    events = await asyncio.to_thread(store.append_sync, [note(1), note(2)], agent_id="ann")
    await store.append([note(3, idempotency_key="k")], agent_id="ann")
    await store.append([note(3, idempotency_key="k")], agent_id="ann")
    await store.append([note(4)], agent_id="ann")
    await store.close()
    assert [event.value["n"] for event in heard] == [1, 2, 3, 4]
    assert heard[:2] == events
    assert threads == {"lighthouse-events"}


async def test_full_queue_refuses(store: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "QUEUE_REQUESTS", 2)
    held, go_on = threading.Event(), threading.Event()

    def hold(_: Sequence[Event]) -> None:
        held.set()
        go_on.wait(10)

    store.add_listener(hold)
    await store.append([note()], agent_id="ann")
    await asyncio.to_thread(held.wait, 10)
    waiting = [asyncio.create_task(store.append([note()], agent_id="ann")) for _ in range(3)]
    await asyncio.sleep(0)
    assert store.stats()["queued"] == 2
    go_on.set()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [list, list, StoreBusy]
    await store.append([note()], agent_id="ann")


async def test_closed_store_stores_what_waits_and_then_refuses(folder: Path, keyring: KeyRing) -> None:
    store = EventStore.open(folder, keyring)
    waiting = [asyncio.create_task(store.append([note()], agent_id="ann")) for _ in range(20)]
    await asyncio.sleep(0)
    await store.close()
    await store.close()
    assert sorted(events[0].seq for events in await asyncio.gather(*waiting)) == list(range(1, 21))
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.append([note()], agent_id="ann")
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.query(Query())


async def test_time_never_goes_back(folder: Path, keyring: KeyRing, monkeypatch: pytest.MonkeyPatch) -> None:
    from lighthouse.events import insert

    class Past(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return datetime(2001, 1, 1, tzinfo=UTC)

    store = EventStore.open(folder, keyring)
    [first] = await store.append([note()], agent_id="ann")
    await store.close()
    monkeypatch.setattr(insert, "datetime", Past)
    store = EventStore.open(folder, keyring)
    [second] = await store.append([note()], agent_id="ann")
    await store.close()
    assert second.ts == first.ts
