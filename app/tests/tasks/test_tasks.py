"""Tasks: claimed once, held under a lease, given to another when the holder is lost, ended once."""

import asyncio
from typing import Any

import pytest

from lighthouse.errors import LighthouseError
from lighthouse.events import Conflict, InvalidEvent
from lighthouse.mailbox import Reader
from lighthouse.mailbox.presence import GRACE_SECONDS, HEARD_SECONDS
from lighthouse.sessions import NotAllowed, Role
from lighthouse.tasks import BadTask, Capability, NoSuchTask, TaskClosed, TaskTaken, TooManyTasks, kept
from lighthouse.tasks.tasks import MAX_RESULT
from tests.conftest import WaitFor
from tests.tasks.conftest import OFFER_SECONDS, Room, identity

GONE = HEARD_SECONDS + GRACE_SECONDS + 1


async def told(reader: Reader) -> list[tuple[str, str]]:
    """All that can be sent now, acknowledged: its kind and the task's state."""
    found = []
    while True:
        try:
            async with asyncio.timeout(0):
                number, letter = await reader.next()
        except TimeoutError:
            return found
        found.append((letter.kind, letter.read().state))
        reader.acknowledge(number)


async def test_it_is_dispatched_claimed_and_completed(room: Room) -> None:
    tom, ann = room.mail.open("tom"), room.mail.open("ann")
    task = await room.dispatch()
    assert (task.state, task.to, task.offered, task.attempt) == ("pending", "tom", ["tom"], 1)
    assert room.tasks.pending("tom") == [task]
    assert room.tasks.pending("eve") == []
    assert await told(tom) == [("task.offered", "pending")]
    waiting = asyncio.ensure_future(room.tasks.get(task.id, 30))
    await room.tasks.claim(task.id, "tom")
    assert (task.state, task.holder) == ("claimed", "tom")
    await room.tasks.progress(task.id, "tom", "half of them", 50)
    assert [(note.note, note.percent) for note in task.notes] == [("half of them", 50)]
    await room.tasks.complete(task.id, "tom", {"passed": 12})
    assert await asyncio.wait_for(waiting, 10) is task
    assert (task.state, task.result, task.ended_by) == ("completed", {"passed": 12}, "tom")
    assert await told(ann) == [("task.ended", "completed")]
    assert await told(tom) == []
    assert [kind for kind, _ in await room.types()][:4] == [
        "dispatched",
        "claimed",
        "progressed",
        "completed",
    ]


async def test_many_claim_at_once_and_one_has_it(room: Room) -> None:
    names = [f"expert-{number}" for number in range(20)]
    for name in names:
        await room.register(name)
    tasks = [await room.dispatch(Capability(), title=str(number)) for number in range(5)]
    for task in tasks:
        claims = [room.tasks.claim(task.id, name) for name in names for _ in range(2)]
        outcomes = await asyncio.gather(*claims, return_exceptions=True)
        won = [one for one in outcomes if not isinstance(one, BaseException)]
        assert len(won) == 1
        assert all(isinstance(one, TaskTaken) for one in outcomes if isinstance(one, BaseException))
    assert (await room.types()).count(("claimed", tasks[0].holder)) >= 1
    assert sum(kind == "claimed" for kind, _ in await room.types()) == len(tasks)


async def test_a_claim_under_a_key_can_be_made_again(room: Room) -> None:
    task = await room.dispatch()
    await room.tasks.claim(task.id, "tom", "k1")
    assert await room.tasks.claim(task.id, "tom", "k1") is task
    for key in (None, "k2"):
        with pytest.raises(TaskTaken, match="by you already"):
            await room.tasks.claim(task.id, "tom", key)
    await room.again()
    assert (await room.tasks.claim(task.id, "tom", "k1")).holder == "tom"
    assert sum(kind == "claimed" for kind, _ in await room.types()) == 1


async def test_a_holder_that_goes_away_has_it_no_longer(room: Room) -> None:
    tom = room.mail.open("tom")
    room.presence.heard("tom")
    task = await room.dispatch()
    await room.tasks.claim(task.id, "tom")
    await room.later(GONE - 2)
    assert task.state == "claimed"
    await room.later(2)
    assert (task.state, task.attempt, task.how, task.tried) == ("pending", 2, "gone", ["tom"])
    assert await told(tom) == [("task.lost", "pending"), ("task.offered", "pending")]
    with pytest.raises(TaskTaken, match="nobody has"):
        await room.tasks.complete(task.id, "tom", 1)
    await room.tasks.claim(task.id, "tom")
    await room.tasks.complete(task.id, "tom", 1)
    assert task.attempt == 2


async def test_a_person_need_not_be_heard_of(room: Room) -> None:
    task = await room.dispatch(lease_seconds=900)
    await room.tasks.claim(task.id, "tom", stays=True)
    await room.again()
    await room.later(2 * GONE)
    assert room.tasks.all()[0].holder == "tom"
    await room.later(900)
    assert (room.tasks.all()[0].attempt, room.tasks.all()[0].how) == (2, "lease")


async def test_it_is_tried_so_often_and_then_it_has_failed(room: Room) -> None:
    ann = room.mail.open("ann")
    task = await room.dispatch(retries=1, lease_seconds=60)
    for attempt in (1, 2):
        assert task.attempt == attempt
        await room.tasks.claim(task.id, "tom")
        room.clock.ahead += 61
        room.presence.heard("tom")
        await room.tasks.look()
    assert (task.state, task.how, task.reason) == ("failed", "lease", "tom let its lease end")
    assert await told(ann) == [("task.ended", "failed")]
    with pytest.raises(TaskClosed):
        await room.tasks.claim(task.id, "tom")


async def test_progress_keeps_the_lease(room: Room) -> None:
    task = await room.dispatch(lease_seconds=60)
    await room.tasks.claim(task.id, "tom")
    room.presence.heard("tom")
    await room.later(50)
    await room.tasks.progress(task.id, "tom", "still at it")
    room.presence.heard("tom")
    await room.later(50)
    assert (task.state, task.attempt) == ("claimed", 1)
    await room.later(10)
    assert (task.state, task.attempt) == ("pending", 2)


async def test_of_what_is_said_the_latest_is_kept(room: Room) -> None:
    task = await room.dispatch()
    await room.tasks.claim(task.id, "tom")
    for number in range(25):
        await room.tasks.progress(task.id, "tom", f"{number}")
    assert [note.note for note in task.notes] == [str(number) for number in range(5, 25)]
    for _ in range(5):
        await room.tasks.progress(task.id, "tom", "x" * 2000)
    assert [len(note.note) for note in task.notes] == [2000] * 4


async def test_a_holder_can_give_it_back_or_say_that_it_cannot_be_done(room: Room) -> None:
    task = await room.dispatch()
    await room.tasks.claim(task.id, "tom")
    await room.tasks.fail(task.id, "tom", "I lack the tool", retry=True)
    assert (task.state, task.attempt, task.how, task.reason) == ("pending", 2, "holder", "I lack the tool")
    await room.tasks.claim(task.id, "tom")
    await room.tasks.fail(task.id, "tom", "there are no tests")
    assert (task.state, task.how, task.reason) == ("failed", "holder", "there are no tests")


async def test_what_is_not_done_in_time_has_failed(room: Room) -> None:
    task, other = await room.dispatch(deadline_seconds=60), await room.dispatch(deadline_seconds=60)
    await room.tasks.claim(other.id, "tom")
    room.clock.ahead += 61
    with pytest.raises(TaskClosed, match="the time of"):
        await room.tasks.claim(task.id, "tom")
    await room.tasks.look()
    assert {(one.state, one.how) for one in (task, other)} == {("failed", "deadline")}


async def test_it_is_cancelled_by_whom_it_is_of_or_an_operator(room: Room) -> None:
    tom = room.mail.open("tom")
    task, other = await room.dispatch(), await room.dispatch()
    for nobody in (identity("tom"), identity("eve", Role.EXPERT)):
        with pytest.raises(NotAllowed):
            await room.tasks.cancel(task.id, nobody, "no")
    assert len(await told(tom)) == 2
    await room.tasks.cancel(task.id, identity("ann"), "not needed")
    await room.tasks.claim(other.id, "tom")
    await room.tasks.cancel(other.id, identity("olga", Role.OPERATOR), "not needed")
    assert {one.state for one in (task, other)} == {"cancelled"}
    assert await told(tom) == [("task.withdrawn", "cancelled"), ("task.ended", "cancelled")]
    for done in (
        room.tasks.complete(other.id, "tom", 1),
        room.tasks.progress(other.id, "tom", ""),
        room.tasks.cancel(other.id, identity("ann"), ""),
        room.tasks.claim(other.id, "tom"),
    ):
        with pytest.raises(TaskClosed):
            await done


async def test_only_the_holder_says_how_it_goes(room: Room) -> None:
    task = await room.dispatch()
    await room.tasks.claim(task.id, "tom")
    for says in (
        room.tasks.progress(task.id, "eve", ""),
        room.tasks.complete(task.id, "eve", 1),
        room.tasks.fail(task.id, "ann", "no"),
    ):
        with pytest.raises(TaskTaken, match="claimed by tom"):
            await says
    with pytest.raises(NotAllowed):
        await room.tasks.claim((await room.dispatch("eve")).id, "tom")


async def test_the_same_result_again_is_no_second_end(room: Room) -> None:
    task = await room.dispatch()
    await room.tasks.claim(task.id, "tom")
    for _ in range(2):
        await room.tasks.complete(task.id, "tom", [1])
    with pytest.raises(TaskClosed):
        await room.tasks.complete(task.id, "tom", [2])


async def test_a_key_makes_one_task_of_two(room: Room) -> None:
    both = await asyncio.gather(*(room.dispatch(idempotency_key="k") for _ in range(2)))
    assert both[0] is both[1]
    with pytest.raises(Conflict):
        await room.dispatch(title="another", idempotency_key="k")
    await room.again()
    again = await room.dispatch(idempotency_key="k")
    assert again.id == both[0].id
    await room.tasks.claim(again.id, "tom")
    await room.tasks.complete(again.id, "tom", 1)
    await room.again()
    assert (await room.dispatch(idempotency_key="k")).state == "completed"


async def test_a_restart_finds_all_again(room: Room, wait_for: WaitFor) -> None:
    waiting, held, done = [await room.dispatch() for _ in range(3)]
    ann = room.mail.open("ann")
    for task in (held, done):
        await room.tasks.claim(task.id, "tom")
    await room.tasks.progress(held.id, "tom", "on it", 10)
    await room.tasks.complete(done.id, "tom", "ok")
    await room.again()
    assert ann is not None
    known = {task.id: task for task in room.tasks.all()}
    assert known == {task.id: task for task in (waiting, held, done)}
    # Who dispatched it had not acknowledged the end; once it has, it is not told again.
    ann = room.mail.open("ann")
    assert await told(ann) == [("task.ended", "completed")]
    assert await told(room.mail.open("tom")) == [("task.offered", "pending")]
    await wait_for(lambda: not list(room.tasks.open_letters("ann")))
    await room.again()
    assert await told(room.mail.open("ann")) == []
    # The holder may be about to come back; if it does not, it has lost its task.
    await room.later(GONE - 5)
    assert room.tasks.all()[1].state == "claimed"
    await room.later(6)
    assert room.tasks.all()[1].attempt == 2


async def test_an_end_is_told_for_an_hour(room: Room) -> None:
    task = await room.dispatch()
    await room.tasks.claim(task.id, "tom")
    await room.tasks.complete(task.id, "tom", 1)
    room.clock.ahead += 3599
    assert [letter.id for letter in room.tasks.open_letters("ann")] == [task.id]
    room.clock.ahead += 1
    assert list(room.tasks.open_letters("ann")) == []


async def test_long_ended_ones_are_read_from_the_log(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "KEPT_ENDED", 1)
    await room.again()
    tasks = [await room.dispatch() for _ in range(3)]
    for task in tasks:
        await room.tasks.claim(task.id, "tom")
        await room.tasks.complete(task.id, "tom", task.id)
    found = await room.tasks.get(tasks[0].id)
    assert found == tasks[0]
    assert found is not tasks[0]
    with pytest.raises(TaskClosed):
        await room.tasks.claim(tasks[0].id, "tom")
    for nothing in ("t999", "t1x", "x", f"t{'9' * 30}"):
        with pytest.raises(NoSuchTask):
            await room.tasks.get(nothing)


async def test_waiting_for_something_to_happen(room: Room) -> None:
    task = await room.dispatch()
    waiting = asyncio.ensure_future(room.tasks.get(task.id, 30, after=task.changed_seq))
    for _ in range(3):
        await asyncio.sleep(0)
    assert not waiting.done()
    await room.tasks.claim(task.id, "tom")
    assert (await asyncio.wait_for(waiting, 10)).state == "claimed"
    assert await room.tasks.get(task.id, 30, after=task.seq) is task
    looking = asyncio.ensure_future(room.tasks.news("eve", 30))
    ending = asyncio.ensure_future(room.tasks.get(task.id, 30))
    await asyncio.sleep(0)
    await room.dispatch("eve")
    await asyncio.wait_for(looking, 10)
    room.tasks.release()
    assert (await asyncio.wait_for(ending, 10)).state == "claimed"
    await room.tasks.news("eve", 30)


async def test_what_is_too_much_is_refused(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    task = await room.dispatch()
    await room.tasks.claim(task.id, "tom")
    with pytest.raises(BadTask):
        await room.tasks.complete(task.id, "tom", "x" * MAX_RESULT)
    deep: Any = 1
    for _ in range(40):
        deep = [deep]
    with pytest.raises(InvalidEvent):
        await room.tasks.complete(task.id, "tom", deep)
    assert task.state == "claimed"
    monkeypatch.setattr(kept, "MAX_OPEN_OF_ONE", 3)
    outcomes = await asyncio.gather(*(room.dispatch() for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(one, TooManyTasks) for one in outcomes) == 3
    monkeypatch.setattr(kept, "MAX_OPEN", 4)
    await room.dispatch(by="bob")
    with pytest.raises(TooManyTasks):
        await room.dispatch(by="cid")
    with pytest.raises(LighthouseError):
        await room.dispatch("no agent")


async def test_figures(room: Room) -> None:
    first, second = await room.dispatch(), await room.dispatch()
    await room.tasks.claim(first.id, "tom")
    assert room.tasks.load("tom") == 2
    assert room.tasks.status() == {"pending": 1, "claimed": 1, "ended": {}}
    await room.tasks.complete(first.id, "tom", 1)
    await room.tasks.cancel(second.id, identity("ann"), "")
    assert room.tasks.load("tom") == 0
    assert room.tasks.status() == {"pending": 0, "claimed": 0, "ended": {"completed": 1, "cancelled": 1}}
    assert OFFER_SECONDS > 0
