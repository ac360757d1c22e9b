"""Requests against a model: asked, answered at once by several, run out, restarted, the store failing."""

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lighthouse.errors import LighthouseError
from lighthouse.events import Draft, Event, StoreUnavailable
from lighthouse.keys import KeyRing
from lighthouse.sessions import Role
from lighthouse.validation import AlreadyAnswered, AlreadyResolved, Outcome, Remember, Validation
from tests.validation.conftest import EVE, HIGH, KIM, MEDIUM, OLGA, Clock, Room, identity

T = TypeVar("T")
KEYRING = KeyRing(b"only-for-tests-0123456789-abcdef")
KIT = identity("kit", Role.EXPERT)
PETE = identity("pete", Role.ADMIN)
SPECIALITIES = {"eve": "security", "kit": "security", "kim": "packaging"}
PERSONS = {"olga", "pete"}
WHO = {one.agent_id: one for one in (OLGA, PETE, EVE, KIM, KIT)}

commands = st.sampled_from([MEDIUM, HIGH])
verdicts = st.sampled_from(["approve", "approve", "deny"])
answerers = st.sampled_from(sorted(WHO))


class Machine(RuleBasedStateMachine):
    """The model is the log itself, read by rules of its own; what callers were told must agree with it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.runner = asyncio.Runner()
        self.clock = Clock()
        self.over = False
        self.told: dict[str, str] = {}
        self.waiters: list[asyncio.Task[Validation]] = []

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @initialize()
    def begin(self) -> None:
        self.room = Room(self.folder, KEYRING, self.clock)

        async def started() -> None:
            await self.room.open()
            for who, speciality in SPECIALITIES.items():
                await self.room.expert(WHO[who], speciality)

        self.run(started())

    @rule(command=commands, times=st.integers(1, 3))
    def ask(self, command: str, times: int) -> None:
        """All at once, they are one request; unless a remembered rule decides them."""

        async def many() -> list[Outcome]:
            return await asyncio.gather(*(self.room.ask(command) for _ in range(times)))

        found = self.run(many())
        assert all(one.rule.startswith("r") for one in found if one.state == "decided")
        assert len({one.id for one in found if one.state != "decided"}) <= 1

    @rule(which=st.integers(0, 1))
    @precondition(lambda self: self.room.validations.pending())
    def wait(self, which: int) -> None:
        async def begun() -> asyncio.Task[Validation]:
            task = asyncio.create_task(self.room.validations.get(self.pick(which).id, 600))
            await asyncio.sleep(0)
            return task

        self.waiters.append(self.run(begun()))

    @rule(
        which=st.integers(0, 1),
        said=st.lists(st.tuples(answerers, verdicts), min_size=1, max_size=3),
        remember=st.sampled_from([False, False, False, True]),
        late=st.sampled_from([False, False, False, True]),
    )
    @precondition(lambda self: self.room.validations.pending())
    def answer(self, which: int, said: list[tuple[str, str]], remember: bool, late: bool) -> None:
        """Several answers at once, and perhaps the end of the time among them."""
        asked = self.pick(which)

        async def all_at_once() -> list[Validation | BaseException | None]:
            works: list[Any] = []
            for who, verdict in said:
                wish = Remember("exact", 100) if remember and who in PERSONS else None
                works.append(self.room.validations.answer(asked.id, WHO[who], verdict, "so", wish))  # type: ignore[arg-type]
            if late:
                self.clock.ahead += 290
                works.append(self.expire())
            self.over = self.clock() >= asked.deadline
            return await asyncio.gather(*works, return_exceptions=True)

        for found in self.run(all_at_once()):
            if isinstance(found, BaseException):
                assert isinstance(found, AlreadyAnswered | AlreadyResolved), found
                continue
            assert found is None or not self.over, "an answer counted after its time"
            if found is not None and found.state == "resolved":
                assert self.told.setdefault(found.id, found.decision) == found.decision

    async def expire(self) -> None:
        await self.room.validations.expire()

    @rule(
        which=st.integers(0, 1), who=answerers, verdict=verdicts, stored=st.sampled_from([True, True, False])
    )
    @precondition(lambda self: self.room.validations.pending())
    def answer_while_the_store_fails(self, which: int, who: str, verdict: str, stored: bool) -> None:
        """The append fails, and it is not known whether it is on disk."""
        asked, store = self.pick(which), self.room.store
        append = store.append

        async def failing(drafts: Sequence[Draft], *, agent_id: str) -> list[Event]:
            if stored:
                await append(drafts, agent_id=agent_id)
            raise StoreUnavailable("the disk", "is gone")

        store.append = failing  # type: ignore[method-assign]
        try:
            with pytest.raises(LighthouseError) as raised:
                self.run(self.room.validations.answer(asked.id, WHO[who], verdict, "so"))  # type: ignore[arg-type]
            assert isinstance(raised.value, StoreUnavailable | AlreadyAnswered | AlreadyResolved)
        finally:
            store.append = append  # type: ignore[method-assign]
        assert self.run(self.room.validations.get(asked.id)).state == "pending"

    @rule(seconds=st.sampled_from([20, 40, 150]))
    def time_passes(self, seconds: float) -> None:
        self.clock.ahead += seconds
        self.run(self.room.validations.expire())

    @rule()
    @precondition(lambda self: self.room.validations.rules())
    def revoke(self) -> None:
        self.run(self.room.validations.revoke_rule(self.room.validations.rules()[0].id, OLGA))

    @rule()
    def restart(self) -> None:
        async def again() -> None:
            await self.room.close()
            await asyncio.gather(*self.waiters)
            await self.room.open()
            for who, speciality in SPECIALITIES.items():
                await self.room.expert(WHO[who], speciality)

        self.run(again())
        self.waiters.clear()

    @invariant()
    def what_callers_see_is_what_the_log_says(self) -> None:
        if not hasattr(self, "room"):
            return
        unsure = {held.validation.id for held in self.room.validations._waiting.all() if held.unsure}
        logged = self.run(self.read_log())
        for validation_id, decided in logged.items():
            seen = self.run(self.room.validations.get(validation_id))
            if decided is not None and validation_id not in unsure:
                assert (seen.state, seen.decision) == ("resolved", decided)
            else:
                # Whatever the disk holds: nobody was told yes before it was certain.
                assert (seen.state, seen.decision) == ("pending", "escalate")
                assert validation_id in unsure or not self.decides(seen), (
                    "all is said, and nothing is decided"
                )
            if validation_id in self.told:
                assert self.told[validation_id] == decided
        self.run(asyncio.sleep(0))
        for waiter in self.waiters:
            if waiter.done():
                found = waiter.result()
                assert found.decision == logged[found.id]
        open_ids = {one.id for one in self.room.validations.pending()}
        assert open_ids == {one for one, decided in logged.items() if decided is None or one in unsure}

    async def read_log(self) -> dict[str, str | None]:
        """Each request with its decision; none may end twice, nor be answered twice by one."""
        decided: dict[str, str | None] = {}
        tiers: dict[str, int] = {}
        answers: dict[str, dict[str, str]] = {}
        for event in await self.room.events("validation.*"):
            told = event.value
            if event.type == "validation.requested":
                decided[f"v{event.seq}"], tiers[f"v{event.seq}"] = None, told["quorum"]
                answers[f"v{event.seq}"] = {}
            elif event.type == "validation.answered":
                assert decided[told["id"]] is None, "it was answered after its end"
                assert event.agent_id not in answers[told["id"]], "somebody answered twice"
                answers[told["id"]][event.agent_id] = told["verdict"]
            elif event.type == "validation.resolved" and decided[told["id"]] is not None:
                pytest.fail("it was decided twice")
            elif event.type == "validation.resolved":
                decided[told["id"]] = told["decision"]
                self.check(told, event.agent_id, answers[told["id"]], tiers[told["id"]])
        return decided

    def check(self, told: dict[str, Any], by: str, answers: dict[str, str], quorum: int) -> None:
        """The end follows from the answers before it."""
        if told["how"] == "timeout":
            assert (told["decision"], by) == ("deny", "lighthouse")
        elif told["how"] == "person":
            assert by in PERSONS
            assert told["decision"] == ("allow" if answers[by] == "approve" else "deny")
        elif told["decision"] == "deny":
            assert "deny" in answers.values()
        else:
            approving = {SPECIALITIES[who] for who, verdict in answers.items() if verdict == "approve"}
            assert len(approving) >= quorum
            assert "deny" not in answers.values()

    def decides(self, seen: Validation) -> bool:
        words = {answer.verdict for answer in seen.answers}
        approving = {SPECIALITIES.get(answer.agent_id) for answer in seen.answers}
        assert not PERSONS & {answer.agent_id for answer in seen.answers}
        return "deny" in words or len(approving) >= (seen.quorum or 1)

    def pick(self, which: int) -> Validation:
        waiting = self.room.validations.pending()
        return waiting[which % len(waiting)]

    def teardown(self) -> None:
        if hasattr(self, "room"):
            self.run(self.room.close())
            self.run(asyncio.sleep(0))
        self.runner.close()
        shutil.rmtree(self.folder)


QUICK = settings(
    max_examples=8, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
LONG = settings(QUICK, max_examples=150, stateful_step_count=50)

TestMachine = Machine.TestCase
TestMachine.settings = QUICK


@pytest.mark.soak
@pytest.mark.timeout(1200)
class TestLong(Machine.TestCase):  # type: ignore[misc]
    settings = LONG
