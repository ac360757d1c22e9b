"""Questions against a model: asked, answered by several at once, run out, restarted, the store failing."""

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

from lighthouse.elicitation import BadReply, Question, QuestionClosed
from lighthouse.elicitation.questions import ASKED
from lighthouse.events import Draft, Event, StoreUnavailable
from lighthouse.keys import KeyRing
from lighthouse.sessions import NotAllowed
from tests.elicitation.conftest import Clock, Room

T = TypeVar("T")
KEYRING = KeyRing(b"only-for-tests-0123456789-abcdef")
AGENTS = st.sampled_from(["ann", "bob", "eve"])
REPLIES = st.sampled_from([("accept", {"ok": True}), ("accept", {"ok": 1}), ("decline", None)])


class Machine(RuleBasedStateMachine):
    """The model is the log itself, read by rules of its own; what callers were told must agree with it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.runner = asyncio.Runner()
        self.clock = Clock()
        self.keys: dict[tuple[str, str, str], str] = {}
        self.ended: dict[str, str] = {}
        self.waiters: list[asyncio.Task[Question]] = []

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @initialize()
    def begin(self) -> None:
        self.room = Room(self.folder, KEYRING, self.clock)
        self.run(self.room.open())

    @rule(who=AGENTS, to=AGENTS, seconds=st.sampled_from([20, 500]), times=st.integers(1, 3))
    @precondition(lambda self: len(self.room.questions.pending()) < 6)
    def ask(self, who: str, to: str, seconds: int, times: int) -> None:
        if who != to:
            # The clock of the test runs ahead of the log's.
            left = seconds + round(self.clock.ahead)

            async def many() -> list[Question]:
                return await asyncio.gather(*(self.room.ask(who, to, seconds=left) for _ in range(times)))

            assert len({one.id for one in self.run(many())}) == times

    @rule(who=AGENTS, to=AGENTS, key=st.sampled_from(["k", "l"]), times=st.integers(1, 3))
    def ask_by_key(self, who: str, to: str, key: str, times: int) -> None:
        if who == to or any(one[:2] == (who, key) and one[2] != to for one in self.keys):
            return

        async def many() -> list[Question]:
            asked = (self.room.ask(who, to, seconds=5000, key=key) for _ in range(times))
            return await asyncio.gather(*asked)

        (found,) = {one.id for one in self.run(many())}
        assert self.keys.setdefault((who, key, to), found) == found

    @rule(which=st.integers(0, 5))
    @precondition(lambda self: self.room.questions.pending())
    def wait(self, which: int) -> None:
        async def begun() -> asyncio.Task[Question]:
            task = asyncio.create_task(self.room.questions.get(self.pick(which).id, 600))
            await asyncio.sleep(0)
            return task

        self.waiters.append(self.run(begun()))

    @rule(which=st.integers(0, 5), said=st.lists(st.tuples(AGENTS, REPLIES), min_size=1, max_size=4))
    @precondition(lambda self: self.room.questions.pending())
    def answer(self, which: int, said: list[tuple[str, tuple[Any, Any]]]) -> None:
        """Several answers at once, and the end of the time among them."""
        asked = self.pick(which)

        async def all_at_once() -> list[Question | BaseException]:
            works = [self.reply(asked, who, *reply) for who, reply in said]
            found = await asyncio.gather(*works, self.room.questions.expire(), return_exceptions=True)
            return [one for one in found if isinstance(one, Question | BaseException)]

        found = self.run(all_at_once())
        assert sum(isinstance(one, Question) for one in found) <= 1
        for one in found:
            if isinstance(one, Question):
                assert one.state in ("accepted", "declined")
                assert self.ended.setdefault(one.id, one.state) == one.state
            else:
                assert isinstance(one, QuestionClosed | BadReply | NotAllowed), one

    def reply(self, asked: Question, who: str, action: Any, content: Any) -> Coroutine[Any, Any, Question]:
        more = {"content": content} if action == "accept" else {}
        return self.room.questions.answer(asked.id, who, action, **more)

    @rule(which=st.integers(0, 5), action=st.sampled_from(["accept", "decline"]), stored=st.booleans())
    @precondition(lambda self: self.room.questions.pending())
    def answer_while_the_store_fails(self, which: int, action: str, stored: bool) -> None:
        asked, store = self.pick(which), self.room.store
        append = store.append

        async def failing(drafts: Sequence[Draft], *, agent_id: str) -> list[Event]:
            if stored:
                await append(drafts, agent_id=agent_id)
            raise StoreUnavailable("the disk", "is gone")

        store.append = failing  # type: ignore[method-assign]
        try:
            with pytest.raises((StoreUnavailable, QuestionClosed)):
                self.run(self.reply(asked, asked.to, action, {"ok": False}))
        finally:
            store.append = append  # type: ignore[method-assign]

    @rule(seconds=st.sampled_from([10, 30, 300]))
    def time_passes(self, seconds: float) -> None:
        self.clock.ahead += seconds
        self.run(self.room.questions.expire())

    @rule()
    def restart(self) -> None:
        async def again() -> None:
            await self.room.close()
            await asyncio.gather(*self.waiters)
            await self.room.open()

        self.run(again())
        self.waiters.clear()

    @invariant()
    def what_callers_see_is_what_the_log_says(self) -> None:
        if not hasattr(self, "room"):
            return
        unsure = {held.question.id for held in self.room.questions._held.values() if held.unsure}
        logged = self.run(self.read_log())
        for question_id, state in logged.items():
            seen = self.run(self.room.questions.get(question_id))
            assert seen.state == ("pending" if question_id in unsure else state)
            assert self.ended.get(question_id, state) == state
        waiting = {one.id for one in self.room.questions.pending()}
        assert waiting <= {one for one, state in logged.items() if state == "pending" or one in unsure}
        assert waiting == {
            letter.id
            for who in ("ann", "bob", "eve")
            for letter in self.room.questions.open_letters(who)
            if letter.kind == ASKED
        }
        self.run(asyncio.sleep(0))
        for waiter in self.waiters:
            if waiter.done():
                assert waiter.result().state == logged[waiter.result().id]

    async def read_log(self) -> dict[str, str]:
        """Each question with its state; none may end twice."""
        states: dict[str, str] = {}
        to: dict[str, str] = {}
        for event in await self.room.events():
            told = event.value
            if event.type == "elicitation.created":
                states[f"q{event.seq}"], to[f"q{event.seq}"] = "pending", told["to"]
            elif event.type in ("elicitation.answered", "elicitation.expired"):
                assert states[told["id"]] == "pending", "it ended twice"
                if event.type == "elicitation.answered":
                    assert event.agent_id == to[told["id"]]
                    states[told["id"]] = "accepted" if told["action"] == "accept" else "declined"
                else:
                    states[told["id"]] = "expired"
        return states

    def pick(self, which: int) -> Question:
        waiting = self.room.questions.pending()
        return waiting[which % len(waiting)]

    def teardown(self) -> None:
        if hasattr(self, "room"):
            self.run(self.room.close())
            self.run(asyncio.sleep(0))
        self.runner.close()
        shutil.rmtree(self.folder)


QUICK = settings(
    max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
LONG = settings(QUICK, max_examples=200, stateful_step_count=50)

TestMachine = Machine.TestCase
TestMachine.settings = QUICK


@pytest.mark.soak
@pytest.mark.timeout(1200)
class TestLong(Machine.TestCase):  # type: ignore[misc]
    settings = LONG
