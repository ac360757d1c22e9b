"""A store that fails: nobody is told yes before it is certain, and the log decides in the end."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from lighthouse.events import Draft, Event, NoRoom, StoreUnavailable
from lighthouse.mailbox.presence import GRACE_SECONDS, HEARD_SECONDS
from lighthouse.tasks import TaskClosed, TaskTaken
from tests.tasks.conftest import PYTHON, Room


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
async def test_a_claim_in_doubt_is_nobodys_until_it_is_certain(room: Room, stored: bool) -> None:
    for name in ("abe", "bea"):
        await room.register(name)
    task = await room.dispatch(PYTHON)
    async with failing(room, stored=stored):
        with pytest.raises(StoreUnavailable):
            await room.tasks.claim(task.id, "abe")
    assert task.state == "pending"
    if stored:
        with pytest.raises(TaskTaken, match="by abe"):
            await room.tasks.claim(task.id, "bea")
    else:
        await room.tasks.claim(task.id, "bea")
    holder = "abe" if stored else "bea"
    assert (task.state, task.holder) == ("claimed", holder)
    await room.again()
    assert (await room.tasks.get(task.id)).holder == holder
    claims = [name for kind, name in await room.types() if kind == "claimed"]
    assert claims == [holder]


async def test_an_end_in_doubt_is_found_by_whoever_looks_next(room: Room) -> None:
    task = await room.dispatch()
    await room.tasks.claim(task.id, "tom")
    waiting = asyncio.ensure_future(room.tasks.get(task.id, 30))
    async with failing(room, stored=True):
        with pytest.raises(StoreUnavailable):
            await room.tasks.complete(task.id, "tom", 1)
    with pytest.raises(TaskClosed):
        await room.tasks.fail(task.id, "tom", "or not")
    assert (await asyncio.wait_for(waiting, 10)).result == 1
    assert await room.tasks.complete(task.id, "tom", 1) is task


async def test_a_full_disk_changes_nothing(room: Room) -> None:
    task = await room.dispatch()
    async with failing(room, stored=False, kind=NoRoom):
        with pytest.raises(NoRoom):
            await room.tasks.claim(task.id, "tom")
        with pytest.raises(NoRoom):
            await room.dispatch()
    assert [one.id for one in room.tasks.all()] == [task.id]
    await room.tasks.claim(task.id, "tom")


async def test_a_task_in_doubt_is_there_once_it_is_dispatched_again(room: Room) -> None:
    async with failing(room, stored=True):
        with pytest.raises(StoreUnavailable):
            await room.dispatch(idempotency_key="k")
    assert room.tasks.all() == []
    other = await room.dispatch(title="another")
    task = await room.dispatch(idempotency_key="k")
    assert task.seq < other.seq
    await room.again()
    assert {one.id for one in room.tasks.all()} == {task.id, other.id}
    kinds = [kind for kind, _ in await room.types()]
    assert kinds == ["dispatched", "dispatched"]


async def test_what_could_not_be_taken_back_is_taken_back_later(room: Room) -> None:
    task = await room.dispatch()
    await room.tasks.claim(task.id, "tom")
    async with failing(room, stored=False):
        await room.later(HEARD_SECONDS + GRACE_SECONDS + 1)
    assert task.state == "claimed"
    await room.tasks.look()
    assert (task.state, task.attempt) == ("pending", 2)


async def test_who_was_offered_it_in_doubt_is_told_after_all(room: Room) -> None:
    await room.register("abe")
    socket = room.mail.open("abe")
    append = room.store.append

    async def fail(drafts: Sequence[Draft], *, agent_id: str) -> list[Event]:
        if drafts[0].type == "task.offered":
            await append(drafts, agent_id=agent_id)
            raise StoreUnavailable("the disk", "is gone")
        return await append(drafts, agent_id=agent_id)

    room.store.append = fail  # type: ignore[method-assign]
    task = await room.dispatch(PYTHON)
    assert task.offered == []
    room.store.append = append  # type: ignore[method-assign]
    await room.tasks.look()
    assert task.offered == ["abe"]
    number, letter = await asyncio.wait_for(socket.next(), 10)
    assert (number, letter.kind, letter.id) == (1, "task.offered", task.id)
    assert [kind for kind, _ in await room.types()] == ["dispatched", "offered", "reread"]
