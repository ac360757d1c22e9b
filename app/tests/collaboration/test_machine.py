"""Sessions against a model: begun, taken part in by several at once, run out, restarted, in doubt."""

import asyncio
import contextlib
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lighthouse.annotations import Target
from lighthouse.collaboration import Collaboration
from lighthouse.errors import LighthouseError
from lighthouse.events import Draft, Event, StoreUnavailable
from lighthouse.keys import KeyRing
from lighthouse.sessions.tokens import Identity
from tests.collaboration.conftest import ANN, BEN, CAT, DAN, OLGA, Clock, Room, waiting

T = TypeVar("T")
KEYRING = KeyRing(b"only-for-tests-0123456789-abcdef")
WHO = {one.agent_id: one for one in (ANN, BEN, CAT, DAN, OLGA)}
VERBS = ("join", "accept", "decline", "say", "suggest", "review", "leave", "complete", "close")
QUICK_IDLE, SLOW_IDLE = 60, 3600

agents = st.sampled_from(sorted(WHO))
partners = st.sampled_from(["ben", "cat"])
verbs = st.sampled_from(VERBS)


class Model:
    """One session by rules of its own, as the log tells it."""

    def __init__(self, event: Event) -> None:
        told = event.value
        self.pair = event.type == "pair.requested"
        self.starter = event.agent_id
        self.asked = [told["to"]] if self.pair else told["with"]
        self.inside = {event.agent_id}
        self.out: set[str] = set()
        self.phase = "requested" if self.pair else "open"
        self.suggested: dict[str, str] = {}
        self.verdicts: dict[str, str] = {}
        self.seqs = [event.seq]

    def take(self, event: Event) -> None:
        """The event must be one that may happen now."""
        told, who = event.value, event.agent_id
        family, _, verb = event.type.partition(".")
        assert family == ("pair" if self.pair else "collaboration")
        assert self.phase in ("open", "requested", "active"), "something happened after the end"
        self.seqs.append(event.seq)
        getattr(self, f"on_{verb}")(who, told, event)

    def on_joined(self, who: str, told: dict[str, Any], event: Event) -> None:
        assert who not in self.inside
        assert who in self.asked or who in (self.starter, "olga")
        self.inside.add(who)
        self.out.discard(who)

    def on_accepted(self, who: str, told: dict[str, Any], event: Event) -> None:
        assert (self.phase, [who]) == ("requested", self.asked)
        self.phase = "active"
        self.inside.add(who)

    def on_declined(self, who: str, told: dict[str, Any], event: Event) -> None:
        assert (self.phase, [who]) == ("requested", self.asked)
        self.phase = "declined"

    def on_said(self, who: str, told: dict[str, Any], event: Event) -> None:
        assert who in self.inside
        assert self.phase in ("open", "active")

    def on_suggested(self, who: str, told: dict[str, Any], event: Event) -> None:
        assert (who in self.inside, self.phase) == (True, "active")
        self.suggested[f"s{event.seq}"] = who

    def on_reviewed(self, who: str, told: dict[str, Any], event: Event) -> None:
        assert (who in self.inside, self.phase) == (True, "active")
        assert self.suggested[told["suggestion"]] != who
        assert told["suggestion"] not in self.verdicts
        self.verdicts[told["suggestion"]] = told["verdict"]

    def on_left(self, who: str, told: dict[str, Any], event: Event) -> None:
        assert who in self.inside or (who in self.asked and who not in self.out)
        self.inside.discard(who)
        self.out.add(who)

    def on_completed(self, who: str, told: dict[str, Any], event: Event) -> None:
        assert (who in self.inside, self.phase) == (True, "active")
        self.phase = "completed"

    def on_closed(self, who: str, told: dict[str, Any], event: Event) -> None:
        match told["how"]:
            case "idle":
                assert who == "lighthouse"
            case "empty":
                assert not self.inside
            case how:
                assert how == "closed"
                assert who == "olga" or (who in self.inside if self.pair else who == self.starter)
        self.phase = "closed"

    def agrees(self, session: Collaboration) -> None:
        """What is told of the session is what the log says."""
        assert session.state == self.phase
        assert set(session.members) == self.inside
        assert len(session.members) == len(self.inside)
        assert session.events == len(self.seqs)
        assert session.last_seq == self.seqs[-1]
        assert {one.id: one.agent_id for one in session.suggestions} == self.suggested
        assert {one.id: one.verdict for one in session.suggestions if one.verdict} == self.verdicts
        assert session.open_suggestions == len(self.suggested) - len(self.verdicts)


class Machine(RuleBasedStateMachine):
    """The model is the log itself; what callers see, are told and replay must agree with it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.runner = asyncio.Runner()
        self.clock = Clock()
        self.acknowledged: defaultdict[tuple[str, str], int] = defaultdict(int)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @initialize()
    def begin(self) -> None:
        self.room = Room(self.folder, KEYRING, self.clock)
        self.run(self.room.open())
        self.start("ann", ["ben", "cat"], SLOW_IDLE)
        self.request("ann", "ben", SLOW_IDLE)

    @rule(who=agents, asked=st.lists(partners, min_size=1, unique=True), idle=st.sampled_from([60, 3600]))
    def start(self, who: str, asked: list[str], idle: int) -> None:
        self.attempt(self.room.collaborations.begin(WHO[who], "so", asked, [], idle))

    @rule(who=agents, to=partners, idle=st.sampled_from([QUICK_IDLE, SLOW_IDLE, SLOW_IDLE]))
    def request(self, who: str, to: str, idle: int) -> None:
        self.attempt(self.room.collaborations.request(WHO[who], to, "so", [], idle))

    @rule(which=st.integers(0, 2), done=st.lists(st.tuples(agents, verbs), min_size=1, max_size=4))
    @precondition(lambda self: self.room.collaborations.going_on())
    def move(self, which: int, done: list[tuple[str, str]]) -> None:
        """Several at once, allowed or not."""
        session = self.pick(which)

        async def all_at_once() -> list[Any]:
            works = [self.doing(session, WHO[who], verb) for who, verb in done]
            return await asyncio.gather(*works, return_exceptions=True)

        for found in self.run(all_at_once()):
            assert not isinstance(found, BaseException) or isinstance(found, LighthouseError), found

    @rule(which=st.integers(0, 2))
    @precondition(lambda self: self.pairs())
    def go_through_a_pair(self, which: int) -> None:
        """What chance seldom finds: to be accepted, to suggest, and to be reviewed."""
        pairs = self.pairs()
        session = pairs[which % len(pairs)]
        first, second = WHO[session.agent_id], WHO[session.asked[0]]
        reviewed = [(first, "suggest"), (second, "review"), (second, "review")]
        for who, verb in [(second, "accept"), *reviewed, (second, "suggest")]:
            self.attempt(self.doing(session, who, verb))

    @rule(which=st.integers(0, 2), who=agents, verb=verbs, stored=st.booleans())
    @precondition(lambda self: self.room.collaborations.going_on())
    def move_while_the_store_fails(self, which: int, who: str, verb: str, stored: bool) -> None:
        """The append fails, and it is not known whether it is on disk."""
        session, store = self.pick(which), self.room.store
        before, append = session.events, store.append

        async def failing(drafts: Sequence[Draft], *, agent_id: str) -> list[Event]:
            if stored and drafts[0].stream == "collaborations":
                await append(drafts, agent_id=agent_id)
            raise StoreUnavailable("the disk", "is gone")

        store.append = failing  # type: ignore[method-assign]
        try:
            self.attempt(self.doing(session, WHO[who], verb))
        finally:
            store.append = append  # type: ignore[method-assign]
        assert session.events == before
        # Whatever is tried next finds out; here a look at the time does.
        for held in list(self.room.collaborations._held.values()):
            if held.unsure:
                self.run(self.made_sure(held))

    @rule(who=agents)
    def read_letters(self, who: str) -> None:
        """Nothing comes that was acknowledged, and of each session at most one letter."""

        async def read() -> list[tuple[str, str, int]]:
            reader = self.room.mail.open(who)
            letters = await waiting(reader)
            for number, _ in letters:
                reader.acknowledge(number)
            self.room.mail.close(who, reader)
            return [(letter.kind, letter.id, letter.seq) for _, letter in letters]

        letters = self.run(read())
        assert len({session_id for _, session_id, _ in letters}) == len(letters)
        for kind, session_id, seq in letters:
            if kind.endswith(".news"):
                assert seq > self.acknowledged[who, session_id], "it was acknowledged"
                self.acknowledged[who, session_id] = seq

    @rule(seconds=st.sampled_from([61, 61, 3601]))
    def time_passes(self, seconds: float) -> None:
        self.clock.ahead = seconds
        self.run(self.room.collaborations.expire())
        assert all(one.idle_seconds > seconds for one in self.room.collaborations.going_on())
        self.clock.ahead = 0

    @rule()
    def restart(self) -> None:
        self.run(self.room.again())

    @invariant()
    def what_is_seen_and_replayed_is_what_the_log_says(self) -> None:
        if not hasattr(self, "room"):
            return
        models: dict[str, Model] = {}
        logged: defaultdict[str, list[Event]] = defaultdict(list)
        for event in self.run(self.room.events()):
            if event.type in ("collaboration.started", "pair.requested"):
                session_id = f"c{event.seq}"
                models[session_id] = Model(event)
            else:
                session_id = event.value["id"]
                models[session_id].take(event)
            logged[session_id].append(event)
        for session_id, model in models.items():
            model.agrees(self.run(self.room.collaborations.get(session_id)))
            replayed = self.run(self.room.replay(session_id, 7))
            assert [(one.seq, one.type, one.agent_id) for one in replayed] == [
                (one.seq, one.type, one.agent_id) for one in logged[session_id]
            ]
            assert all(one.note is not None for one in replayed if one.type == "pair.suggested")
        going_on = {one.id for one in self.room.collaborations.going_on()}
        assert going_on == {
            one for one, model in models.items() if model.phase in ("open", "requested", "active")
        }

    def doing(self, session: Collaboration, by: Identity, verb: str) -> Coroutine[Any, Any, Any]:
        room = self.room.collaborations
        reviewable = [one.id for one in session.suggestions if one.verdict is None]
        reviewable = reviewable or [one.id for one in session.suggestions] or ["s0"]
        works: dict[str, Callable[[], Coroutine[Any, Any, Any]]] = {
            "say": lambda: room.say(session.id, by, "so"),
            "suggest": lambda: room.suggest(session.id, by, "so", Target("sums.py", line=2)),
            "review": lambda: room.review(session.id, by, reviewable[0], "accept"),
            "complete": lambda: room.complete(session.id, by, "done"),
            "close": lambda: room.close_session(session.id, by),
            "join": lambda: room.join(session.id, by),
            "accept": lambda: room.accept(session.id, by),
            "decline": lambda: room.decline(session.id, by),
            "leave": lambda: room.leave(session.id, by),
        }
        return works[verb]()

    def attempt(self, work: Coroutine[Any, Any, Any]) -> None:
        async def attempted() -> None:
            # Refused is fine: the log tells whether it was so.
            with contextlib.suppress(LighthouseError):
                await work

        self.run(attempted())

    async def made_sure(self, held: Any) -> None:
        async with held.turn:
            await self.room.collaborations._make_sure(held)

    def pairs(self) -> list[Collaboration]:
        return [one for one in self.room.collaborations.going_on() if one.kind == "pair"]

    def pick(self, which: int) -> Collaboration:
        sessions = self.room.collaborations.going_on()
        return sessions[-1 - which % len(sessions)]

    def teardown(self) -> None:
        if hasattr(self, "room"):
            self.run(self.room.close())
        self.runner.close()
        shutil.rmtree(self.folder)


QUICK = settings(
    max_examples=8, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)
LONG = settings(QUICK, max_examples=150, stateful_step_count=50)

TestMachine = Machine.TestCase
TestMachine.settings = QUICK


@pytest.mark.soak
@pytest.mark.timeout(1200)
class TestLong(Machine.TestCase):  # type: ignore[misc]
    settings = LONG
