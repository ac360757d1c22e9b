"""Searching the log: filters, pages and cursors, and the read-only connections that serve them."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from lighthouse.events import schema
from lighthouse.events.errors import InvalidQuery, StoreUnavailable
from lighthouse.events.event import Event, timestamp

MAX_LIMIT = 1000
MAX_SEQ = 2**63 - 2
PAGE_BYTES = 4 * 1024 * 1024
_CURSOR = "after-"

T = TypeVar("T")


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Which events, ascending by sequence number.

    `type` may end in `.*`. `from_seq` and `to_seq` are both included; of the RFC 3339 times `since` is
    included and `until` is not. `limit` is 1 to 1000; `cursor` is the `next_cursor` of the page before.
    """

    type: str | None = None
    stream: str | None = None
    agent_id: str | None = None
    from_seq: int | None = None
    to_seq: int | None = None
    since: str | None = None
    until: str | None = None
    limit: int = 100
    cursor: str | None = None


class Page(msgspec.Struct, frozen=True):
    """Events, and the cursor of the next page; None when nothing follows.

    A page may hold fewer than `limit` events, for large ones, and still have a cursor.
    """

    events: list[Event]
    next_cursor: str | None


def find(connection: sqlite3.Connection, query: Query, last: int, size_limit: int = PAGE_BYTES) -> Page:
    """The page that `query` asks for, nothing after event `last`; raises InvalidQuery.

    It ends with the event whose data exceed `size_limit` bytes.
    """
    if not 1 <= query.limit <= MAX_LIMIT:
        raise InvalidQuery(f"limit is not 1 to {MAX_LIMIT}", "ask for pages and follow next_cursor")
    if max(query.from_seq or 0, query.to_seq or 0) > MAX_SEQ:
        raise InvalidQuery(f"a sequence number is larger than {MAX_SEQ}", "no log is that long")
    low = max(1, query.from_seq or 1, _after(query.cursor) + 1)
    conditions: list[str] = []
    values: list[int | str] = []
    high = last if query.to_seq is None else min(max(0, query.to_seq), last)
    if query.since is not None:
        low = max(low, first_at(connection, _moment("since", query.since)))
    if query.until is not None:
        until = first_at(connection, _moment("until", query.until)) - 1
        high = min(high, until)
    conditions.append("seq <= ?")
    values.append(high)
    for column, wanted in (("type", query.type), ("stream", query.stream), ("agent_id", query.agent_id)):
        if wanted is None:
            continue
        if not wanted.isprintable():
            raise InvalidQuery(f"{column} is not printable text", "no event has such a name")
        if column == "type" and wanted.endswith(".*"):
            # '/' follows '.'; the + keeps SQLite from sorting all matches where it can walk in order
            conditions.append("+type >= ? AND +type < ?")
            values += [wanted[:-1], wanted[:-2] + "/"]
        else:
            conditions.append(f"{column} = ?")
            values.append(wanted)
    where = " AND ".join(["seq >= ?", *conditions])
    sql = f"{schema.SELECT} WHERE {where} ORDER BY seq LIMIT ?"
    events: list[Event] = []
    size = 0
    for row in connection.execute(sql, (low, *values, query.limit + 1)):
        if len(events) == query.limit or size > size_limit:
            return Page(events, f"{_CURSOR}{events[-1].seq}")
        event = schema.to_event(row)
        size += len(row[6])
        events.append(event)
    return Page(events, None)


def first_at(connection: sqlite3.Connection, ts: str) -> int:
    """The first sequence number whose time is not before `ts`; one past the head when there is none.

    Found by bisection: times never go back as sequence numbers grow, and have no gaps.
    """
    (high,) = connection.execute("SELECT coalesce(max(seq), 0) + 1 FROM events").fetchone()
    low = 1
    while low < high:
        middle = (low + high) // 2
        row = connection.execute("SELECT ts FROM events WHERE seq = ?", (middle,)).fetchone()
        if row is not None and row[0] < ts:
            low = middle + 1
        else:
            high = middle
    return low


def _after(cursor: str | None) -> int:
    if cursor is None:
        return 0
    number = cursor.removeprefix(_CURSOR)
    if number == cursor or not (number.isascii() and number.isdigit() and len(number) <= 18):
        raise InvalidQuery("the cursor is not one of this store", "use next_cursor as it was given")
    return int(number)


def _moment(name: str, text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return timestamp(moment)
    except (ValueError, OverflowError):
        pass
    raise InvalidQuery(f"{name} is not an RFC 3339 time", "send one like 2026-11-23T10:00:00Z")


class Readers:
    """Read-only connections, each used by one thread at a time, never on an event loop."""

    def __init__(self, database: Path, threads: int = 2) -> None:
        self._database = database
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(threads, "lighthouse-events-read")

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """`work(connection)` in a thread; raises StoreUnavailable when the database cannot be read."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._work, work)
        except RuntimeError as error:
            if "shutdown" not in str(error):
                raise
            raise StoreUnavailable("the event store is closed", "start the bridge again") from error

    def close(self) -> None:
        """Wait for what runs, then close the connections."""
        self._pool.shutdown(wait=True)
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    def _work(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            with self._lent() as connection:
                return work(connection)
        except sqlite3.Error as error:
            raise StoreUnavailable("the event store cannot be read", f"see to the disk ({error})") from error

    @contextmanager
    def _lent(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        connection = connection or schema.connect_reader(self._database)
        try:
            yield connection
        except sqlite3.Error:
            connection.close()
            raise
        except BaseException:
            self._give_back(connection)
            raise
        else:
            self._give_back(connection)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            self._idle.append(connection)
