"""Any order of what agents do with tasks, of time that passes, and of restarts: as a model has it."""

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from lighthouse.errors import LighthouseError
from lighthouse.keys import KeyRing
from lighthouse.tasks import Task
from tests.conftest import TEST_SECRET
from tests.tasks.conftest import PYTHON, Room, identity

AGENTS = ("abe", "bea", "cid")
LEASE, DEADLINE, RETRIES = 300, 3000, 1


class Model:
    """A task as it should be."""

    def __init__(self, to: str | None, at: float) -> None:
        self.to = to
        self.state = "pending"
        self.holder = ""
        self.attempt = 1
        self.lease = 0.0
        self.deadline = at + DEADLINE

    def lose(self) -> None:
        self.state, self.holder = ("failed", self.holder) if self.attempt > RETRIES else ("pending", "")
        self.attempt += self.state == "pending"

    def pass_time(self, now: float) -> None:
        if self.state in ("pending", "claimed") and self.deadline <= now:
            self.state = "failed"
        elif self.state == "claimed" and self.lease <= now:
            self.lose()


class Work(RuleBasedStateMachine):
    """`abe` and `bea` are experts for Python, `cid` is none. Time passes only when a rule says so."""

    tasks = Bundle("tasks")
    agents = st.sampled_from(AGENTS)

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.room = Room(Path(self.folder.name), KeyRing(TEST_SECRET))
        self.model: dict[str, Model] = {}
        self.runner.run(self.begin())

    async def begin(self) -> None:
        await self.room.open()
        await self.come()

    async def come(self) -> None:
        """Everybody is there, and stays: this is about leases. Going away has tests of its own."""
        for name in AGENTS:
            self.room.presence.heard(name)
        for name in ("abe", "bea"):
            await self.room.register(name, languages=("python",))

    def now(self) -> float:
        return self.room.clock.ahead

    @rule(target=tasks, to=st.sampled_from((*AGENTS, None)))
    def dispatch(self, to: str | None) -> str:
        task = self.runner.run(
            self.room.dispatch(to or PYTHON, retries=RETRIES, lease_seconds=LEASE, deadline_seconds=DEADLINE)
        )
        self.model[task.id] = Model(to, self.now())
        return task.id

    def try_it(self, may: bool, doing: object) -> None:
        if may:
            self.runner.run(doing)  # type: ignore[arg-type]
        else:
            with pytest.raises(LighthouseError):
                self.runner.run(doing)  # type: ignore[arg-type]

    @rule(task=tasks, agent=agents)
    def claim(self, task: str, agent: str) -> None:
        one = self.model[task]
        may = one.state == "pending" and (agent == one.to or (one.to is None and agent != "cid"))
        self.try_it(may, self.room.tasks.claim(task, agent))
        if may:
            one.state, one.holder, one.lease = "claimed", agent, self.now() + LEASE

    @rule(task=tasks, agent=agents)
    def progress(self, task: str, agent: str) -> None:
        one = self.model[task]
        may = one.state == "claimed" and one.holder == agent
        self.try_it(may, self.room.tasks.progress(task, agent, "on it"))
        if may:
            one.lease = self.now() + LEASE

    @rule(task=tasks, agent=agents)
    def complete(self, task: str, agent: str) -> None:
        one = self.model[task]
        mine = one.holder == agent and one.state in ("claimed", "completed")
        self.try_it(mine, self.room.tasks.complete(task, agent, agent))
        if mine:
            one.state = "completed"

    @rule(task=tasks, agent=agents, retry=st.booleans())
    def fail(self, task: str, agent: str, retry: bool) -> None:
        one = self.model[task]
        may = one.state == "claimed" and one.holder == agent
        self.try_it(may, self.room.tasks.fail(task, agent, "no", retry=retry))
        if may and retry:
            one.lose()
        elif may:
            one.state = "failed"

    @rule(task=tasks, by=st.sampled_from(("ann", "abe")))
    def cancel(self, task: str, by: str) -> None:
        one = self.model[task]
        may = by == "ann" and one.state in ("pending", "claimed")
        self.try_it(may, self.room.tasks.cancel(task, identity(by), "no"))
        if may:
            one.state = "cancelled"

    @rule(seconds=st.sampled_from((10, LEASE + 1, DEADLINE // 2)))
    def wait(self, seconds: int) -> None:
        self.room.clock.ahead += seconds
        self.runner.run(self.come())
        self.runner.run(self.room.tasks.look())
        for one in self.model.values():
            one.pass_time(self.now())

    @rule()
    def restart(self) -> None:
        before = self.known()
        self.runner.run(self.room.close())
        self.runner.run(self.begin())
        after = self.known()
        assert {one: after[one].state for one in after} == {one: before[one].state for one in before}
        assert {one: after[one].notes for one in after} == {one: before[one].notes for one in before}

    def known(self) -> dict[str, Task]:
        return {task.id: task for task in self.room.tasks.all()}

    @invariant()
    def it_is_as_the_model_has_it(self) -> None:
        known = self.known()
        assert known.keys() == self.model.keys()
        for name, one in self.model.items():
            task = known[name]
            assert (task.state, task.attempt) == (one.state, one.attempt)
            if one.state in ("claimed", "completed"):
                assert task.holder == one.holder

    @invariant()
    def the_load_is_what_the_tasks_say(self) -> None:
        for name in AGENTS:
            carried = sum(name in task.carriers for task in self.known().values())
            assert self.room.tasks.load(name) == carried

    @invariant()
    def each_is_told_just_what_it_may_claim_or_has_to_know(self) -> None:
        for name in (*AGENTS, "ann"):
            for letter in self.room.tasks.open_letters(name):
                task = self.known()[letter.id]
                if letter.kind == "task.offered":
                    assert task.state == "pending"
                    assert name in task.offered
                else:
                    assert task.ended
                    assert name in (task.agent_id, task.holder)
                    assert name != task.ended_by

    def teardown(self) -> None:
        self.runner.run(self.room.close())
        self.runner.close()
        self.folder.cleanup()


TestWork = Work.TestCase
TestWork.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)


@pytest.mark.soak
@pytest.mark.timeout(1200)
class TestLong(Work.TestCase):  # type: ignore[misc]
    settings = settings(max_examples=400, stateful_step_count=60, deadline=None)
