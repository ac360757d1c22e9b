"""The record: what is replayed is what happened, in pages, for sessions of any age, also after a restart."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from lighthouse.annotations import Target
from lighthouse.collaboration import Entry, NoSuchCollaboration, journal
from tests.collaboration.conftest import ANN, BEN, CAT, CODE, Clock, Room


async def story(room: Room) -> str:
    """A pair that suggests, reviews and completes while others do their own."""
    pair, other = await room.pair(), await room.team(CAT)
    await room.collaborations.say(pair, ANN, "shall we?")
    await room.collaborations.say(other.id, CAT, "not for the pair")
    await room.propose("plus", CODE.replace("a - b", "a + b").encode())
    plus = await room.collaborations.suggest(pair, ANN, "it is a plus", "plus")
    await room.change(f"# a head\n{CODE}")
    half = await room.collaborations.suggest(pair, BEN, "not of ints", Target("sums.py", symbol="half"))
    await room.collaborations.review(pair, BEN, plus.id, "accept", "yes")
    await room.change(f"# two\n# heads\n{CODE}")
    await room.collaborations.review(pair, ANN, half.id, "change", "say why")
    await room.collaborations.complete(pair, ANN, "it adds")
    return pair


TYPES = ["requested", "accepted", "said", "suggested", "suggested", "reviewed", "reviewed", "completed"]


async def test_it_is_what_happened(room: Room) -> None:
    pair = await story(room)
    entries = await room.replay(pair)
    assert [entry.type for entry in entries] == [f"pair.{word}" for word in TYPES]
    logged = {event.seq: event for event in await room.events()}
    for entry in entries:
        event = logged[entry.seq]
        assert (entry.type, entry.at, entry.agent_id) == (event.type, event.ts, event.agent_id)
        assert entry.data == {name: value for name, value in event.value.items() if name != "id"}
    assert entries[3].patch is not None
    assert "+    return a + b" in entries[3].patch
    assert [entry.note.lines for entry in entries if entry.note is not None] == [(6, 7), (7, 8)]
    assert not any(entry.lost for entry in entries)


@pytest.mark.parametrize("limit", [1, 3, 100])
async def test_pages_are_the_whole(room: Room, limit: int) -> None:
    pair = await story(room)
    assert await room.replay(pair, limit) == await room.replay(pair)


async def test_a_page_with_a_large_patch_ends_there(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lighthouse.collaboration.record.PAGE_BYTES", 400)
    pair = await story(room)
    page = await room.collaborations.record(pair, 0, 100)
    assert page.next_cursor is not None
    assert [entry.type for entry in await room.replay(pair)] == [f"pair.{word}" for word in TYPES]


async def test_it_is_the_same_later(room: Room) -> None:
    """After the project changed, the proposal and the note ended, a restart, and when nobody remembers."""

    def comparable(entries: list[Entry]) -> bytes:
        return msgspec.json.encode(entries)

    pair = await story(room)
    before = comparable(await room.replay(pair))
    session = msgspec.structs.replace(await room.collaborations.get(pair))
    await room.change("print('all new')\n")
    await room.proposals.withdraw("plus", agent="ann")
    note = session.suggestions[1].note
    assert note is not None
    await room.annotations.end(note, "resolved", agent_id="ann")
    assert comparable(await room.replay(pair)) == before
    await room.again()
    assert comparable(await room.replay(pair)) == before
    assert await room.collaborations.get(pair) == session
    room.collaborations._ended._kept.clear()  # as after many others: it is looked up in the log
    assert await room.collaborations.get(pair) == session
    assert comparable(await room.replay(pair)) == before


async def test_who_waits_is_told_at_once(room: Room) -> None:
    session = await room.team(BEN)
    waiting = asyncio.create_task(room.collaborations.record(session.id, session.last_seq, 10, 600))
    await asyncio.sleep(0)
    await room.collaborations.say(session.id, BEN, "there")
    async with asyncio.timeout(10):
        [entry] = (await waiting).entries
    assert entry.data["text"] == "there"


async def test_who_waits_is_let_go_at_a_stop(room: Room) -> None:
    session = await room.team(BEN)
    waiting = asyncio.create_task(room.collaborations.record(session.id, session.last_seq, 10, 600))
    looking = asyncio.create_task(room.collaborations.news("ben", 600))
    await asyncio.sleep(0)
    room.collaborations.release()
    async with asyncio.timeout(10):
        assert (await waiting).entries == []
        await looking


async def test_events_of_others_on_the_stream_are_no_part(room: Room) -> None:
    from lighthouse.events import Draft

    session = await room.team(BEN)
    await room.store.append([Draft("note.made", {"id": session.id}, "collaborations")], agent_id="dan")
    await room.again()
    assert len(await room.replay(session.id)) == 2
    with pytest.raises(NoSuchCollaboration):
        await room.collaborations.get(f"c{room.store.head.seq}")


async def test_what_went_on_when_the_bridge_was_away_for_long_has_ended(
    room: Room, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await room.team(BEN)
    monkeypatch.setattr(journal, "KEPT", timedelta(seconds=0))
    await room.again()
    monkeypatch.setattr(journal, "KEPT", timedelta(days=8))
    clock.ahead = 3601
    found = await room.collaborations.get(session.id)
    assert (found.state, found.how, found.ended_at) == ("closed", "idle", found.ends_at)
    assert len(await room.replay(session.id)) == 2
