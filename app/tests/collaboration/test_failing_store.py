"""A store that fails over a move: nobody is told of what is not certain; the log decides in the end."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from lighthouse.annotations import Target
from lighthouse.collaboration import AlreadyReviewed, WrongMove
from lighthouse.events import Draft, Event, NoRoom, StoreUnavailable
from tests.collaboration.conftest import ANN, BEN, Clock, Room, waiting


@asynccontextmanager
async def failing(
    room: Room, *, stored: bool, kind: type[StoreUnavailable] = StoreUnavailable
) -> AsyncIterator[None]:
    """Every append fails; with `stored` what was to be stored is on disk nevertheless."""
    append = room.store.append

    async def fail(drafts: Sequence[Draft], *, agent_id: str) -> list[Event]:
        if stored:
            await append(drafts, agent_id=agent_id)
        raise kind("the disk", "is gone")

    room.store.append = fail  # type: ignore[method-assign]
    try:
        yield
    finally:
        room.store.append = append  # type: ignore[method-assign]


@pytest.mark.parametrize("stored", [True, False])
async def test_a_word_in_doubt_is_told_once_it_is_certain(room: Room, stored: bool) -> None:
    session = await room.team(BEN)
    async with failing(room, stored=stored):
        with pytest.raises(StoreUnavailable):
            await room.collaborations.say(session.id, ANN, "perhaps")
    assert session.events == 2
    assert len(await room.replay(session.id)) == 2
    await room.collaborations.say(session.id, BEN, "what?")
    assert session.events == (4 if stored else 3)
    texts = [entry.data.get("text") for entry in await room.replay(session.id)]
    assert texts[2:] == (["perhaps", "what?"] if stored else ["what?"])


async def test_an_end_in_doubt_is_an_end(room: Room, clock: Clock) -> None:
    pair = await room.pair()
    async with failing(room, stored=True):
        with pytest.raises(StoreUnavailable):
            await room.collaborations.complete(pair, ANN, "it adds")
    with pytest.raises(WrongMove):
        await room.collaborations.say(pair, BEN, "hello?")
    assert (await room.collaborations.get(pair)).state == "completed"
    clock.ahead = 3601
    await room.collaborations.expire()
    await room.again()
    assert (await room.collaborations.get(pair)).reason == "it adds"


async def test_a_review_in_doubt_counts(room: Room) -> None:
    pair = await room.pair()
    made = await room.collaborations.suggest(pair, BEN, "a plus", Target("sums.py", line=2))
    async with failing(room, stored=True):
        with pytest.raises(StoreUnavailable):
            await room.collaborations.review(pair, ANN, made.id, "accept")
    with pytest.raises(AlreadyReviewed):
        await room.collaborations.review(pair, ANN, made.id, "reject")


async def test_an_end_by_time_that_cannot_be_stored_is_tried_again(room: Room, clock: Clock) -> None:
    session = await room.team(BEN)
    clock.ahead = 3601
    async with failing(room, stored=False, kind=NoRoom):
        await room.collaborations.expire()
    assert session.state == "open"
    await room.collaborations.expire()
    assert session.how == "idle"


@pytest.mark.parametrize("again", [True, False])
async def test_a_beginning_in_doubt_is_found_under_its_key_and_by_its_id(room: Room, again: bool) -> None:
    ben = room.mail.open("ben")
    async with failing(room, stored=True):
        with pytest.raises(StoreUnavailable):
            await room.collaborations.begin(ANN, "how to add", ["ben"], [], 3600, "key")
    assert room.collaborations.going_on() == []
    assert await waiting(ben) == []
    [event] = await room.events()
    if again:
        assert (await room.collaborations.begin(ANN, "how to add", ["ben"], [], 3600, "key")).seq == event.seq
    await room.collaborations.join(f"c{event.seq}", BEN)
    assert len(await room.events()) == 2


async def test_marks_that_cannot_be_stored_are_let_go(room: Room) -> None:
    session = await room.team(BEN)
    await room.collaborations.say(session.id, ANN, "one")
    ben = room.mail.open("ben")
    [(number, _)] = await waiting(ben)
    async with failing(room, stored=False):
        ben.acknowledge(number)
        await room.collaborations._work.close()
    await room.again()
    assert len(await waiting(room.mail.open("ben"))) == 1
