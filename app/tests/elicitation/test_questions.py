"""Questions asked, answered, declined, run out; found again after a restart."""

import asyncio
from typing import Any

import pytest

from lighthouse.casework import Ended
from lighthouse.elicitation import BadQuestion, BadReply, NoSuchQuestion, QuestionClosed, TooManyQuestions
from lighthouse.elicitation.questions import MAX_PENDING_OF_ONE
from lighthouse.events import Conflict, Draft, Event, InvalidEvent, StoreUnavailable
from lighthouse.sessions import NotAllowed
from tests.elicitation.conftest import Clock, Room

YES = {"ok": True}


async def test_an_answer_wakes_whoever_waits(room: Room) -> None:
    asked = await room.ask()
    assert (asked.state, asked.agent_id, asked.to) == ("pending", "ann", "bob")
    assert room.questions.pending("bob") == [asked]
    assert room.questions.pending("ann") == []
    waiting = asyncio.create_task(room.questions.get(asked.id, 600))
    await asyncio.sleep(0)
    await room.questions.answer(asked.id, "bob", "accept", YES)
    found = await asyncio.wait_for(waiting, 10)
    assert (found.state, found.content) == ("accepted", YES)
    assert room.questions.pending() == []


async def test_a_question_wakes_whoever_looks_for_one(room: Room) -> None:
    looking = [asyncio.create_task(room.questions.news(who, 600)) for who in ("bob", "eve")]
    await asyncio.sleep(0)
    await room.ask(to="bob")
    await asyncio.wait_for(looking[0], 10)
    assert not looking[1].done()
    room.questions.release()
    await asyncio.wait_for(looking[1], 10)
    await asyncio.wait_for(room.questions.news("bob", 600), 10)


async def test_declining(room: Room) -> None:
    asked = await room.ask()
    with pytest.raises(BadReply):
        await room.questions.answer(asked.id, "bob", "decline", YES)
    found = await room.questions.answer(asked.id, "bob", "decline", reason="not mine to say")
    assert (found.state, found.reason) == ("declined", "not mine to say")


@pytest.mark.parametrize("content", [{}, {"ok": "yes"}, None])
async def test_an_answer_that_does_not_fit_changes_nothing(room: Room, content: Any) -> None:
    asked = await room.ask()
    with pytest.raises(BadReply):
        await room.questions.answer(asked.id, "bob", "accept", content)
    with pytest.raises(BadReply):
        await room.questions.answer(asked.id, "bob", "accept")
    assert [event.type for event in await room.events()] == ["elicitation.created"]
    assert (await room.questions.get(asked.id)).state == "pending"


async def test_who_answers_and_how_often(room: Room) -> None:
    asked = await room.ask()
    for other in ("ann", "eve"):
        with pytest.raises(NotAllowed):
            await room.questions.answer(asked.id, other, "accept", YES)
    said = await asyncio.gather(
        *(room.questions.answer(asked.id, "bob", "accept", YES) for _ in range(5)), return_exceptions=True
    )
    assert [isinstance(one, QuestionClosed) for one in said].count(True) == 4
    assert len(await room.events()) == 2
    with pytest.raises(NoSuchQuestion):
        await room.questions.answer("q999", "bob", "accept", YES)


async def test_time_ends_it(room: Room, clock: Clock) -> None:
    asked = await room.ask(seconds=20)
    clock.ahead = 21
    assert room.questions.pending("bob") == []
    with pytest.raises(QuestionClosed):
        await room.questions.answer(asked.id, "bob", "accept", YES)
    waiting = asyncio.create_task(room.questions.get(asked.id, 600))
    await asyncio.sleep(0)
    await room.questions.expire()
    assert (await asyncio.wait_for(waiting, 10)).state == "expired"
    assert (await room.events())[-1].agent_id == "lighthouse"


async def test_it_ends_by_itself(room: Room) -> None:
    asked = await room.ask(seconds=1)
    assert (await room.questions.get(asked.id, 20)).state == "expired"


async def test_what_cannot_be_asked(room: Room) -> None:
    with pytest.raises(BadQuestion):
        await room.ask(to="ann")
    with pytest.raises(BadQuestion):
        await room.ask(schema={"type": "nothing"})
    with pytest.raises(InvalidEvent):
        await room.ask(to="not a name")
    assert await room.events() == []


async def test_one_agent_has_so_many(room: Room) -> None:
    asked = [room.ask(key=f"k{n}") for n in range(MAX_PENDING_OF_ONE + 3)]
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert [isinstance(one, TooManyQuestions) for one in found].count(True) == 3
    assert (await room.ask("eve")).state == "pending"
    # What waits already may be asked for again.
    assert (await room.ask(key="k0")).id == found[0].id  # type: ignore[union-attr]


async def test_the_same_under_the_same_key_is_one_question(room: Room, clock: Clock) -> None:
    twice = await asyncio.gather(room.ask(key="k"), room.ask(key="k"))
    assert twice[0] is twice[1]
    with pytest.raises(Conflict):
        await room.ask(key="k", message="Something else?")
    assert (await room.ask("eve", key="k")).id != twice[0].id
    await room.questions.answer(twice[0].id, "bob", "accept", YES)
    assert (await room.ask(key="k")).state == "accepted"
    await room.again()
    assert (await room.ask(key="k")).content == YES
    room.questions._ended = Ended(0, 0)  # as after many others: it is looked up in the log
    assert (await room.ask(key="k")).content == YES
    assert len(await room.events()) == 3


async def test_a_restart_loses_nothing(room: Room, clock: Clock) -> None:
    short, long, done = await room.ask(seconds=20), await room.ask(), await room.ask()
    await room.questions.answer(done.id, "bob", "accept", YES)
    waiting = asyncio.create_task(room.questions.get(long.id, 600))
    await asyncio.sleep(0)
    await room.close()
    assert (await asyncio.wait_for(waiting, 10)).state == "pending"
    clock.ahead = 30
    await room.open()
    assert (await room.questions.get(short.id)).state == "expired"
    assert (await room.questions.get(done.id)).content == YES
    waiting = asyncio.create_task(room.questions.get(long.id, 600))
    await asyncio.sleep(0)
    await room.questions.answer(long.id, "bob", "decline")
    assert (await asyncio.wait_for(waiting, 10)).state == "declined"


@pytest.mark.parametrize("name", ["q0", "q1x", "x1", "q", "", "q" + "9" * 40])
async def test_ids_that_are_none(room: Room, name: str) -> None:
    with pytest.raises(NoSuchQuestion):
        await room.questions.get(name)


@pytest.mark.parametrize("stored", [True, False])
async def test_an_append_of_which_nobody_knows(room: Room, stored: bool) -> None:
    asked = await room.ask()
    append = room.store.append

    async def failing(drafts: list[Draft], *, agent_id: str) -> list[Event]:
        if stored:
            await append(drafts, agent_id=agent_id)
        raise StoreUnavailable("the disk", "is gone")

    room.store.append = failing  # type: ignore[method-assign, assignment]
    with pytest.raises(StoreUnavailable):
        await room.questions.answer(asked.id, "bob", "accept", YES)
    room.store.append = append  # type: ignore[method-assign]
    assert (await room.questions.get(asked.id)).state == "pending"
    if stored:
        with pytest.raises(QuestionClosed):
            await room.questions.answer(asked.id, "bob", "decline")
    else:
        await room.questions.answer(asked.id, "bob", "accept", YES)
    assert (await room.questions.get(asked.id)).content == YES
    await room.again()
    assert (await room.questions.get(asked.id)).content == YES


async def test_no_token_gets_into_the_log(room: Room) -> None:
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJlLXNpZ25hdHVyZQ"
    schema = {"type": "string", "description": token}
    asked = await room.ask(message=f"is it {token}?", schema=schema, key="key")
    assert asked.message == "is it [a token was left out]?"
    assert (await room.ask(message=f"is it {token}?", schema=schema, key="key")).id == asked.id
    found = await room.questions.answer(asked.id, "bob", "accept", f"it is {token}")
    assert found.content == "it is [a token was left out]"
    other = await room.ask(schema={"maxLength": len(token), "pattern": "^eyJ"})
    with pytest.raises(BadReply):
        await room.questions.answer(other.id, "bob", "accept", token)
    await room.questions.answer(other.id, "bob", "decline", reason=f"no {token}")
    assert token not in str([event.value for event in await room.events()])


async def test_what_ran_out_while_nobody_was_there_for_days_is_not_pending(
    room: Room, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = await room.ask(seconds=60, key="key")
    await room.close()
    clock.ahead += 4 * 86400
    monkeypatch.setattr("lighthouse.elicitation.journal.KEPT_DAYS", 0)  # the log's own clock goes on
    await room.open()
    found = await room.questions.get(asked.id)
    assert (found.state, found.ended_at) == ("expired", asked.expires_at)
    assert (await room.ask(seconds=60, key="key")).state == "expired"
    with pytest.raises(QuestionClosed, match="expired"):
        await room.questions.answer(asked.id, "bob", "accept", {"ok": True})
