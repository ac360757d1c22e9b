"""The event store: one folder, one writer, any number of readers and followers."""

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Self

from lighthouse.events import schema
from lighthouse.events.chain import Head, Signer
from lighthouse.events.errors import InvalidEvent
from lighthouse.events.event import Checked, Draft, Event, check_agent, check_draft
from lighthouse.events.opening import Opened, open_folder
from lighthouse.events.publishing import Hold, Publisher
from lighthouse.events.query import Page, Query, Readers, find
from lighthouse.events.request import Request
from lighthouse.events.subscription import Hub, Subscription, follow
from lighthouse.events.verify import Progress, VerifyReport, verify_events
from lighthouse.events.writer import Writer
from lighthouse.keys import KeyRing

MAX_BATCH = 1000

log = logging.getLogger("lighthouse.events")


class EventStore:
    """The append-only log of an installation. Made by `EventStore.open`."""

    def __init__(self, folder: Path, keyring: KeyRing, opened: Opened, max_bytes: int | None) -> None:
        self.folder = folder
        self._keyring = keyring
        self._lock = opened.lock
        self._readers = Readers(folder / schema.DATABASE)
        self._hub = Hub()
        self._listeners: list[Callable[[Sequence[Event]], None]] = []
        self._publisher = Publisher(self._publish, opened.head)
        self._writer = Writer(folder, opened, Signer(keyring), self._publisher, max_bytes)
        self._closed = False
        self._waking: set[asyncio.AbstractEventLoop] = set()
        self._writer.start()

    @classmethod
    def open(cls, folder: Path, keyring: KeyRing, *, max_bytes: int | None = None) -> Self:
        """Open the store in `folder`, made if missing; `max_bytes` is a quota for the database file.

        Raises StoreRefused, and then has changed neither database nor anchor: another secret, a newer
        schema, damage, a log without what its anchor noted, no anchor, another process that has it open.
        """
        return cls(folder, keyring, open_folder(folder, keyring), max_bytes)

    @property
    def head(self) -> Head:
        """The last event that is on disk and not held back; see `hold`."""
        return self._publisher.head

    @property
    def max_bytes(self) -> int | None:
        """The quota for the database file; may be set at any time."""
        return self._writer.max_bytes

    @max_bytes.setter
    def max_bytes(self, max_bytes: int | None) -> None:
        self._writer.max_bytes = max_bytes

    @property
    def last_error(self) -> str | None:
        """Why events cannot be written at present; None again once a write succeeded, tried every second."""
        return self._writer.last_error

    def stats(self) -> dict[str, Any]:
        """What the store did since it was opened: counts, and what waits now."""
        return {
            **self._writer.counts,
            "head_seq": self.head.seq,
            "queued": self._writer.queued,
            "subscribers": len(self._hub),
            "last_error": self.last_error,
        }

    async def append(self, drafts: Sequence[Draft], *, agent_id: str) -> list[Event]:
        """Store all `drafts` (at most 1000) or none; the events in their order, once they are on disk.

        A draft whose idempotency key this agent used before is answered with the earlier event.
        Raises InvalidEvent, Conflict, StoreBusy, StoreUnavailable, NoRoom. A cancelled call's events may
        still be stored.
        """
        checked = _check(drafts, agent_id)
        if not checked:
            return []
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Event]] = loop.create_future()
        self._writer.submit(Request(checked, agent_id, future, loop))
        if loop not in self._waking:
            # Once for all that ask in this round of the loop: they share a transaction, and the interpreter
            # changes threads once.
            self._waking.add(loop)
            loop.call_soon(self._wake, loop)
        return await future

    def append_sync(self, drafts: Sequence[Draft], *, agent_id: str) -> list[Event]:
        """`append` for callers without an event loop; blocks until the events are on disk."""
        checked = _check(drafts, agent_id)
        if not checked:
            return []
        future: Future[list[Event]] = Future()
        self._writer.submit(Request(checked, agent_id, future, None))
        self._writer.wake()
        return future.result()

    async def query(self, query: Query) -> Page:
        """The events that `query` asks for, ascending; raises InvalidQuery, StoreUnavailable.

        What was answered to a writer before is among them, also where that takes a moment; see `hold`.
        """
        await self._publisher.reached(self._writer.head.seq)
        last = self.head.seq
        return await self._readers.run(lambda connection: find(connection, query, last))

    def subscribe(self, from_seq: int) -> Subscription:
        """Follow the log from `from_seq` on: what is stored, then what comes. On the running event loop."""
        return follow(self._hub, self._readers, from_seq, lambda: self.head)

    def hold(self, prefix: str, patience: float) -> Hold:
        """Keep events whose type begins with `prefix` from all who follow and ask, until they are released.

        They are on disk and answered to their writers as ever; later events are told of after them. After
        `patience` seconds an event is told of in any case.
        """
        return self._publisher.hold(prefix, patience)

    def catch_up(self) -> None:
        """Wait until nothing that is on disk now is held back. Blocks: not on the event loop."""
        self._publisher.wait(self._writer.head.seq)

    def add_listener(self, callback: Callable[[Sequence[Event]], None]) -> None:
        """Call `callback` with new events in their order, on one thread at a time: it must be quick."""
        self._listeners.append(callback)

    async def verify(self, on_progress: Progress | None = None) -> VerifyReport:
        """Check the whole log against this store's head; new events may be added meanwhile."""
        head = self.head
        return await self._readers.run(
            lambda connection: verify_events(connection, self._keyring, head, on_progress)
        )

    async def close(self) -> None:
        """Store what waits, end the subscriptions, close the files. Twice is fine."""
        await asyncio.to_thread(self.close_sync)

    def close_sync(self) -> None:
        """`close` for callers without an event loop."""
        if self._closed:
            return
        self._closed = True
        self._writer.finish()
        self._publisher.close()
        self._hub.end()
        self._readers.close()
        os.close(self._lock)

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        self._waking.discard(loop)
        self._writer.wake()

    def _publish(self, events: Sequence[Event]) -> None:
        self._hub.publish(events)
        for listener in self._listeners:
            try:
                listener(events)
            except Exception:
                log.exception("a listener of the event store failed")


def _check(drafts: Sequence[Draft], agent_id: str) -> list[Checked]:
    check_agent(agent_id)
    if len(drafts) > MAX_BATCH:
        raise InvalidEvent(f"{len(drafts)} events at once", f"send at most {MAX_BATCH} together")
    return [check_draft(draft) for draft in drafts]
