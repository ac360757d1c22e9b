"""The room on a real store, shadow and registry of experts, with a clock that a test turns by hand."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lighthouse.config import Settings
from lighthouse.events import Event, EventStore, Query
from lighthouse.experts import Experts
from lighthouse.experts.capabilities import Capabilities
from lighthouse.keys import KeyRing
from lighthouse.leases import Leases
from lighthouse.mailbox import Mail, Presence
from lighthouse.policy import Call
from lighthouse.sessions import Role
from lighthouse.sessions.tokens import Identity, new_token_id
from lighthouse.shadow import Shadow
from lighthouse.validation import Outcome, ProjectPaths, Validations

# What the shipped policies leave open: one of the tier medium, and one of the tier high.
MEDIUM, HIGH = "rm -rf src", "npm publish"


class Clock:
    """The time of day, moved on when a test says so."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


def identity(agent_id: str, role: Role) -> Identity:
    return Identity(agent_id, role, new_token_id(), "agent", time.time() + 3600)


OLGA = identity("olga", Role.OPERATOR)
EVE = identity("eve", Role.EXPERT)
KIM = identity("kim", Role.EXPERT)


class Room:
    """One run of the room over a folder; `again` is the next one, as after a restart of the bridge."""

    def __init__(self, folder: Path, keyring: KeyRing, clock: Clock, **chosen: Any) -> None:
        self.folder = folder
        self.project = folder / "project"
        (self.project / "src").mkdir(parents=True, exist_ok=True)
        self.keyring = keyring
        self.clock = clock
        self.chosen = chosen
        self.settings = Settings(project_path=self.project, policies=folder / "policies", **chosen)

    async def open(self) -> "Room":
        self.store = EventStore.open(self.folder / "events", self.keyring)
        self.shadow = Shadow(self.project, self.store.folder, self.store, self.settings)
        await self.shadow.start()
        mail = Mail()
        self.experts = Experts(self.store, mail, self.settings.expert_seconds, msgspec.to_builtins)
        await self.experts.start()
        self.presence = Presence(self.clock)
        follow = ProjectPaths(self.settings).follow
        self.leases = Leases(self.store, mail, self.presence, follow, clock=self.clock)
        await self.leases.start()
        self.validations = Validations(
            self.settings, self.store, self.shadow, self.experts, self.leases, clock=self.clock
        )
        self.experts.on_change = self.validations.hand_on
        await self.validations.start()
        return self

    async def close(self) -> None:
        await self.validations.close()
        await self.leases.close()
        await self.experts.close()
        await self.shadow.close()
        await self.store.close()

    async def again(self) -> None:
        """Stop all, and start it anew."""
        await self.close()
        await self.open()

    async def ask(
        self, command: str = MEDIUM, agent: str = "ann", *, wait_seconds: float = 0.0, **more: Any
    ) -> Outcome:
        call = Call("Bash", {"command": command}, str(self.project), agent)
        return await self.validations.judge(call, wait_seconds=wait_seconds, **more)

    async def use(self, tool: str, agent: str = "ann", **fields: Any) -> Outcome:
        return await self.validations.judge(Call(tool, fields, str(self.project), agent))

    async def expert(self, who: Identity, speciality: str, **more: Any) -> None:
        await self.experts.register(who.agent_id, Capabilities(speciality, **more), 3600)

    async def events(self, kind: str) -> list[Event]:
        return (await self.store.query(Query(type=kind, limit=1000))).events


Begin = Callable[..., Awaitable[Room]]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def begin(tmp_path: Path, keyring: KeyRing, clock: Clock) -> AsyncIterator[Begin]:
    """`await begin(**settings)`: a room that runs."""
    async with AsyncExitStack() as stack:

        async def started(**chosen: Any) -> Room:
            room = Room(tmp_path, keyring, clock, **chosen)
            await room.open()
            stack.push_async_callback(room.close)
            return room

        yield started


@pytest.fixture
async def room(begin: Begin) -> Room:
    return await begin()
