"""The log read backwards is the log, whatever is asked for and however it is cut into pages."""

import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lighthouse.console import recent as module
from lighthouse.console.recent import recent
from lighthouse.events import Draft, EventStore
from lighthouse.keys import KeyRing


@pytest.fixture
async def store(
    tmp_path: Path, keyring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[EventStore]:
    monkeypatch.setattr(module, "STEP", 3)
    monkeypatch.setattr(module, "MOST_STEP", 7)
    monkeypatch.setattr(module, "REACH", 40)
    opened = EventStore.open(tmp_path, keyring)
    drafts = [Draft("rare.one" if number % 17 == 3 else "note.added", {"n": number}) for number in range(120)]
    await opened.append(drafts, agent_id="ann")
    yield opened
    await opened.close()


@pytest.mark.parametrize(
    ("kind", "wanted"), [(None, 7), (None, 500), ("rare.*", 2), ("rare.one", 1), ("none.at", 5)]
)
async def test_following_the_pages_gives_all_of_it(store: EventStore, kind: str | None, wanted: int) -> None:
    found: list[int] = []
    before: int | None = None
    for _ in range(200):
        page = await recent(store, wanted=wanted, before=before, type=kind)
        assert len(page.events) <= wanted
        found += [event.seq for event in page.events]
        before = page.before
        if before is None:
            break
    expected = [
        number + 1 for number in range(120) if kind is None or (kind[:4] == "rare" and number % 17 == 3)
    ]
    assert found == expected[::-1]


async def test_what_is_not_taken_does_not_count(store: EventStore) -> None:
    page = await recent(store, wanted=3, takes=lambda event: event.value["n"] % 10 == 0)
    assert [event.value["n"] for event in page.events] == [110, 100, 90]


async def test_large_events_are_not_all_held_at_once(
    store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STEP", 300)
    monkeypatch.setattr(module, "REACH", 1000)
    large = "x" * 200_000
    for _ in range(10):
        await store.append([Draft("large.one", {"text": large}) for _ in range(25)], agent_id="ann")
    tracemalloc.start()
    try:
        assert len((await recent(store, wanted=5)).events) == 5
        assert len((await recent(store, wanted=200, with_data=False)).events) == 200
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20_000_000
