"""A store that fails over an answer: nobody is told yes before it is certain; the log decides in the end."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from lighthouse.casework import Ended
from lighthouse.events import Draft, Event, NoRoom, StoreUnavailable
from lighthouse.validation import AlreadyAnswered, AlreadyResolved
from tests.validation.conftest import EVE, HIGH, KIM, OLGA, Clock, Room


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
async def test_an_answer_in_doubt_counts_for_nothing_yet(room: Room, stored: bool) -> None:
    asked = await room.ask()
    async with failing(room, stored=stored):
        with pytest.raises(StoreUnavailable):
            await room.validations.answer(asked.id, OLGA, "approve", "fine")
    assert (await room.validations.get(asked.id)).state == "pending"
    await room.again()
    found = await room.validations.get(asked.id)
    assert found.decision == ("allow" if stored else "escalate")


async def test_the_same_answer_again_finds_the_first(room: Room) -> None:
    asked = await room.ask()
    async with failing(room, stored=True):
        with pytest.raises(StoreUnavailable):
            await room.validations.answer(asked.id, OLGA, "deny", "no")
    with pytest.raises(AlreadyResolved):
        await room.validations.answer(asked.id, OLGA, "approve", "or yes")
    assert (await room.validations.get(asked.id)).decision == "deny"
    await room.again()
    assert (await room.validations.get(asked.id)).decision == "deny"
    room.validations._waiting._ended = Ended(0, 0)  # as after many others: it is looked up in the log
    assert (await room.validations.get(asked.id)).decision == "deny"


async def test_the_end_of_the_time_finds_an_answer_before_it(room: Room, clock: Clock) -> None:
    asked = await room.ask()
    async with failing(room, stored=True):
        with pytest.raises(StoreUnavailable):
            await room.validations.answer(asked.id, OLGA, "approve", "fine")
    clock.ahead += 400
    await room.validations.expire()
    found = await room.validations.get(asked.id)
    assert (found.state, found.decision) == ("resolved", "allow")
    await room.again()
    assert (await room.validations.get(asked.id)).decision == "allow"


async def test_approvals_in_doubt_and_certain_ones_make_a_quorum(room: Room) -> None:
    await room.expert(EVE, "security")
    await room.expert(KIM, "packaging")
    asked = await room.ask(HIGH)
    async with failing(room, stored=True):
        with pytest.raises(StoreUnavailable):
            await room.validations.answer(asked.id, EVE, "approve", "fine")
    assert (await room.validations.answer(asked.id, KIM, "approve", "fine")).decision == "allow"
    (event,) = await room.events("validation.resolved")
    assert event.value["how"] == "quorum"


async def test_the_same_expert_twice_is_no_quorum(room: Room) -> None:
    await room.expert(EVE, "security")
    asked = await room.ask(HIGH)
    async with failing(room, stored=True):
        with pytest.raises(StoreUnavailable):
            await room.validations.answer(asked.id, EVE, "approve", "fine")
    with pytest.raises(AlreadyAnswered):
        await room.validations.answer(asked.id, EVE, "approve", "fine")
    found = await room.validations.get(asked.id)
    assert (found.state, len(found.answers)) == ("pending", 1)


async def test_no_room_is_certain_and_changes_nothing(room: Room, clock: Clock) -> None:
    asked = await room.ask()
    async with failing(room, stored=False, kind=NoRoom):
        with pytest.raises(NoRoom):
            await room.validations.answer(asked.id, OLGA, "approve", "fine")
        clock.ahead += 400
        await room.validations.expire()  # cannot be stored either, and is tried again
    assert (await room.validations.get(asked.id)).state == "pending"
    await room.validations.expire()
    assert (await room.validations.get(asked.id)).decision == "deny"


async def test_a_request_that_could_not_be_stored_is_none(room: Room) -> None:
    async with failing(room, stored=False):
        with pytest.raises(StoreUnavailable):
            await room.ask()
        with pytest.raises(StoreUnavailable):
            await room.ask("ls src")
    assert room.validations.pending() == []
    assert (await room.ask()).decision == "escalate"
