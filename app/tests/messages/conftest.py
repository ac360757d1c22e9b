"""The room on a real store, with a clock that a test turns by hand."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from lighthouse.events import Draft, Event, EventStore, Query
from lighthouse.keys import KeyRing
from lighthouse.mailbox import Letter, Mail, Reader
from lighthouse.messages import MessagePage, Messages, Sent, Wanted
from lighthouse.messages.words import expression


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
        self.about = ["ann", "bob", "cleo"]

    @property
    def database(self) -> Path:
        return self.folder / "events" / "messages.db"

    async def open(self) -> "Room":
        self.store = EventStore.open(self.folder / "events", self.keyring)
        self.mail = Mail()
        self.messages = Messages(self.store, self.mail, lambda: self.about, self.clock)
        await self.messages.start()
        return self

    async def close(self) -> None:
        await self.messages.close()
        await self.store.close()

    async def again(self) -> None:
        """Stop all, and start it anew."""
        await self.close()
        await self.open()

    async def send(self, body: str = "ahoy", agent: str = "ann", **more: Any) -> Sent:
        return await self.messages.send(agent, body, **({"to": "bob"} | more))

    async def ids(self, q: str | None = None, **wanted: Any) -> list[str]:
        page = await self.page(q, **wanted)
        assert page.complete, page
        return [one.id for one in page.messages]

    async def page(self, q: str | None = None, caller: str = "cleo", **wanted: Any) -> MessagePage:
        return await self.messages.find(Wanted(match=None if q is None else expression(q), **wanted), caller)

    def unread(self, agent: str) -> list[str]:
        return [one.id for one in self.messages.unread(agent)]

    async def events(self, kind: str = "message.*") -> list[Event]:
        return (await self.store.query(Query(type=kind, limit=1000))).events

    async def by(self, agent: str) -> None:
        """An event of that agent."""
        await self.store.append([Draft("note.added", {})], agent_id=agent)


async def taken(reader: Reader) -> list[tuple[int, Letter]]:
    """All that a socket is sent now."""
    found = []
    while True:
        following = asyncio.ensure_future(reader.next())
        await asyncio.sleep(0)
        if not following.done():
            following.cancel()
            await asyncio.wait({following})
            return found
        found.append(following.result())


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def room(tmp_path: Path, keyring: KeyRing, clock: Clock) -> AsyncIterator[Room]:
    """A room that runs."""
    opened = await Room(tmp_path, keyring, clock).open()
    yield opened
    await opened.close()
