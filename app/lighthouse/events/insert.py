"""Storing requests inside the writer's transaction: idempotency, expectations, numbers, MACs, rows."""

import os
import sqlite3
from datetime import UTC, datetime
from typing import Any

import msgspec

from lighthouse.events import schema
from lighthouse.events.chain import Head, Signer
from lighthouse.events.errors import Conflict
from lighthouse.events.event import Checked, Event, timestamp
from lighthouse.events.request import Request

_VARIANT = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}


class Place(msgspec.Struct, frozen=True):
    """Where the next event goes: after `head`, at the time `ts`."""

    head: Head
    ts: str

    def now(self) -> "Place":
        """The same place at this moment; a clock set back does not turn the log's time back."""
        return Place(self.head, max(timestamp(datetime.now(UTC)), self.ts))

    def after(self, events: list[Event]) -> "Place":
        """The place that follows `events`."""
        if not events:
            return self
        return Place(Head(events[-1].seq, events[-1].mac), events[-1].ts)


class Rows:
    """The rows of a transaction's requests, inserted together: one by one they would take twice as long.

    Whoever looks into the table for what stands there before a request calls `insert` first. What one
    statement takes is a transaction by itself: each further one would give up the interpreter, and then wait
    for it.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._waiting: list[tuple[Any, ...]] = []
        self._begun = False

    def add(self, rows: list[tuple[Any, ...]]) -> None:
        """Keep the rows of a request that is whole."""
        self._waiting += rows

    def insert(self) -> None:
        """Bring what waits into the table, within a transaction. Raises sqlite3.Error."""
        if self._waiting:
            if not self._begun:
                self.connection.execute("BEGIN IMMEDIATE")
                self._begun = True
            schema.insert_rows(self.connection, self._waiting)
            self._waiting = []

    def commit(self) -> None:
        """Have all rows on the disk when this returns. Raises sqlite3.Error."""
        if self._begun or len(self._waiting) > schema.CHUNK:
            self.insert()
            self.connection.execute("COMMIT")
        elif self._waiting:
            schema.insert_rows(self.connection, self._waiting)


def insert(rows: Rows, signer: Signer, place: Place, request: Request) -> tuple[list[Event], list[Event]]:
    """The events that answer `request`, and those of them that are new; their rows are left with `rows`.

    Raises Conflict, and then has written nothing: a transaction with other requests in it goes on.
    """
    answer: list[Event] = []
    new: list[Event] = []
    added: list[tuple[Any, ...]] = []
    keys: dict[str, tuple[str | None, Event]] = {}
    seq, prev, ts, agent = place.head.seq, place.head.mac, place.ts, request.agent_id
    for draft, id in zip(request.drafts, _random_ids(len(request.drafts)), strict=True):
        if draft.idem_key is not None:
            earlier = keys.get(draft.idem_key) or _earlier(rows, agent, draft.idem_key)
            if earlier is not None:
                answer.append(_same(draft, *earlier))
                continue
        if draft.expected_seq is not None:
            _expect(rows, draft)
        seq += 1
        data = msgspec.Raw(draft.data)
        event = signer.sign(prev, seq, id, ts, draft.type, draft.stream, agent, data)
        prev = event.mac
        if draft.idem_key is not None:
            keys[draft.idem_key] = (draft.idem_digest, event)
        own = (seq, id, ts, draft.type, draft.stream, agent, draft.data.decode(), event.prev, event.kid, prev)
        added.append((*own, draft.idem_key, draft.idem_digest))
        answer.append(event)
        new.append(event)
    rows.add(added)
    return answer, new


def _random_ids(count: int) -> list[str]:
    """UUIDs of version 4, as `uuid.uuid4` makes them, many at a time."""
    digits = os.urandom(16 * count).hex()
    return [
        f"{digits[p : p + 8]}-{digits[p + 8 : p + 12]}-4{digits[p + 13 : p + 16]}-"
        f"{_VARIANT[digits[p + 16]]}{digits[p + 17 : p + 20]}-{digits[p + 20 : p + 32]}"
        for p in range(0, 32 * count, 32)
    ]


def _same(draft: Checked, digest: str | None, event: Event) -> Event:
    if digest != draft.idem_digest:
        raise Conflict(
            f"the idempotency key was used for other content, event {event.seq}",
            "use a new key for a new event",
            actual=event.seq,
        )
    return event


def _earlier(rows: Rows, agent_id: str, key: str) -> tuple[str | None, Event] | None:
    rows.insert()
    connection = rows.connection
    where = "WHERE agent_id = ? AND idem_key = ?"
    row = connection.execute(f"{schema.SELECT} {where}", (agent_id, key)).fetchone()
    if row is None:
        return None
    (digest,) = connection.execute("SELECT idem_digest FROM events WHERE seq = ?", (row[0],)).fetchone()
    return digest, schema.to_event(row)


def _expect(rows: Rows, draft: Checked) -> None:
    # the request's own rows are added after all are checked, so the stream is seen as it was before
    rows.insert()
    sql = "SELECT coalesce(max(seq), 0) FROM events WHERE stream = ?"
    (actual,) = rows.connection.execute(sql, (draft.stream,)).fetchone()
    if actual != draft.expected_seq:
        raise Conflict(
            f"stream {draft.stream!r} stands at event {actual}, not at {draft.expected_seq}",
            "read what was added, then try again",
            actual=actual,
        )
