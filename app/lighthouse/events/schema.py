"""The tables of the log, their versions, and the connections to them."""

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from urllib.parse import quote

import msgspec
from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from lighthouse.events.errors import StoreRefused
from lighthouse.events.event import Event

VERSION = 1
DATABASE = "events.db"
ANCHOR = "anchor"
LOCK = "lock"

PAGE = 4096
MAX_PAGES = 2**30 - 1
# A checkpoint takes some milliseconds, hardly more for more pages, and an event that falls into it waits.
WAL_PAGES = 8000
WAL_KEPT = 64 * 1024 * 1024

migrations = Migrations("events")

_ROW = f"({','.join(['?'] * 12)})"
SELECT = "SELECT seq, id, ts, type, stream, agent_id, CAST(data AS BLOB), prev, kid, mac FROM events"
CHUNK = 64
INSERTS = {rows: "INSERT INTO events VALUES " + ",".join([_ROW] * rows) for rows in range(1, CHUNK + 1)}  # noqa: S608 nothing of a caller is in it
"""By the number of rows that one statement stores: many at once take half the time of as many statements."""

_OBJECTS = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite%' AND name NOT LIKE 'idx%'"
# No index on id: nothing looks events up by it, and random keys would make every commit touch many pages.
_TABLE = """
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    ts TEXT NOT NULL,
    type TEXT NOT NULL,
    stream TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    data TEXT NOT NULL,
    prev TEXT NOT NULL,
    kid TEXT NOT NULL,
    mac TEXT NOT NULL,
    idem_key TEXT,
    idem_digest TEXT
)
"""
_PARTS = {
    "events": _TABLE,
    "events_stream": "CREATE INDEX events_stream ON events (stream, seq)",
    "events_type": "CREATE INDEX events_type ON events (type, seq)",
    "events_agent": "CREATE INDEX events_agent ON events (agent_id, seq)",
    "events_idempotency": """
CREATE UNIQUE INDEX events_idempotency ON events (agent_id, idem_key) WHERE idem_key IS NOT NULL
""",
    "events_no_update": """
CREATE TRIGGER events_no_update BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are never changed'); END
""",
    "events_no_delete": """
CREATE TRIGGER events_no_delete BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are never removed'); END
""",
}


@migrations()
def m001_events(db: Database) -> None:
    """The table of events, its indexes, and the triggers that make it insert-only."""
    for sql in _PARTS.values():
        db.execute(sql)
    db.execute(f"PRAGMA user_version = {VERSION}")


def connect_writer(path: Path) -> sqlite3.Connection:
    """A connection that makes a commit durable before it returns."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=5.0, check_same_thread=False)
    connection.execute(f"PRAGMA page_size = {PAGE}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
    connection.execute(f"PRAGMA journal_size_limit = {WAL_KEPT}")
    return connection


def limit(connection: sqlite3.Connection, max_bytes: int | None) -> None:
    """Let the database file grow to `max_bytes` (None: as far as the disk goes)."""
    pages = MAX_PAGES if max_bytes is None else max(1, max_bytes // PAGE)
    connection.execute(f"PRAGMA max_page_count = {pages}")


def connect_reader(path: Path, *, unchanging: bool = False) -> sqlite3.Connection:
    """A connection that cannot write; `unchanging` also leaves no -wal and -shm beside a file at rest."""
    mode = "mode=ro&immutable=1" if unchanging else "mode=ro"
    uri = f"file:{quote(str(path))}?{mode}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=5.0, check_same_thread=False)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the tables to VERSION."""
    migrations.apply(Database(connection))


def check_schema(connection: sqlite3.Connection) -> bool:
    """Whether there are tables yet; raises StoreRefused for a newer schema or one that is not ours."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise StoreRefused(
            f"the event store has schema {version}, this Lighthouse knows {VERSION}",
            "use the newer Lighthouse",
        )
    found = {name: " ".join((sql or "").split()) for name, sql in connection.execute(_OBJECTS)}
    if not found.keys() - {"_sqlite_migrations"}:
        return False
    for name, sql in _PARTS.items():
        if found.get(name) != " ".join(sql.split()):
            raise StoreRefused(f"the event store's {name} is missing or altered", "restore it from a backup")
    return True


def to_event(row: tuple[int, str, str, str, str, str, bytes, str, str, str]) -> Event:
    """A row of SELECT as an event."""
    seq, id, ts, type, stream, agent_id, data, prev, kid, mac = row
    return Event(seq, id, ts, type, stream, agent_id, msgspec.Raw(data), prev, kid, mac)


def read_after(connection: sqlite3.Connection, seq: int, limit: int) -> list[Event]:
    """Up to `limit` events that follow `seq`, ascending."""
    rows: Iterable[tuple[int, str, str, str, str, str, bytes, str, str, str]] = connection.execute(
        f"{SELECT} WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit)
    )
    return [to_event(row) for row in rows]


def insert_rows(connection: sqlite3.Connection, rows: Sequence[tuple[object, ...]]) -> None:
    """Add rows of all twelve columns, in the table's order; up to CHUNK of them by one statement."""
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        connection.execute(INSERTS[len(part)], list(chain.from_iterable(part)))
