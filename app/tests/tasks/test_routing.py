"""Tasks for a capability: who is told of them, in which order, and when the next is told."""

import pytest

from lighthouse.experts import BadExpert
from lighthouse.experts.expert import GRACE_SECONDS
from lighthouse.sessions import NotAllowed
from lighthouse.tasks import BadTask, Capability
from tests.conftest import WaitFor
from tests.tasks.conftest import OFFER_SECONDS, PYTHON, Room


async def test_the_one_who_named_it_then_the_least_busy_then_the_most_successful(room: Room) -> None:
    await room.register("all", "builder")
    await room.register("java", languages=("java",))
    for name in ("abe", "bea", "cid"):
        await room.register(name, languages=("python",))
    # abe lost a task once, the others did one each.
    for name in ("abe", "bea", "cid"):
        task = await room.dispatch(name)
        await room.tasks.claim(task.id, name)
        if name == "abe":
            await room.tasks.fail(task.id, name, "no")
        else:
            await room.tasks.complete(task.id, name, "yes")
    offers = [(await room.dispatch(PYTHON)).offered for _ in range(4)]
    assert offers == [["bea"], ["cid"], ["abe"], ["bea"]]
    assert [expert.load for expert in room.experts.all()] == [1, 0, 2, 1, 0]
    assert (room.experts.get("bea").completed, room.experts.get("abe").failed) == (1, 1)


async def test_who_does_not_take_it_in_time_is_joined_by_the_next(room: Room) -> None:
    for name in ("abe", "bea"):
        await room.register(name)
    task = await room.dispatch(Capability())
    await room.later(OFFER_SECONDS - 1)
    assert task.offered == ["abe"]
    await room.later(1)
    assert task.offered == ["abe", "bea"]
    await room.later(OFFER_SECONDS)
    assert task.offered == ["abe", "bea"]
    await room.tasks.claim(task.id, "abe")
    assert (task.holder, room.tasks.load("abe"), room.tasks.load("bea")) == ("abe", 1, 0)


async def test_who_goes_is_followed_by_the_next_at_once(room: Room, wait_for: WaitFor) -> None:
    room.clock.ahead += GRACE_SECONDS
    socket = room.mail.open("abe")
    await room.register("abe", languages=("python",))
    await room.register("bea")
    task = await room.dispatch(PYTHON)
    assert task.offered == ["abe"]
    room.mail.close("abe", socket)
    room.clock.ahead += 4000
    await room.register("bea")
    await room.experts.look()
    await wait_for(lambda: "bea" in task.offered)


async def test_a_lost_task_goes_to_another(room: Room, wait_for: WaitFor) -> None:
    await room.register("abe", languages=("python",))
    await room.register("bea")
    task = await room.dispatch(PYTHON)
    await room.tasks.claim(task.id, "abe")
    await room.tasks.fail(task.id, "abe", "I am lost", retry=True)
    await wait_for(lambda: task.offered == ["bea"])
    assert task.tried == ["abe"]


async def test_it_waits_for_an_expert_to_come(room: Room, wait_for: WaitFor) -> None:
    room.clock.ahead += GRACE_SECONDS
    task = await room.dispatch(Capability(speciality="security"))
    assert task.offered == []
    await room.register("abe", "frontend")
    await room.register("sam", "security")
    await wait_for(lambda: task.offered == ["sam"])
    with pytest.raises(NotAllowed):
        await room.tasks.claim(task.id, "abe")
    await room.tasks.claim(task.id, "sam")


async def test_who_has_the_capability_may_take_it_without_being_told(room: Room) -> None:
    for name in ("abe", "bea", "ann"):
        await room.register(name, risks=("high",))
    task = await room.dispatch(Capability(risks=("delete",)))
    assert task.offered == ["abe"]
    assert room.tasks.pending("bea") == []
    room.clock.ahead += OFFER_SECONDS
    assert room.tasks.pending("bea") == [task]
    for nobody in ("ann", "tom"):
        assert room.tasks.pending(nobody) == []
        with pytest.raises(NotAllowed):
            await room.tasks.claim(task.id, nobody)
    await room.tasks.claim(task.id, "bea")


async def test_what_no_expert_can_have_is_refused(room: Room) -> None:
    with pytest.raises(BadExpert):
        await room.dispatch(Capability(languages=("klingon",)))
    with pytest.raises(BadExpert):
        await room.dispatch(Capability(speciality="No Word"))
    for bad in (
        Capability(risks=("high",)),
        Capability(paths=("../x",)),
        Capability(paths=tuple(f"f{number}" for number in range(101))),
    ):
        with pytest.raises(BadTask):
            await room.dispatch(bad)


async def test_offers_outlive_a_restart(room: Room) -> None:
    await room.register("abe")
    task = await room.dispatch(PYTHON)
    await room.again()
    [found] = room.tasks.all()
    assert found == task
    assert [letter.id for letter in room.tasks.open_letters("abe")] == [task.id]
