"""Who decides a request: a person alone, an expert, two of different specialities, or nobody in time."""

import asyncio

import pytest

from lighthouse.casework import Ended
from lighthouse.sessions import NotAllowed, Role
from lighthouse.validation import AlreadyAnswered, AlreadyResolved, BadAnswer, NoSuchValidation
from tests.validation.conftest import EVE, HIGH, KIM, MEDIUM, OLGA, Begin, Clock, Room, identity


async def test_one_expert_decides_what_is_of_the_tier_medium(room: Room) -> None:
    await room.expert(EVE, "security")
    asked = await room.ask(MEDIUM)
    (waiting,) = room.validations.pending()
    assert (waiting.quorum, waiting.asked) == (1, ["eve"])
    answered = await room.validations.answer(asked.id, EVE, "approve", "generated files only")
    assert (answered.decision, answered.state) == ("allow", "resolved")
    assert answered.resolution is not None
    assert (answered.resolution.how, answered.resolution.by) == ("expert", "eve")
    assert answered.answers[0].speciality == "security"


async def test_high_needs_two_of_different_specialities(room: Room) -> None:
    kit = identity("kit", Role.EXPERT)
    await room.expert(EVE, "security")
    await room.expert(KIM, "packaging")
    await room.expert(kit, "security")
    asked = await room.ask(HIGH)
    assert (await room.validations.answer(asked.id, EVE, "approve", "fine")).state == "pending"
    assert (await room.validations.answer(asked.id, kit, "approve", "fine too")).state == "pending"
    answered = await room.validations.answer(asked.id, KIM, "approve", "the version is new")
    assert answered.decision == "allow"
    assert answered.resolution is not None
    assert answered.resolution.how == "quorum"


async def test_one_experts_deny_denies(room: Room) -> None:
    await room.expert(EVE, "security")
    await room.expert(KIM, "packaging")
    asked = await room.ask(HIGH)
    await room.validations.answer(asked.id, EVE, "approve", "fine")
    answered = await room.validations.answer(asked.id, KIM, "deny", "the version is not")
    assert answered.decision == "deny"


async def test_answers_at_the_same_moment_see_each_other(room: Room) -> None:
    await room.expert(EVE, "security")
    await room.expert(KIM, "packaging")
    asked = await room.ask(HIGH)
    await asyncio.gather(
        room.validations.answer(asked.id, EVE, "approve", "fine"),
        room.validations.answer(asked.id, KIM, "approve", "fine"),
    )
    assert (await room.validations.get(asked.id)).decision == "allow"


async def test_of_two_people_at_the_same_moment_one_decides(room: Room) -> None:
    asked = await room.ask()
    pete = identity("pete", Role.ADMIN)
    found = await asyncio.gather(
        room.validations.answer(asked.id, OLGA, "approve", "yes"),
        room.validations.answer(asked.id, pete, "deny", "no"),
        return_exceptions=True,
    )
    assert isinstance(found[1], AlreadyResolved)
    assert (await room.validations.get(asked.id)).decision == "allow"
    assert len(await room.events("validation.resolved")) == 1


async def test_a_person_decides_alone_also_against_an_expert(room: Room) -> None:
    await room.expert(EVE, "security")
    asked = await room.ask(HIGH)
    await room.validations.answer(asked.id, EVE, "approve", "fine")
    answered = await room.validations.answer(asked.id, OLGA, "deny", "not today")
    assert answered.decision == "deny"
    assert answered.resolution is not None
    assert answered.resolution.how == "person"


async def test_nobody_answers_twice(room: Room) -> None:
    await room.expert(EVE, "security")
    asked = await room.ask(HIGH)
    await room.validations.answer(asked.id, EVE, "approve", "fine")
    with pytest.raises(AlreadyAnswered):
        await room.validations.answer(asked.id, EVE, "deny", "or not")


async def test_who_asks_is_not_asked_and_may_not_answer(room: Room) -> None:
    await room.expert(EVE, "security")
    asked = await room.ask(MEDIUM, agent="eve")
    assert room.validations.pending()[0].asked == []
    with pytest.raises(NotAllowed, match="may not answer"):
        await room.validations.answer(asked.id, EVE, "approve", "mine")
    also = await room.ask(MEDIUM, agent="olga")
    with pytest.raises(NotAllowed, match="may not answer"):
        await room.validations.answer(also.id, OLGA, "approve", "mine")


@pytest.mark.parametrize("role", [Role.AGENT, Role.OBSERVER])
async def test_roles_that_may_not_answer(room: Room, role: Role) -> None:
    asked = await room.ask()
    with pytest.raises(NotAllowed):
        await room.validations.answer(asked.id, identity("bob", role), "approve", "sure")


async def test_experts_count_only_where_they_fit(room: Room) -> None:
    await room.expert(EVE, "database", risks=("query",))
    asked = await room.ask(MEDIUM)
    with pytest.raises(NotAllowed, match="no expert"):
        await room.validations.answer(asked.id, EVE, "approve", "sure")
    with pytest.raises(NotAllowed, match="no expert"):
        await room.validations.answer(asked.id, KIM, "approve", "sure")


async def test_who_registers_later_and_fits_may_answer(room: Room) -> None:
    asked = await room.ask(MEDIUM)
    await room.expert(EVE, "security")
    assert (await room.validations.answer(asked.id, EVE, "approve", "fine")).decision == "allow"


async def test_after_the_experts_time_a_person_decides(room: Room, clock: Clock) -> None:
    await room.expert(EVE, "security")
    asked = await room.ask(MEDIUM)
    assert room.experts.get("eve").load == 1  # type: ignore[union-attr]
    clock.ahead += 31
    await room.validations.expire()
    assert room.experts.get("eve").load == 0  # type: ignore[union-attr]
    with pytest.raises(AlreadyResolved, match="experts' time"):
        await room.validations.answer(asked.id, EVE, "approve", "late")
    assert (await room.validations.answer(asked.id, OLGA, "approve", "fine")).decision == "allow"


async def test_after_a_persons_time_it_is_denied(room: Room, clock: Clock) -> None:
    asked = await room.ask(MEDIUM)
    waiting = asyncio.create_task(room.validations.get(asked.id, 30))
    await asyncio.sleep(0)
    clock.ahead += 301
    with pytest.raises(AlreadyResolved, match="is over"):
        await room.validations.answer(asked.id, OLGA, "approve", "too late")
    await room.validations.expire()
    ended = await waiting
    assert ended.decision == "deny"
    assert ended.resolution is not None
    assert (ended.resolution.how, ended.resolution.by) == ("timeout", "lighthouse")


async def test_time_passes_by_itself(begin: Begin) -> None:
    room = await begin(person_seconds=0.1)
    assert (await room.ask(wait_seconds=30)).decision == "deny"


async def test_whoever_comes_is_asked_as_long_as_there_are_too_few(room: Room) -> None:
    asked = await room.ask(MEDIUM)
    for who in (EVE, KIM, OLGA):
        await room.expert(who, "security")
        await room.validations.hand_on()
    (waiting,) = room.validations.pending()
    assert (waiting.id, waiting.asked) == (asked.id, ["eve", "kim"])
    assert room.experts.get("kim").load == 1  # type: ignore[union-attr]
    assert [event.value["asked"] for event in await room.events("validation.handed_on")] == [["eve"], ["kim"]]
    await room.again()
    assert room.validations.pending()[0].asked == ["eve", "kim"]


@pytest.mark.parametrize("reason", ["", "  \n", "x" * 1001])
async def test_an_answer_has_a_reason(room: Room, reason: str) -> None:
    asked = await room.ask()
    with pytest.raises(BadAnswer):
        await room.validations.answer(asked.id, OLGA, "approve", reason)


async def test_what_was_decided_at_once_takes_no_answer(room: Room) -> None:
    allowed = await room.ask("ls src")
    with pytest.raises(AlreadyResolved):
        await room.validations.answer(allowed.id, OLGA, "deny", "no")
    with pytest.raises(NoSuchValidation):
        await room.validations.answer("v99999", OLGA, "deny", "no")


async def test_all_who_wait_get_the_answer(room: Room) -> None:
    asked = await room.ask()
    waiting = [asyncio.create_task(room.validations.get(asked.id, 30)) for _ in range(5)]
    joined = [asyncio.create_task(room.ask(wait_seconds=30)) for _ in range(5)]
    await asyncio.sleep(0)
    await room.validations.answer(asked.id, OLGA, "approve", "fine")
    assert {one.decision for one in await asyncio.gather(*waiting)} == {"allow"}
    assert {(one.id, one.decision) for one in await asyncio.gather(*joined)} == {(asked.id, "allow")}


async def test_who_goes_away_takes_nothing_along(room: Room) -> None:
    asking = asyncio.create_task(room.ask(wait_seconds=30))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    asked = await room.ask()
    assert [one.id for one in room.validations.pending()] == [asked.id]


async def test_a_stop_lets_all_go_on_and_the_request_is_there_after_it(room: Room) -> None:
    asking = asyncio.create_task(room.ask(wait_seconds=30))
    asked = await room.ask()
    room.validations.release()
    assert (await asking).decision == "escalate"
    await room.again()
    assert [one.id for one in room.validations.pending()] == [asked.id]


async def test_what_ran_out_while_the_bridge_was_away_is_denied_at_start(room: Room, clock: Clock) -> None:
    asked = await room.ask()
    clock.ahead += 400
    await room.again()
    assert room.validations.pending() == []
    assert (await room.validations.get(asked.id)).decision == "deny"


@pytest.mark.parametrize(("most", "bytes_"), [(2, 10**6), (100, 5000)])
async def test_what_ended_long_ago_is_found_in_the_log(room: Room, most: int, bytes_: int) -> None:
    room.validations._waiting._ended = Ended(most, bytes_)
    asked = [await room.ask(f"rm -rf src/{number}") for number in range(6)]
    for one in asked:
        await room.validations.answer(one.id, OLGA, "approve", "fine")
    kept = room.validations.resolved()
    assert 0 < len(kept) < 6
    assert kept[0].id == asked[-1].id
    for one in asked:
        found = await room.validations.get(one.id)
        assert (found.state, found.decision, found.answers[0].agent_id) == ("resolved", "allow", "olga")


async def test_listeners_hear_of_every_change(room: Room) -> None:
    heard: list[tuple[str, int]] = []
    room.validations.add_listener(lambda one: heard.append((one.state, len(one.answers))))
    room.validations.add_listener(lambda one: 1 / 0)  # a bad one keeps nobody else from it
    await room.expert(EVE, "security")
    asked = await room.ask(HIGH)
    await room.validations.answer(asked.id, EVE, "approve", "fine")
    await room.validations.answer(asked.id, OLGA, "approve", "fine")
    assert heard == [("pending", 0), ("pending", 1), ("resolved", 2)]


async def test_one_agent_cannot_fill_the_queue(room: Room) -> None:
    for number in range(32):
        assert (await room.ask(f"rm -rf src/{number}")).decision == "escalate"
    full = await room.ask("rm -rf src/one-more")
    assert (full.decision, full.rule) == ("deny", "too-many-pending")
    assert (await room.ask("rm -rf src/3")).decision == "escalate"  # joins
    assert (await room.ask("rm -rf src/one-more", agent="ben")).decision == "escalate"
    assert (await room.ask("ls src")).decision == "allow"
