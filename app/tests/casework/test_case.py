"""A case knows when nobody knows what of it is on disk, and finds out."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from lighthouse.casework import Case, Ended, number_of
from lighthouse.events import Draft, Event, EventStore, NoRoom, Query, StoreUnavailable, events_of
from lighthouse.keys import KeyRing

HAPPENED, REREAD = Draft("custom.happened", {}, "cases"), Draft("custom.reread", {}, "cases")


@pytest.fixture
async def store(tmp_path: Path, keyring: KeyRing) -> AsyncIterator[EventStore]:
    opened = EventStore.open(tmp_path / "events", keyring)
    yield opened
    await opened.close()


async def logged(store: EventStore) -> list[Event]:
    return [event async for event in events_of(store, Query(stream="cases", limit=1))]


async def test_what_is_stored_is_certain(store: EventStore) -> None:
    case = Case()
    assert [event.type for event in await case.append(store, [HAPPENED], "ann")] == ["custom.happened"]
    assert not case.unsure
    assert await case.make_sure(store, REREAD, lambda: logged(store)) == []
    assert len(await logged(store)) == 1


@pytest.mark.parametrize("stored", [True, False])
async def test_what_failed_is_read_again(
    store: EventStore, stored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, append = Case(), store.append

    async def failing(drafts: Sequence[Draft], *, agent_id: str) -> list[Event]:
        if stored:
            await append(drafts, agent_id=agent_id)
        raise StoreUnavailable("the disk", "is gone")

    with monkeypatch.context() as patch:
        patch.setattr(store, "append", failing)
        with pytest.raises(StoreUnavailable):
            await case.append(store, [HAPPENED], "ann")
        assert case.unsure
        with pytest.raises(StoreUnavailable):
            await case.make_sure(store, REREAD, lambda: logged(store))
        assert case.unsure
    found = await case.make_sure(store, REREAD, lambda: logged(store))
    assert [event.type for event in found].count("custom.happened") == stored
    assert not case.unsure


async def test_a_full_disk_leaves_no_doubt(store: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(drafts: Sequence[Draft], *, agent_id: str) -> list[Event]:
        raise NoRoom("the disk", "is full")

    monkeypatch.setattr(store, "append", full)
    case = Case()
    with pytest.raises(NoRoom):
        await case.append(store, [HAPPENED], "ann")
    assert not case.unsure


async def test_pages_end_where_told(store: EventStore) -> None:
    await store.append([HAPPENED] * 5, agent_id="ann")
    assert len(await logged(store)) == 5
    query = Query(stream="cases", limit=2)
    assert len([event async for event in events_of(store, query, max_pages=2)]) == 4


def test_what_ended_is_kept_up_to_a_number_and_a_size() -> None:
    ended = Ended[str](3, 100)
    for number in range(5):
        ended.add(f"q{number}", f"thing {number}", 10)
    assert ended.latest_first() == ["thing 4", "thing 3", "thing 2"]
    assert ended.get("q0") is None
    ended.add("q9", "large", 90)
    assert ended.latest_first() == ["large", "thing 4"]
    assert ended.get("q9") == "large"
    ended.add("q10", "too large", 101)
    assert len(ended) == 0


@pytest.mark.parametrize(
    ("id", "number"),
    [
        ("q57", 57),
        ("v57", None),
        ("q", None),
        ("", None),
        ("q-1", None),
        ("q٣", None),
        ("q" + "9" * 19, None),
    ],
)
def test_numbers_in_ids(id: str, number: int | None) -> None:
    assert number_of(id, "q") == number
