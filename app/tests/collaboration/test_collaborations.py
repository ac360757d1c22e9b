"""Collaborations of several: who comes, speaks, goes and closes, and how they end by themselves."""

import asyncio

import pytest

from lighthouse.annotations import Target
from lighthouse.collaboration import BadCollaboration, NoSuchCollaboration, TooMuchGoingOn, WrongMove
from lighthouse.collaboration import collaborations as limits
from lighthouse.events import Conflict, InvalidEvent
from lighthouse.sessions import NotAllowed
from tests.collaboration.conftest import ANN, BEN, CAT, DAN, OLGA, Clock, Room


async def test_those_who_were_asked_join_and_speak(room: Room) -> None:
    session = await room.team(BEN, CAT)
    assert session.id == f"c{session.seq}"
    assert (session.members, session.invited) == (["ann", "ben", "cat"], [])
    await room.collaborations.say(session.id, BEN, "a minus is in it")
    assert (session.events, session.state) == (4, "open")


async def test_joining_again_changes_nothing(room: Room) -> None:
    session = await room.team(BEN)
    await room.collaborations.join(session.id, BEN)
    assert (session.members, session.events) == (["ann", "ben"], 2)


async def test_others_stay_outside_and_an_operator_comes_in(room: Room) -> None:
    session = await room.team(BEN)
    with pytest.raises(NotAllowed):
        await room.collaborations.join(session.id, DAN)
    with pytest.raises(NotAllowed):
        await room.collaborations.say(session.id, DAN, "let me in")
    await room.collaborations.join(session.id, OLGA)
    await room.collaborations.say(session.id, OLGA, "how is it?")
    assert session.members == ["ann", "ben", "olga"]


async def test_who_was_asked_and_did_not_join_cannot_speak(room: Room) -> None:
    session = await room.collaborations.begin(ANN, "how to add", ["ben"], [], 3600)
    with pytest.raises(NotAllowed):
        await room.collaborations.say(session.id, BEN, "hello")


async def test_who_left_may_come_back(room: Room) -> None:
    session = await room.team(BEN)
    await room.collaborations.leave(session.id, BEN)
    assert (session.members, session.left) == (["ann"], ["ben"])
    await room.collaborations.join(session.id, BEN)
    assert (session.members, session.left) == (["ann", "ben"], [])


async def test_to_leave_before_joining_is_to_decline(room: Room) -> None:
    session = await room.collaborations.begin(ANN, "how to add", ["ben"], [], 3600)
    await room.collaborations.leave(session.id, BEN, "no time")
    assert (session.invited, session.left) == ([], ["ben"])
    with pytest.raises(NotAllowed):
        await room.collaborations.leave(session.id, BEN)


async def test_it_ends_with_the_last_who_leaves(room: Room) -> None:
    session = await room.team(BEN)
    await room.collaborations.leave(session.id, ANN)
    assert session.state == "open"
    await room.collaborations.leave(session.id, BEN)
    assert (session.state, session.how, session.ended_by) == ("closed", "empty", "ben")


async def test_who_began_it_or_an_operator_closes_it(room: Room) -> None:
    session = await room.team(BEN)
    with pytest.raises(NotAllowed):
        await room.collaborations.close_session(session.id, BEN)
    await room.collaborations.close_session(session.id, ANN, "done")
    assert (session.state, session.how, session.reason, session.ended_by) == (
        "closed",
        "closed",
        "done",
        "ann",
    )
    other = await room.team(BEN)
    assert (await room.collaborations.close_session(other.id, OLGA)).ended
    with pytest.raises(WrongMove):
        await room.collaborations.say(other.id, ANN, "too late")


async def test_what_nobody_does_anything_in_ends(room: Room, clock: Clock) -> None:
    session = await room.team(BEN)
    clock.ahead = 3601
    assert room.collaborations.going_on() == []
    with pytest.raises(WrongMove):
        await room.collaborations.say(session.id, BEN, "too late")
    await room.collaborations.expire()
    assert (session.state, session.how, session.ended_by) == ("closed", "idle", "lighthouse")
    assert room.collaborations.ended() == [session]


async def test_whatever_happens_its_life_is_bounded(
    room: Room, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lighthouse.collaboration.collaboration.LIFE_SECONDS", 1800)
    session = await room.team(BEN)
    clock.ahead = 1801
    await room.collaborations.expire()
    assert (session.state, session.how) == ("closed", "lifetime")


async def test_the_same_under_the_same_key_is_the_same_one(room: Room) -> None:
    async def begin(topic: str = "how to add") -> str:
        return (await room.collaborations.begin(ANN, topic, ["ben"], [], 3600, "first")).id

    assert len(set(await asyncio.gather(begin(), begin(), begin()))) == 1
    first = await begin()
    await room.again()
    assert await begin() == first
    with pytest.raises(Conflict):
        await begin("something else")
    await room.collaborations.close_session(first, ANN)
    assert await begin() == first
    assert len(await room.events()) == 2


async def test_the_same_word_under_the_same_key_is_said_once(room: Room) -> None:
    session = await room.team(BEN)
    for _ in range(2):
        await room.collaborations.say(session.id, BEN, "hello", idempotency_key="hello")
    assert session.events == 3


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ([], BadCollaboration),
        (["ann"], BadCollaboration),
        (["ben", "ann"], BadCollaboration),
        (["not a name"], InvalidEvent),
        ([f"agent{number}" for number in range(16)], BadCollaboration),
    ],
)
async def test_what_cannot_be_begun_leaves_nothing(
    room: Room, asked: list[str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await room.collaborations.begin(ANN, "how to add", asked, [], 3600)
    assert await room.events() == []


async def test_an_agent_has_so_many_going_on(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_OPEN_OF_ONE", 2)

    async def begin() -> object:
        return await room.collaborations.begin(ANN, "how to add", ["ben"], [], 3600)

    found = await asyncio.gather(*(begin() for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(one, TooMuchGoingOn) for one in found) == 3
    first = room.collaborations.going_on()[0]
    await room.collaborations.close_session(first.id, ANN)
    await begin()


async def test_so_much_happens_in_one_and_it_can_still_be_ended(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lighthouse.collaboration.moves.MAX_EVENTS", 3)
    session = await room.team(BEN)
    await room.collaborations.say(session.id, BEN, "one")
    with pytest.raises(TooMuchGoingOn):
        await room.collaborations.say(session.id, BEN, "two")
    await room.collaborations.leave(session.id, BEN)
    assert (await room.collaborations.close_session(session.id, ANN)).ended


@pytest.mark.parametrize("name", ["c1", "c999999", "x", "", "c", "cé", "c" + "9" * 30])
async def test_there_is_none_of_that_id(room: Room, name: str) -> None:
    with pytest.raises(NoSuchCollaboration):
        await room.collaborations.join(name, ANN)


async def test_tokens_do_not_get_into_the_log(room: Room) -> None:
    token = f"eyJ{'a' * 20}.eyJ{'b' * 20}.{'c' * 40}"
    session = await room.team(BEN)
    await room.collaborations.say(session.id, ANN, f"mine is {token}", Target("sums.py", line=2))
    [said] = [event for event in await room.events() if event.type == "collaboration.said"]
    assert said.value["text"] == "mine is [a token was left out]"
    assert room.annotations.get(said.value["note"]).text == "mine is [a token was left out]"


async def test_one_may_point_to_a_place(room: Room) -> None:
    session = await room.team(BEN)
    await room.collaborations.say(session.id, BEN, "here", Target("sums.py", line=2))
    said = (await room.replay(session.id))[-1]
    assert said.note is not None
    assert (said.note.path, said.note.lines, said.note.text) == ("sums.py", (2, 2), "here")


async def test_who_is_cut_off_did_it_nevertheless(room: Room) -> None:
    session = await room.team(BEN)
    saying = asyncio.create_task(room.collaborations.say(session.id, BEN, "hello"))
    await asyncio.sleep(0)
    saying.cancel()
    await asyncio.gather(saying, return_exceptions=True)
    await room.collaborations.say(session.id, ANN, "yes?")
    assert [event.agent_id for event in (await room.events())[-2:]] == ["ben", "ann"]
    assert session.events == 4


async def test_the_last_that_may_go_on_is_answered_again(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_OPEN_OF_ONE", 1)
    begun = await room.collaborations.begin(ANN, "how to add", ["ben"], [], 3600, "key")
    assert (await room.collaborations.begin(ANN, "how to add", ["ben"], [], 3600, "key")).id == begun.id
    with pytest.raises(Conflict):
        await room.collaborations.begin(ANN, "how to subtract", ["ben"], [], 3600, "key")
    with pytest.raises(TooMuchGoingOn):
        await room.collaborations.begin(ANN, "how to add", ["ben"], [], 3600, "other")
