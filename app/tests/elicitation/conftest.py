"""The room on a real store and real mailboxes, with a clock that a test turns by hand."""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from lighthouse.elicitation import Question, Questions
from lighthouse.events import Event, EventStore, Query
from lighthouse.keys import KeyRing
from lighthouse.mailbox import Mail

YES_OR_NO = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}


class Clock:
    """The time of day, moved on when a test says so."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


class Room:
    """One run of the room over a folder; `again` is the next one, as after a restart of the bridge."""

    def __init__(self, folder: Path, keyring: KeyRing, clock: Clock) -> None:
        self.folder = folder
        self.keyring = keyring
        self.clock = clock

    async def open(self) -> None:
        self.store = EventStore.open(self.folder / "events", self.keyring)
        self.mail = Mail()
        self.questions = Questions(self.store, self.mail, clock=self.clock)
        await self.questions.start()

    async def close(self) -> None:
        await self.questions.close()
        await self.store.close()

    async def again(self) -> None:
        await self.close()
        await self.open()

    async def ask(
        self,
        agent: str = "ann",
        to: str = "bob",
        *,
        schema: Any = YES_OR_NO,
        seconds: int = 300,
        key: str | None = None,
        message: str = "Shall I?",
    ) -> Question:
        return await self.questions.ask(agent, to, message, schema, seconds, key)

    async def events(self) -> list[Event]:
        return (await self.store.query(Query(type="elicitation.*", limit=1000))).events


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def room(tmp_path: Path, keyring: KeyRing, clock: Clock) -> AsyncIterator[Room]:
    """A room that runs."""
    running = Room(tmp_path, keyring, clock)
    await running.open()
    yield running
    await running.close()
