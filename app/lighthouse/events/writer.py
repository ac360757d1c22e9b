"""The one thread that writes: it takes all requests that wait, stores them in one transaction, then answers."""

import asyncio
import contextlib
import logging
import sqlite3
import threading
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from lighthouse.events import schema
from lighthouse.events.chain import Head, Signer
from lighthouse.events.errors import Conflict, NoRoom, StoreBusy, StoreUnavailable
from lighthouse.events.event import Checked, Event, timestamp
from lighthouse.events.opening import Opened

QUEUE_REQUESTS = 4096
QUEUE_BYTES = 64 * 1024 * 1024
GROUP_REQUESTS = 512
GROUP_BYTES = 8 * 1024 * 1024

log = logging.getLogger("lighthouse.events")

Outcome = list[Event] | Exception


class Request:
    """Drafts of one caller, stored together or not at all, and where the answer goes."""

    __slots__ = ("agent_id", "drafts", "future", "loop", "size")

    def __init__(
        self,
        drafts: Sequence[Checked],
        agent_id: str,
        future: "asyncio.Future[list[Event]] | Future[list[Event]]",
        loop: asyncio.AbstractEventLoop | None,
    ) -> None:
        self.drafts = drafts
        self.agent_id = agent_id
        self.future = future
        self.loop = loop
        self.size = sum(len(draft.data) for draft in drafts)


def _settle(answers: Sequence[tuple[Request, Outcome]]) -> None:
    for request, outcome in answers:
        if request.future.done():  # its caller was cancelled meanwhile
            continue
        if isinstance(outcome, Exception):
            request.future.set_exception(outcome)
        else:
            request.future.set_result(outcome)


def _failure(error: Exception) -> StoreUnavailable:
    """A new exception for each caller: one that is shared would gather the traceback of all."""
    if isinstance(error, StoreUnavailable):
        return type(error)(error.message, error.hint)
    code = getattr(error, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_FULL:
        return NoRoom("there is no room for the event", "free disk space or raise the quota, then try again")
    return StoreUnavailable("the event store cannot be written", f"see to the disk, then try again ({error})")


class Writer(threading.Thread):
    """Owns the writing connection, the head and the anchor from `start()` to `finish()`."""

    def __init__(
        self,
        folder: Path,
        opened: Opened,
        signer: Signer,
        publish: Callable[[Sequence[Event]], None],
        max_bytes: int | None,
    ) -> None:
        super().__init__(name="lighthouse-events", daemon=True)
        self.head = opened.head
        self.last_error: str | None = None
        self.max_bytes = max_bytes
        self.counts = {"commits": 0, "requests": 0, "events": 0, "failed_groups": 0, "largest_group": 0}
        self._path = folder / schema.DATABASE
        self._connection: sqlite3.Connection | None = opened.connection
        self._anchor = opened.anchor
        self._last_ts = opened.last_ts
        self._signer = signer
        self._publish = publish
        self._waiting: deque[Request] = deque()
        self._waiting_bytes = 0
        self._changed = threading.Condition()
        self._closing = False

    @property
    def queued(self) -> int:
        """Requests that wait to be written."""
        return len(self._waiting)

    def submit(self, request: Request) -> None:
        """Queue `request`; raises StoreBusy, or StoreUnavailable once closing. Never blocks for the disk."""
        with self._changed:
            if self._closing:
                raise StoreUnavailable("the event store is closed", "start the bridge again")
            full = self._waiting_bytes + request.size > QUEUE_BYTES and self._waiting
            if full or len(self._waiting) >= QUEUE_REQUESTS:
                raise StoreBusy(f"{len(self._waiting)} requests wait to be stored", "try again in a moment")
            self._waiting.append(request)
            self._waiting_bytes += request.size
            self._changed.notify()

    def finish(self) -> None:
        """Write what waits, then end; returns when all is on disk and closed."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self.join()

    def run(self) -> None:
        """The thread: group after group until `finish`."""
        while group := self._take():
            answers, fresh = self._store(group)
            self._answer(answers)
            if fresh:
                self._publish(fresh)
        if self._connection is not None:
            self._connection.close()
        self._anchor.close()

    def _take(self) -> list[Request]:
        """The next group, in order of arrival; empty when closing and nothing waits."""
        with self._changed:
            while not self._waiting and not self._closing:
                due = self._anchor.due_in()
                if due == 0.0:
                    self._changed.release()
                    try:
                        self._sync_anchor()
                    finally:
                        self._changed.acquire()
                    continue
                self._changed.wait(due)
            group: list[Request] = []
            size = 0
            while self._waiting and len(group) < GROUP_REQUESTS and (not group or size < GROUP_BYTES):
                request = self._waiting.popleft()
                group.append(request)
                size += request.size
            self._waiting_bytes -= size
            return group

    def _store(self, group: list[Request]) -> tuple[list[tuple[Request, Outcome]], list[Event]]:
        """Write `group` in one transaction; the answers, and the events that are new on disk."""
        answers: list[tuple[Request, Outcome]] = []
        fresh: list[Event] = []
        try:
            connection = self._connection or self._reconnect(fresh)
            head, last_ts = self.head, self._last_ts
            stored: list[Event] = []
            connection.execute("BEGIN IMMEDIATE")
            for request in group:
                connection.execute("SAVEPOINT request")
                try:
                    events, new = self._insert(connection, head, last_ts, request)
                except Conflict as conflict:
                    connection.execute("ROLLBACK TO request")
                    answers.append((request, conflict))
                else:
                    answers.append((request, events))
                    if new:
                        stored += new
                        head, last_ts = Head(new[-1].seq, new[-1].mac), new[-1].ts
                connection.execute("RELEASE request")
            connection.execute("COMMIT")
        except Exception as error:
            self._give_up_connection(error)
            return [(request, _failure(error)) for request in group], fresh
        self.last_error = None
        self.counts["requests"] += len(group)
        if stored:
            self.head, self._last_ts = head, last_ts
            self.counts["commits"] += 1
            self.counts["events"] += len(stored)
            self.counts["largest_group"] = max(self.counts["largest_group"], len(group))
            self._note_anchor()
        return answers, fresh + stored

    def _insert(
        self, connection: sqlite3.Connection, head: Head, last_ts: str, request: Request
    ) -> tuple[list[Event], list[Event]]:
        """The request's events, those that are new among them too; raises Conflict."""
        answer: list[Event] = []
        new: list[Event] = []
        rows: list[tuple[Any, ...]] = []
        keys: dict[str, tuple[str | None, Event]] = {}
        ts = max(timestamp(datetime.now(UTC)), last_ts)  # a clock set back does not turn the log's time back
        seq, prev = head.seq, head.mac
        for draft in request.drafts:
            if draft.idem_key is not None:
                earlier = keys.get(draft.idem_key) or _earlier(connection, request.agent_id, draft.idem_key)
                if earlier is not None:
                    digest, event = earlier
                    if digest != draft.idem_digest:
                        raise Conflict(
                            f"the idempotency key was used for other content, event {event.seq}",
                            "use a new key for a new event",
                            actual=event.seq,
                        )
                    answer.append(event)
                    continue
            if draft.expected_seq is not None:
                _expect(connection, draft)
            seq += 1
            event = self._signer.sign(
                prev,
                seq,
                str(uuid.uuid4()),
                ts,
                draft.type,
                draft.stream,
                request.agent_id,
                msgspec.Raw(draft.data),
            )
            prev = event.mac
            if draft.idem_key is not None:
                keys[draft.idem_key] = (draft.idem_digest, event)
            rows.append(
                (seq, event.id, ts, draft.type, draft.stream, request.agent_id, draft.data.decode())
                + (event.prev, event.kid, event.mac, draft.idem_key, draft.idem_digest)
            )
            answer.append(event)
            new.append(event)
        connection.executemany(schema.INSERT, rows)
        return answer, new

    def _reconnect(self, fresh: list[Event]) -> sqlite3.Connection:
        """A new connection after a failure; events that a failing commit left behind all the same go to `fresh`."""
        connection = schema.connect_writer(self._path, self.max_bytes)
        try:
            while found := schema.read_after(connection, self.head.seq, 1000):
                for event in found:
                    fault = self._signer.fault(self.head, event)
                    if fault is not None:
                        raise StoreUnavailable(
                            f"the event store changed beneath the bridge: {fault[1]}", "stop it"
                        )
                    self.head, self._last_ts = Head(event.seq, event.mac), event.ts
                    fresh.append(event)
            (last,) = connection.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()
            if last != self.head.seq:
                raise StoreUnavailable(
                    f"the event store lost events after {last}", "stop it, restore a backup"
                )
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _give_up_connection(self, error: Exception) -> None:
        """Undo the group; whether a failed commit reached the disk is found out by a new connection."""
        self.counts["failed_groups"] += 1
        self.last_error = str(error) or type(error).__name__
        log.error("the event store could not write: %s", self.last_error)
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.rollback()
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _note_anchor(self) -> None:
        try:
            self._anchor.note(self.head)
            if self._anchor.due_in() == 0.0:
                self._anchor.sync()
        except OSError as error:
            # The events are durable and are acknowledged; an anchor that lags is allowed, but people must know.
            self.last_error = f"the anchor cannot be written: {error.strerror}"
            log.error("%s", self.last_error)  # noqa: TRY400

    def _sync_anchor(self) -> None:
        try:
            self._anchor.sync()
        except OSError as error:
            self.last_error = f"the anchor cannot be written: {error.strerror}"

    def _answer(self, answers: Sequence[tuple[Request, Outcome]]) -> None:
        """Hand the outcomes out, one wake-up per event loop."""
        by_loop: dict[asyncio.AbstractEventLoop | None, list[tuple[Request, Outcome]]] = {}
        for request, outcome in answers:
            by_loop.setdefault(request.loop, []).append((request, outcome))
        for loop, part in by_loop.items():
            if loop is None:
                _settle(part)
            else:
                with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits any more
                    loop.call_soon_threadsafe(_settle, part)


def _earlier(connection: sqlite3.Connection, agent_id: str, key: str) -> tuple[str | None, Event] | None:
    where = "WHERE agent_id = ? AND idem_key = ?"
    row = connection.execute(f"{schema.SELECT} {where}", (agent_id, key)).fetchone()
    if row is None:
        return None
    (digest,) = connection.execute("SELECT idem_digest FROM events WHERE seq = ?", (row[0],)).fetchone()
    return digest, schema.to_event(row)


def _expect(connection: sqlite3.Connection, draft: Checked) -> None:
    found = connection.execute("SELECT coalesce(max(seq), 0) FROM events WHERE stream = ?", (draft.stream,))
    (actual,) = found.fetchone()
    if actual != draft.expected_seq:
        raise Conflict(
            f"stream {draft.stream!r} stands at event {actual}, not at {draft.expected_seq}",
            "read what was added, then try again",
            actual=actual,
        )
