"""The registry: who is there, who is asked first, who is gone, and what a restart brings back."""

from collections.abc import Sequence

import msgspec
import pytest

from lighthouse.events import Draft, EventStore, Query
from lighthouse.experts import BadExpert, Capabilities, Experts
from lighthouse.experts.expert import GRACE_SECONDS
from lighthouse.mailbox import Mail, TooManySockets
from tests.conftest import WaitFor
from tests.experts.conftest import EXPERT_SECONDS, Begin, Clock
from tests.experts.test_capabilities import Needs

SECURITY = Capabilities("security")
NEEDS = Needs(("python",), ("src/a.py",), ("send",))


class Answer(msgspec.Struct):
    agent_id: str


class Request(msgspec.Struct):
    id: str = "v1"
    seq: int = 1
    state: str = "pending"
    answers: list[Answer] = []


async def register(experts: Experts, agent: str, ttl: float = 60, **limits: Sequence[str]) -> None:
    await experts.register(agent, Capabilities("security", **limits), ttl)


def best(experts: Experts, needs: Needs = NEEDS, tier: str = "medium", without: str = "ann") -> list[str]:
    return [expert.agent_id for expert in experts.matching(needs, tier, without)]


async def types(store: EventStore) -> list[tuple[str, str]]:
    events = (await store.query(Query(stream="experts", limit=1000))).events
    return [(event.type, event.agent_id) for event in events]


async def test_registering_is_an_event_and_the_same_again_is_none(
    experts: Experts, store: EventStore
) -> None:
    first = await experts.register("eve", SECURITY, 60)
    assert (first.alive, first.speciality, first.seq) == (True, "security", 1)
    assert await experts.register("eve", SECURITY, 60) == first
    changed = await experts.register("eve", Capabilities("database"), 60)
    assert (changed.speciality, changed.seq) == ("database", 2)
    assert experts.all() == [changed]
    assert await types(store) == [("expert.registered", "eve")] * 2


async def test_what_makes_no_sense_changes_nothing(experts: Experts, store: EventStore) -> None:
    with pytest.raises(BadExpert):
        await experts.register("eve", Capabilities("security", languages=("cobol",)), 60)
    assert experts.all() == []
    assert await types(store) == []


async def test_alive_for_as_long_as_it_is_heard_of(experts: Experts, clock: Clock) -> None:
    await register(experts, "eve", ttl=60)
    clock.now += 59
    experts.heard("eve")
    clock.now += 59
    assert best(experts) == ["eve"]
    clock.now += 2
    assert best(experts) == []
    assert not experts.all()[0].alive
    experts.heard("eve")
    assert best(experts) == ["eve"]


async def test_a_socket_keeps_alive_and_its_end_counts_sooner_than_the_time(
    experts: Experts, mail: Mail, clock: Clock
) -> None:
    await register(experts, "eve", ttl=600)
    reader = mail.open("eve")
    clock.now += 10_000
    assert best(experts) == ["eve"]
    mail.close("eve", reader)
    assert best(experts) == ["eve"]
    clock.now += GRACE_SECONDS
    assert best(experts) == []


async def test_who_only_listens_is_no_expert(experts: Experts, mail: Mail) -> None:
    reader = mail.open("otto")
    experts.heard("otto")
    assert mail.sockets == 1
    assert experts.all() == []
    assert best(experts) == []
    mail.close("otto", reader)
    assert mail.sockets == 0


async def test_an_agent_has_few_sockets(experts: Experts, mail: Mail) -> None:
    for _ in range(4):
        mail.open("eve")
    with pytest.raises(TooManySockets):
        mail.open("eve")
    mail.open("fred")


async def test_the_most_precise_first_then_the_least_busy_then_the_most_reliable(
    experts: Experts, store: EventStore, wait_for: WaitFor
) -> None:
    for agent, limits in {
        "general": {},
        "ruby": {"languages": ["ruby"]},
        "python": {"languages": ["python"]},
        "sender": {"languages": ["python"], "risks": ["send"]},
        "ann": {},
    }.items():
        await register(experts, agent, **{name: tuple(words) for name, words in limits.items()})
    assert best(experts) == ["sender", "python", "general"]
    await register(experts, "abel")
    assert best(experts) == ["sender", "python", "abel", "general"]
    experts.ask(["abel"], Request())
    assert best(experts) == ["sender", "python", "general", "abel"]
    experts.withdraw(Request())
    requested = Draft("validation.requested", {"asked": ["abel", "general"]}, "validations")
    [event] = await store.append([requested], agent_id="ann")
    request_id = f"v{event.seq}"
    await store.append([Draft("validation.answered", {"id": request_id}, "validations")], agent_id="general")
    over = {"id": request_id, "waited_seconds": EXPERT_SECONDS}
    await store.append([Draft("validation.resolved", over, "validations")], agent_id="olga")
    await wait_for(lambda: experts.get("abel").missed == 1)
    assert experts.get("general").answered == 1
    assert best(experts) == ["sender", "python", "general", "abel"]


async def test_what_others_decided_in_time_is_not_held_against_an_expert(
    experts: Experts, store: EventStore, wait_for: WaitFor
) -> None:
    await register(experts, "eve")
    requested = Draft("validation.requested", {"asked": ["eve"]}, "validations")
    for waited in (1.0, EXPERT_SECONDS + 1):
        [event] = await store.append([requested], agent_id="ann")
        over = {"id": f"v{event.seq}", "waited_seconds": waited}
        await store.append([Draft("validation.resolved", over, "validations")], agent_id="olga")
    await wait_for(lambda: experts.get("eve").missed == 1)


async def test_who_answered_has_it_no_longer_and_still_hears_of_the_end(
    experts: Experts, mail: Mail, store: EventStore, wait_for: WaitFor
) -> None:
    await register(experts, "eve")
    reader = mail.open("eve")
    request = Request()
    experts.ask(["eve"], request)
    assert (await reader.next())[1].kind == "validation.request"
    assert experts.get("eve").load == 1
    await store.append([Draft("validation.answered", {"id": "v1"}, "validations")], agent_id="eve")
    await wait_for(lambda: experts.get("eve").load == 0)
    request.state = "resolved"
    experts.withdraw(request)
    assert (await reader.next())[1].kind == "validation.resolved"


async def test_nobody_is_asked_the_same_twice(experts: Experts, mail: Mail) -> None:
    reader = mail.open("eve")
    request = Request()
    experts.ask(["eve"], request)
    number, _ = await reader.next()
    reader.acknowledge(number)
    experts.ask(["eve", "fred"], request)
    experts.withdraw(request)
    assert (await reader.next())[1].kind == "validation.withdrawn"


class Changes:
    """Counts how often somebody came or went."""

    def __init__(self, experts: Experts) -> None:
        self.count = 0
        experts.on_change = self

    async def __call__(self) -> None:
        self.count += 1


async def test_coming_and_going_is_noted_and_told_once(
    experts: Experts, mail: Mail, store: EventStore, clock: Clock, wait_for: WaitFor
) -> None:
    clock.now += GRACE_SECONDS
    changes = Changes(experts)
    await register(experts, "eve")
    await wait_for(lambda: changes.count == 1)
    await register(experts, "eve")
    reader = mail.open("eve")
    experts.ask(["eve"], Request("v7"))
    experts.ask(["eve"], Request("v8"))
    mail.close("eve", reader)
    clock.now += GRACE_SECONDS - 0.1
    await experts.look()
    assert (changes.count, experts.get("eve").alive) == (1, True)
    clock.now += 0.2
    await experts.look()
    await experts.look()
    assert (changes.count, experts.get("eve").alive) == (2, False)
    back = mail.open("eve")
    await experts.look()
    await experts.look()
    assert changes.count == 3
    assert {(await back.next())[1].id for _ in range(2)} == {"v7", "v8"}
    events = (await store.query(Query(stream="experts"))).events
    assert [(event.type, event.value.get("waiting")) for event in events[1:]] == [
        ("expert.left", ["v7", "v8"]),
        ("expert.returned", None),
    ]


async def test_asking_somebody_who_just_went_is_a_change(
    experts: Experts, clock: Clock, wait_for: WaitFor
) -> None:
    clock.now += GRACE_SECONDS
    await register(experts, "eve", ttl=10)
    clock.now += 10
    await experts.look()
    changes = Changes(experts)
    experts.ask(["eve"], Request())
    await wait_for(lambda: changes.count == 1)


async def test_a_restart_brings_experts_back_who_are_not_there_until_they_are_heard_of(
    begin: Begin, mail: Mail, store: EventStore, clock: Clock
) -> None:
    before = await begin()
    await register(before, "eve", languages=("python",))
    await register(before, "fred")
    await before.close()
    experts = await begin()
    changes = Changes(experts)
    assert [expert.agent_id for expert in experts.all()] == ["eve", "fred"]
    assert experts.get("eve").languages == ("python",)
    assert best(experts) == []
    experts.ask(["eve", "fred"], Request())
    reader = mail.open("eve")
    assert (await reader.next())[1].id == "v1"
    await experts.look()
    assert best(experts) == ["eve"]
    assert changes.count == 0  # fred may be about to come back
    clock.now += GRACE_SECONDS
    await experts.look()
    assert changes.count == 1
    assert (await types(store))[2:] == [("expert.left", "fred")]


async def test_who_answered_before_a_restart_is_not_asked_again_and_hears_of_the_end(
    begin: Begin, mail: Mail
) -> None:
    experts = await begin()
    reader = mail.open("eve")
    request = Request(answers=[Answer("eve")])
    experts.ask(["eve", "fred"], request)
    experts.ask(["eve"], Request("v2"))
    assert (await reader.next())[1].id == "v2"


async def test_who_registered_with_what_this_version_does_not_know_is_no_expert_any_more(
    begin: Begin, store: EventStore
) -> None:
    data = {"speciality": "old", "languages": ["cobol"], "paths": [], "risks": [], "ttl_seconds": 60}
    await store.append([Draft("expert.registered", data, "experts")], agent_id="eve")
    experts = await begin()
    assert experts.all() == []
    await register(experts, "eve")
    assert best(experts) == ["eve"]


async def test_how_experts_did_outlives_a_restart(begin: Begin, store: EventStore) -> None:
    await register(await begin(), "eve")
    requested = Draft("validation.requested", {"asked": ["eve"]}, "validations")
    [event] = await store.append([requested], agent_id="ann")
    answered = {"id": f"v{event.seq}", "verdict": "deny", "reason": "no"}
    await store.append([Draft("validation.answered", answered, "validations")], agent_id="eve")
    assert (await begin()).get("eve").answered == 1


async def test_who_covers_a_request_is_who_is_matched_for_it(experts: Experts, clock: Clock) -> None:
    await register(experts, "all")
    await register(experts, "here", paths=["src/"])
    await register(experts, "elsewhere", paths=["docs/"])
    await register(experts, "high", risks=["high"])
    await register(experts, "gone", ttl=10)
    clock.now += 20
    for tier in ("medium", "high"):
        for name in ("all", "here", "elsewhere", "high", "gone", "nobody"):
            covers = experts.covers(name, NEEDS, tier)
            assert covers == ("security" if name in best(experts, tier=tier) else None)
