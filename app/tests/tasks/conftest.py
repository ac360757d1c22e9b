"""The room on a real store, mail and registry of experts, at a time that stands still until it is moved."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import pytest

from lighthouse.events import EventStore, Query
from lighthouse.experts import Experts
from lighthouse.experts.capabilities import Capabilities
from lighthouse.keys import KeyRing
from lighthouse.mailbox import Mail, Presence
from lighthouse.sessions import Role
from lighthouse.sessions.tokens import Identity, new_token_id
from lighthouse.tasks import Capability, Task, Tasks

OFFER_SECONDS = 30.0
PYTHON = Capability(languages=("python",))


class Clock:
    """The time of the room, of who is there, and of the events."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self._start = float(int(time.time()))

    def __call__(self) -> float:
        return self._start + self.ahead

    def now(self, zone: tzinfo | None = None) -> datetime:
        """In place of `datetime.now`."""
        return datetime.fromtimestamp(self(), zone)


def identity(agent_id: str, role: Role = Role.AGENT) -> Identity:
    return Identity(agent_id, role, new_token_id(), "agent", time.time() + 3600)


class Room:
    """One run of the room over a folder; `again` is the next one, as after a restart of the bridge."""

    def __init__(self, folder: Path, keyring: KeyRing) -> None:
        self.folder = folder
        self.keyring = keyring
        self.clock = Clock()

    async def open(self) -> "Room":
        self.patched = patch("lighthouse.events.insert.datetime", self.clock)
        self.patched.start()
        self.store = EventStore.open(self.folder / "events", self.keyring)
        self.mail = Mail()
        self.presence = Presence(self.clock)
        self.experts = Experts(self.store, self.mail, 30.0, msgspec.to_builtins, self.clock)
        await self.experts.start()
        self.tasks = Tasks(
            self.store, self.mail, self.experts, self.presence, OFFER_SECONDS, clock=self.clock
        )
        self.experts.other_load = self.tasks.load
        await self.tasks.start()
        self.experts.on_change = self.tasks.hand_on
        return self

    async def close(self) -> None:
        await self.tasks.close()
        await self.experts.close()
        await self.store.close()
        self.patched.stop()

    async def again(self) -> None:
        """Stop all, and start it anew."""
        await self.close()
        await self.open()

    async def dispatch(
        self, to: str | Capability = "tom", by: str = "ann", title: str = "run the tests", **told: Any
    ) -> Task:
        told = {"lease_seconds": 900, "retries": 2, "deadline_seconds": 86400, "body": "all of them"} | told
        return await self.tasks.dispatch(by, title, to=to, **told)

    async def register(self, agent_id: str, speciality: str = "builder", **able: tuple[str, ...]) -> None:
        await self.experts.register(agent_id, Capabilities(speciality, **able), 3600)

    async def later(self, seconds: float) -> None:
        """Let so much time pass, and have the room look."""
        self.clock.ahead += seconds
        await self.tasks.look()

    async def types(self) -> list[tuple[str, str]]:
        events = (await self.store.query(Query(stream="tasks", limit=1000))).events
        return [(event.type.partition(".")[2], event.agent_id) for event in events]


@pytest.fixture
async def room(tmp_path: Path, keyring: KeyRing) -> AsyncIterator[Room]:
    async with AsyncExitStack() as stack:
        opened = await Room(tmp_path, keyring).open()
        stack.push_async_callback(lambda: opened.close())
        yield opened
