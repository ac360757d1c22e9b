"""The one thread that writes: it stores all requests that wait in one transaction, then answers them."""

import contextlib
import logging
import sqlite3
import threading
from collections import deque
from concurrent.futures import Future
from pathlib import Path

from lighthouse.events import schema
from lighthouse.events.chain import Head, Signer
from lighthouse.events.errors import Conflict, NoRoom, StoreBusy, StoreUnavailable
from lighthouse.events.event import Draft, Event, check_draft
from lighthouse.events.insert import Place, Rows, insert
from lighthouse.events.opening import Opened
from lighthouse.events.publishing import Publisher
from lighthouse.events.request import Answers, Request, answer

BRIDGE = "lighthouse"
"""The agent id of the bridge itself."""

QUEUE_REQUESTS = 4096
QUEUE_BYTES = 64 * 1024 * 1024
GROUP_REQUESTS = 512
GROUP_BYTES = 8 * 1024 * 1024
RETRY_SECONDS = 1.0

log = logging.getLogger("lighthouse.events")


class Writer(threading.Thread):
    """Owns the writing connection, the head and the anchor from `start()` to `finish()`."""

    def __init__(
        self,
        folder: Path,
        opened: Opened,
        signer: Signer,
        publisher: Publisher,
        max_bytes: int | None,
    ) -> None:
        super().__init__(name="lighthouse-events", daemon=True)
        self.max_bytes = max_bytes
        self._limit: int | None = None  # the quota that the connection knows
        self.counts = {"commits": 0, "requests": 0, "events": 0, "failed_groups": 0, "largest_group": 0}
        self._path = folder / schema.DATABASE
        self._connection: sqlite3.Connection | None = opened.connection
        self._anchor = opened.anchor
        self._place = Place(opened.head, opened.last_ts)
        self._signer = signer
        self._publisher = publisher
        self._write_error: str | None = None
        self._anchor_error: str | None = None
        self._waiting: deque[Request] = deque()
        self._waiting_bytes = 0
        self._changed = threading.Condition()
        self._closing = False

    @property
    def head(self) -> Head:
        """The last event on disk."""
        return self._place.head

    @property
    def last_error(self) -> str | None:
        """Why events or the anchor cannot be written at present."""
        return self._write_error or self._anchor_error

    @property
    def queued(self) -> int:
        """Requests that wait to be written."""
        return len(self._waiting)

    def submit(self, request: Request) -> None:
        """Queue `request`, which is taken up after `wake`. Never waits for the disk.

        Raises StoreBusy, or StoreUnavailable once closing.
        """
        with self._changed:
            if self._closing:
                raise StoreUnavailable("the event store is closed", "start the bridge again")
            too_large = self._waiting and self._waiting_bytes + request.size > QUEUE_BYTES
            if too_large or len(self._waiting) >= QUEUE_REQUESTS:
                raise StoreBusy(f"{len(self._waiting)} requests wait to be stored", "try again in a moment")
            self._waiting.append(request)
            self._waiting_bytes += request.size

    def wake(self) -> None:
        """Take up what is queued."""
        with self._changed:
            self._changed.notify()

    def finish(self) -> None:
        """Write what waits, then end; returns when all is on disk and closed."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self.join()

    def run(self) -> None:
        """The thread: group after group until `finish`."""
        while (group := self._take()) is not None:
            if group:
                self._serve(group)
            else:
                self._mend()
        if self._connection is not None:
            self._connection.close()
        self._anchor.close()

    def _take(self) -> list[Request] | None:
        """The next group in order of arrival; empty when there is time to mend, None when all is done."""
        patience = RETRY_SECONDS if self.last_error else self._anchor.due_in()
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing, patience)
            if self._closing and not self._waiting:
                return None
            group: list[Request] = []
            size = 0
            while self._waiting and len(group) < GROUP_REQUESTS and size < GROUP_BYTES:
                request = self._waiting.popleft()
                group.append(request)
                size += request.size
            self._waiting_bytes -= size
            return group

    def _serve(self, group: list[Request]) -> None:
        answer(self._store(group))
        self._publisher.deliver()

    def _store(self, group: list[Request]) -> Answers:
        """Write `group` in one transaction; what is new on disk goes to the publisher."""
        answers: Answers = []
        new: list[Event] = []
        try:
            connection = self._connection or self._reconnect()
            if self._limit != self.max_bytes:
                self._limit = self.max_bytes
                schema.limit(connection, self._limit)
            place = self._place.now()
            rows = Rows(connection)
            for request in group:
                try:
                    events, added = insert(rows, self._signer, place, request)
                except Conflict as conflict:
                    answers.append((request, conflict))
                else:
                    answers.append((request, events))
                    new += added
                    place = place.after(added)
            rows.commit()
        except Exception as error:
            self._give_up_connection(error)
            return [(request, _failure(error)) for request in group]
        self._write_error = None
        self.counts["requests"] += len(group)
        if new:
            # Before the head, which must not name an event that is held back.
            self._publisher.add(new)
            self._place = place
            self.counts["commits"] += 1
            self.counts["events"] += len(new)
            self.counts["largest_group"] = max(self.counts["largest_group"], len(group))
            self._note_anchor()
        return answers

    def _give_up_connection(self, error: Exception) -> None:
        """Undo the group; whether a failed commit reached the disk is found out by a new connection."""
        self.counts["failed_groups"] += 1
        reason = str(error) or type(error).__name__
        if self._write_error is None:
            log.error("the event store cannot write: %s", reason)
        self._write_error = reason
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.rollback()
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _reconnect(self) -> sqlite3.Connection:
        """A new connection after a failure; a failing commit may have left events."""
        connection = schema.connect_writer(self._path)
        try:
            self._catch_up(connection)
        except BaseException:
            connection.close()
            raise
        self._connection, self._limit = connection, None
        return connection

    def _catch_up(self, connection: sqlite3.Connection) -> None:
        while found := schema.read_after(connection, self.head.seq, 1000):
            for event in found:
                fault = self._signer.fault(self.head, event)
                if fault is not None:
                    raise StoreUnavailable("the event store changed beneath the bridge", fault[1])
                self._publisher.add([event])
                self._place = self._place.after([event])
        (last,) = connection.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()
        if last != self.head.seq:
            raise StoreUnavailable(f"the event store lost events after {last}", "restore it from a backup")

    def _note_anchor(self) -> None:
        """Note the head, to disk when due. The events are durable before: an anchor may lag, never lead."""
        try:
            self._anchor.note(self.head)
            if self._anchor.due_in() == 0.0:
                self._anchor.sync()
        except OSError as error:
            self._anchor_error = f"the anchor cannot be written: {error.strerror}"
            log.error("%s", self._anchor_error)  # noqa: TRY400 one line tells all
        else:
            self._anchor_error = None

    def _mend(self) -> None:
        """In a quiet moment: note the anchor, and after a failure try to write, for nobody else may."""
        if self._anchor_error or self._anchor.due_in() is not None:
            self._note_anchor()
        if self._write_error:
            draft = Draft("store.recovered", {"error": self._write_error}, stream="store")
            self._serve([Request([check_draft(draft)], BRIDGE, Future(), None)])


def _failure(error: Exception) -> StoreUnavailable:
    """A new exception for each caller: one that is shared would gather the traceback of all."""
    if isinstance(error, StoreUnavailable):
        return type(error)(error.message, error.hint)
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        return NoRoom("there is no room for the event", "free disk space or raise the quota, then try again")
    return StoreUnavailable("the event store cannot be written", f"see to the disk, then try again ({error})")
