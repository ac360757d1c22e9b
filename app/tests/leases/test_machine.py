"""Leases against a model: the log itself, read by rules of its own."""

import asyncio
import contextlib
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
from lighthouse.leases import Lease, LeaseEnded, LeaseTaken, MayNotWait, Touch
from lighthouse.leases.pattern import meet
from tests.leases.conftest import OLGA, Room, identity

T = TypeVar("T")
KEYRING = KeyRing(b"only-for-tests-0123456789-abcdef")
AGENTS = ["ann", "bob", "kim", "lee"]
PATHS = ["src", "src/a.py", "src/deep/b.py", "docs", "*.py", "docs/*.md", "."]

agents = st.sampled_from(AGENTS)
wanted = st.lists(st.sampled_from(PATHS), min_size=1, max_size=2, unique=True)


def names(path: str) -> tuple[str, ...]:
    return () if path == "." else tuple(path.split("/"))


def overlap(one: list[str], other: list[str]) -> bool:
    return any(meet(names(a), names(b), beneath=True) for a in one for b in other)


class Machine(RuleBasedStateMachine):
    """What the room holds and what callers were told must agree with the log, at every moment."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.runner = asyncio.Runner()
        self.waiters: list[tuple[str, asyncio.Task[Lease]]] = []

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @initialize()
    def begin(self) -> None:
        self.room = Room(self.folder, KEYRING)
        self.run(self.room.open())

    @rule(agent=agents, paths=wanted, seconds=st.sampled_from([30, 200]))
    def take(self, agent: str, paths: list[str], seconds: int) -> None:
        try:
            lease = self.run(self.room.take(agent, *paths, seconds=seconds))
        except (LeaseTaken, MayNotWait):
            return
        assert lease.state == "held"

    @rule(asked=st.lists(st.tuples(agents, wanted), min_size=1, max_size=3))
    def wait(self, asked: list[tuple[str, list[str]]]) -> None:
        """Several at once."""

        async def begun() -> None:
            tasks = [
                (agent, asyncio.create_task(self.room.take(agent, *paths, wait=100)))
                for agent, paths in asked
            ]
            async with asyncio.timeout(20):
                while any(not task.done() and not self.waits(agent) for agent, task in tasks):
                    await asyncio.sleep(0.001)
            self.waiters += tasks

        self.run(begun())

    @rule(which=st.integers(0, 5), how=st.sampled_from(["release", "revoke", "renew"]), strange=agents)
    @precondition(lambda self: self.room.leases.all())
    def change(self, which: int, how: str, strange: str) -> None:
        known = self.room.leases.all()
        lease = known[which % len(known)]
        by = identity(strange)
        try:
            if how == "revoke":
                self.run(self.room.leases.revoke(lease.id, OLGA, "so"))
            elif how == "release":
                self.run(self.room.leases.release(lease.id, by))
                assert strange == lease.agent_id
            else:
                self.run(self.room.leases.renew(lease.id, by, 60))
                assert strange == lease.agent_id
        except LighthouseError:
            assert how != "revoke" or lease.over
            assert strange != lease.agent_id or lease.state != "held" or lease.over

    @rule(agent=agents, paths=wanted, stored=st.booleans())
    def take_while_the_store_fails(self, agent: str, paths: list[str], stored: bool) -> None:
        self.failing(stored, self.room.take(agent, *paths))

    @rule(which=st.integers(0, 5), stored=st.booleans())
    @precondition(lambda self: self.room.leases.all())
    def end_while_the_store_fails(self, which: int, stored: bool) -> None:
        known = self.room.leases.all()
        self.failing(stored, self.room.leases.revoke(known[which % len(known)].id, OLGA, "so"))

    @rule(seconds=st.sampled_from([5, 95]), stored=st.booleans())
    def time_passes_while_the_store_fails(self, seconds: float, stored: bool) -> None:
        """What is over, and what is granted in its place, may be on disk or not."""
        self.room.clock.ahead += seconds
        self.failing(stored, self.room.leases.look())

    def failing(self, stored: bool, work: Coroutine[Any, Any, object]) -> None:
        """Do it while each append fails, and it is not known whether it is on disk."""
        store = self.room.store
        append = store.append

        async def fail(drafts: Sequence[Draft], *, agent_id: str) -> list[Event]:
            if stored:
                await append(drafts, agent_id=agent_id)
            raise StoreUnavailable("the disk", "is gone")

        store.append = fail  # type: ignore[method-assign]
        try:
            with contextlib.suppress(StoreUnavailable, LeaseTaken, MayNotWait, LeaseEnded):
                self.run(work)
        finally:
            store.append = append  # type: ignore[method-assign]

    @rule(seconds=st.sampled_from([5, 40, 95]), there=st.sets(agents))
    def time_passes(self, seconds: float, there: set[str]) -> None:
        self.room.clock.ahead += seconds
        for agent in there:
            self.room.presence.heard(agent)

    @rule()
    def restart(self) -> None:
        async def again() -> None:
            await self.room.close()
            await asyncio.gather(*(task for _, task in self.waiters), return_exceptions=True)
            await self.room.open()

        self.run(again())
        self.waiters.clear()

    @invariant()
    def the_room_is_what_the_log_says(self) -> None:
        if not hasattr(self, "room"):
            return
        self.run(self.room.leases.look())
        live = self.run(self.read_log())
        known = self.room.leases.all()
        assert {lease.id: (lease.state, lease.agent_id, lease.paths) for lease in known} == live
        holding = {lease.agent_id for lease in known if lease.state == "held"}
        waiting = [lease for lease in known if lease.state == "waiting"]
        assert len({lease.agent_id for lease in waiting}) == len(waiting), "somebody waits twice"
        assert not holding & {lease.agent_id for lease in waiting}, "who holds waits"
        for lease in waiting:
            before = [
                one
                for one in known
                if one.agent_id != lease.agent_id
                and overlap(one.paths, lease.paths)
                and (one.state == "held" or known.index(one) < known.index(lease))
            ]
            assert before, "nothing is in its way, and it waits"

    @invariant()
    def what_is_leased_is_denied_to_others_alone(self) -> None:
        if not hasattr(self, "room"):
            return
        held = [lease for lease in self.room.leases.all() if lease.state == "held"]
        now = self.room.clock()
        for path in ("src/a.py", "docs/x.md", "other.txt"):
            covering = [
                one
                for one in held
                if one.deadline > now and any(meet(names(p), names(path), beneath=False) for p in one.paths)
            ]
            for agent in AGENTS:
                against = self.room.leases.against(
                    agent, lambda path=path: [Touch(names(path), "one")], lambda names: False
                )
                assert (against is not None) == any(one.agent_id != agent for one in covering)

    @invariant()
    def callers_were_told_the_truth(self) -> None:
        self.run(asyncio.sleep(0))
        for agent, task in [one for one in self.waiters if one[1].done()]:
            self.waiters.remove((agent, task))
            if (error := task.exception()) is not None:
                assert isinstance(error, LeaseTaken | MayNotWait | LeaseEnded), error
            else:
                assert task.result().agent_id == agent

    def waits(self, agent: str) -> bool:
        return any(one.state == "waiting" for one in self.room.leases.all(agent_id=agent))

    async def read_log(self) -> dict[str, tuple[str, str, list[str]]]:
        """What is held and waited for; at no moment do two agents hold what overlaps."""
        live: dict[str, tuple[str, str, list[str]]] = {}
        for event in await self.room.events():
            told = event.value
            if event.type in ("lease.requested", "lease.granted") and "paths" in told:
                state = "held" if event.type == "lease.granted" else "waiting"
                live[f"l{event.seq}"] = state, event.agent_id, told["paths"]
            elif event.type == "lease.granted":
                state, agent, paths = live[told["id"]]
                assert state == "waiting"
                live[told["id"]] = "held", agent, paths
            elif event.type not in ("lease.renewed", "lease.reread"):
                del live[told["id"]]  # it ends once
            held = [one for one in live.values() if one[0] == "held"]
            for number, (_, agent, paths) in enumerate(held):
                for _, other, others in held[number + 1 :]:
                    assert agent == other or not overlap(paths, others), "two hold the same"
        return live

    def teardown(self) -> None:
        if hasattr(self, "room"):
            self.run(self.room.close())
            self.run(asyncio.sleep(0))
            for _, task in self.waiters:
                task.cancel()
            self.run(asyncio.sleep(0))
        self.runner.close()
        shutil.rmtree(self.folder)


QUICK = settings(
    max_examples=10, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
LONG = settings(QUICK, max_examples=300, stateful_step_count=50)

TestMachine = Machine.TestCase
TestMachine.settings = QUICK


@pytest.mark.soak
@pytest.mark.timeout(1200)
class TestLong(Machine.TestCase):  # type: ignore[misc]
    settings = LONG
