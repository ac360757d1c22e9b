"""Rejections become events, a flood of them few events, and none holds a token."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lighthouse.bridge.audit import MAX_KINDS, Audit
from lighthouse.events import EventStore, Query
from lighthouse.keys import KeyRing


@pytest.fixture
async def store(tmp_path: Path, keyring: KeyRing) -> AsyncIterator[EventStore]:
    opened = EventStore.open(tmp_path / "events", keyring)
    yield opened
    await opened.close()


async def test_a_flood_becomes_one_event_with_a_count(store: EventStore) -> None:
    audit = Audit(store, interval_seconds=30)
    for _ in range(1000):
        audit.rejected(401, "expired", "/status", "127.0.0.1", None)
    audit.rejected(403, "role", "/event/store", "127.0.0.1", "ann")
    await audit.close()
    [event] = (await store.query(Query(type="session.rejected"))).events
    assert (event.agent_id, event.stream, event.value["count"]) == ("lighthouse", "sessions", 1001)
    assert [item["count"] for item in event.value["rejections"]] == [1000, 1]
    assert event.value["rejections"][1]["agent_id"] == "ann"


async def test_what_comes_in_between_waits_for_the_next_second(store: EventStore, wait_for: object) -> None:
    audit = Audit(store, interval_seconds=0.05)
    audit.rejected(401, "one", "/status", "p", None)
    await wait_for(lambda: store.head.seq == 1)  # type: ignore[operator]
    audit.rejected(401, "two", "/status", "p", None)
    audit.rejected(401, "three", "/status", "p", None)
    await wait_for(lambda: store.head.seq == 2)  # type: ignore[operator]
    await wait_for(lambda: audit._task is None)  # type: ignore[operator]
    audit.rejected(401, "four", "/status", "p", None)
    await audit.close()
    assert [event.value["count"] for event in (await store.query(Query())).events] == [1, 2, 1]


async def test_many_kinds_do_not_make_a_large_event(store: EventStore) -> None:
    audit = Audit(store, interval_seconds=30)
    for number in range(500):
        audit.rejected(401, f"reason {number}", "/status", "p", None)
    await audit.close()
    [event] = (await store.query(Query())).events
    assert event.value["count"] == 500
    assert len(event.value["rejections"]) == MAX_KINDS + 1


async def test_a_store_that_cannot_write_does_not_stop_the_bridge(
    store: EventStore, caplog: pytest.LogCaptureFixture
) -> None:
    audit = Audit(store, interval_seconds=30)
    await store.close()
    audit.rejected(401, "expired", "/status", "p", None)
    await audit.close()
    assert "could not be stored" in caplog.text
