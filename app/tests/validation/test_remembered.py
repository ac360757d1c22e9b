"""Answers that are remembered: for this call or similar ones, for a time, never over a policy's deny."""

import pytest

from lighthouse.sessions import NotAllowed
from lighthouse.validation import BadAnswer, NoSuchRule, Remember, Remembered
from tests.validation.conftest import EVE, HIGH, MEDIUM, OLGA, Clock, Room


async def remembered(
    room: Room, wish: Remember, command: str = MEDIUM, verdict: str = "approve"
) -> Remembered:
    asked = await room.ask(command)
    assert asked.decision == "escalate"
    await room.validations.answer(asked.id, OLGA, verdict, "known", wish)  # type: ignore[arg-type]
    return room.validations.rules()[-1]


async def test_exactly_this_call_passes_from_now_on(room: Room) -> None:
    rule = await remembered(room, Remember("exact"))
    again = await room.ask(MEDIUM)
    assert (again.decision, again.rule, again.state) == ("allow", rule.id, "decided")
    assert "allowed by olga: known" in again.reason
    (event,) = await room.events("verdict.allowed")
    assert event.value["by"] == "rule"
    assert (await room.ask("rm -rf src/a")).decision == "escalate"
    assert (await room.ask(MEDIUM, agent="ben")).decision == "escalate"


async def test_for_anyone(room: Room) -> None:
    await remembered(room, Remember("exact", anyone=True))
    assert (await room.ask(MEDIUM, agent="ben")).decision == "allow"


async def test_a_deny_is_remembered_too(room: Room) -> None:
    await remembered(room, Remember("exact"), verdict="deny")
    assert (await room.ask(MEDIUM)).decision == "deny"


async def test_similar_calls_pass(room: Room) -> None:
    await remembered(room, Remember("similar"))
    assert (await room.ask("rm -r -f src/deep")).decision == "allow"
    assert (await room.ask("rm -rf ~/elsewhere")).decision == "escalate"
    assert (await room.ask(f"rm -rf src; {HIGH}")).decision == "escalate"
    assert (await room.ask("unknown-tool; rm -rf src")).decision == "escalate"


async def test_a_rule_never_lifts_a_deny(room: Room) -> None:
    await remembered(room, Remember("similar", anyone=True))
    assert (await room.ask("rm -rf src /")).decision == "deny"


async def test_a_rule_of_medium_decides_nothing_graver(room: Room) -> None:
    rule = await remembered(room, Remember("similar"))
    assert rule.tier == "medium"
    assert (await room.ask("rm -rf .")).decision != "allow"


async def test_what_is_not_understood_is_remembered_exactly_or_not_at_all(room: Room) -> None:
    asked = await room.ask("unknown-tool --all")
    with pytest.raises(BadAnswer, match="not understood"):
        await room.validations.answer(asked.id, OLGA, "approve", "known", Remember("similar"))
    assert room.validations.pending()  # nothing was answered
    await room.validations.answer(asked.id, OLGA, "approve", "known", Remember("exact"))
    assert (await room.ask("unknown-tool --all")).decision == "allow"


async def test_experts_make_no_rules(room: Room) -> None:
    await room.expert(EVE, "security")
    asked = await room.ask()
    with pytest.raises(NotAllowed):
        await room.validations.answer(asked.id, EVE, "approve", "known", Remember("exact"))
    assert (await room.validations.get(asked.id)).state == "pending"


async def test_a_rule_ends_in_time(room: Room, clock: Clock) -> None:
    await remembered(room, Remember("exact", seconds=60))
    clock.ahead += 59
    assert (await room.ask(MEDIUM)).decision == "allow"
    clock.ahead += 2
    assert room.validations.rules() == []
    assert (await room.ask(MEDIUM)).decision == "escalate"


async def test_a_rule_outlives_a_restart_and_ends_by_revocation(room: Room) -> None:
    rule = await remembered(room, Remember("exact"))
    await room.again()
    assert [one.id for one in room.validations.rules()] == [rule.id]
    assert (await room.ask(MEDIUM)).decision == "allow"
    with pytest.raises(NotAllowed):
        await room.validations.revoke_rule(rule.id, EVE)
    await room.validations.revoke_rule(rule.id, OLGA, "no more")
    assert (await room.ask(MEDIUM)).decision == "escalate"
    await room.again()
    assert room.validations.rules() == []
    with pytest.raises(NoSuchRule):
        await room.validations.revoke_rule(rule.id, OLGA)


async def test_a_link_that_leads_elsewhere_makes_it_another_call(room: Room) -> None:
    link = room.project / "out"
    link.symlink_to("src")
    await remembered(room, Remember("exact"), "rm -rf out/")
    assert (await room.ask("rm -rf out/")).decision == "allow"
    link.unlink()
    link.symlink_to("/home/ann/other")
    assert (await room.ask("rm -rf out/")).decision != "allow"


async def test_of_two_rules_the_one_that_denies_counts(room: Room) -> None:
    first = await room.ask("rm -rf src/a")
    second = await room.ask("rm -rf src/b")
    await room.validations.answer(first.id, OLGA, "approve", "fine", Remember("similar"))
    await room.validations.answer(second.id, OLGA, "deny", "not this one", Remember("exact"))
    assert (await room.ask("rm -rf src/b")).decision == "deny"
    assert (await room.ask("rm -rf src/c")).decision == "allow"
