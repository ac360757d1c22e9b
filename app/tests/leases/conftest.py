"""The room on a real store and mailbox, with clocks that a test turns by hand."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from lighthouse.config import Settings
from lighthouse.events import Event, EventStore, Query
from lighthouse.keys import KeyRing
from lighthouse.leases import Lease, Leases
from lighthouse.mailbox import Mail, Presence
from lighthouse.sessions import Role
from lighthouse.sessions.tokens import Identity, new_token_id
from lighthouse.validation import ProjectPaths


class Clock:
    """The time of day, moved on when a test says so."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


def identity(agent_id: str, role: Role = Role.AGENT) -> Identity:
    return Identity(agent_id, role, new_token_id(), "agent", time.time() + 3600)


OLGA = identity("olga", Role.OPERATOR)


class Room:
    """One run of the room over a folder; `again` is the next one, as after a restart of the bridge."""

    def __init__(self, folder: Path, keyring: KeyRing) -> None:
        self.folder = folder
        self.project = folder / "project"
        (self.project / "src").mkdir(parents=True, exist_ok=True)
        self.keyring = keyring
        self.clock = Clock()
        self.settings = Settings(project_path=self.project)

    async def open(self) -> "Room":
        self.store = EventStore.open(self.folder / "events", self.keyring)
        self.mail = Mail()
        self.presence = Presence(self.clock)
        follow = ProjectPaths(self.settings).follow
        self.leases = Leases(self.store, self.mail, self.presence, follow, clock=self.clock)
        self.mail.add(self.leases)
        await self.leases.start()
        return self

    async def close(self) -> None:
        await self.leases.close()
        await self.store.close()

    async def again(self) -> None:
        """Stop all, and start it anew."""
        await self.close()
        await self.open()

    async def take(self, agent: str, *paths: str, seconds: int = 900, wait: float = 0.0) -> Lease:
        self.presence.heard(agent)
        return await self.leases.take(agent, paths, seconds, wait_seconds=wait)

    async def look(self, seconds: float = 0.0) -> None:
        """Let time pass, and see what has come to its end."""
        self.clock.ahead += seconds
        await self.leases.look()

    async def events(self) -> list[Event]:
        return (await self.store.query(Query(stream="leases", limit=1000))).events

    def told(self, agent: str) -> list[tuple[str, str]]:
        """What the agent is told at a connection."""
        return [(letter.kind, letter.id) for letter in self.leases.open_letters(agent)]


Begin = Callable[[], Awaitable[Room]]


@pytest.fixture
async def room(tmp_path: Path, keyring: KeyRing) -> AsyncIterator[Room]:
    async with AsyncExitStack() as stack:
        room = Room(tmp_path, keyring)
        await room.open()
        stack.push_async_callback(room.close)
        yield room
