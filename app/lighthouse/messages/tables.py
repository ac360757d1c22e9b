"""The tables of the index, whether they are whole, and the connections to them.

All of it is made from the log and can be made again: whatever is wrong with it is a reason to begin anew.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

DATABASE = "messages.db"
VERSION = 1
# Looking at all of it takes a second for so much; a larger one is looked at less closely.
CHECKED_WHOLE_BELOW = 64 * 1024 * 1024
# So many steps of SQLite's machine between two looks at the clock: some milliseconds at most.
STEPS = 10_000

_DAMAGE = (
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_SCHEMA,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_FORMAT,
)
_LOST = ("no such table", "SQL logic error", "vtable constructor failed", "malformed database schema")
_PARTS = {
    "meta": "CREATE TABLE meta (covered_to INTEGER NOT NULL, mac TEXT NOT NULL)",
    "messages": """
CREATE TABLE messages (
    seq INTEGER PRIMARY KEY,
    thread INTEGER NOT NULL,
    agent_id TEXT NOT NULL,
    addressed TEXT,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    sent_at TEXT NOT NULL,
    left_out TEXT NOT NULL
)""",
    "messages_thread": "CREATE INDEX messages_thread ON messages (thread, seq)",
    "messages_agent": "CREATE INDEX messages_agent ON messages (agent_id, seq)",
    "recipients": """
CREATE TABLE recipients (
    agent_id TEXT NOT NULL,
    message INTEGER NOT NULL,
    acknowledged_at TEXT,
    PRIMARY KEY (agent_id, message)
) WITHOUT ROWID""",
    "recipients_message": "CREATE INDEX recipients_message ON recipients (message)",
    "threads": """
CREATE TABLE threads (
    seq INTEGER PRIMARY KEY,
    last INTEGER NOT NULL,
    messages INTEGER NOT NULL
)""",
    "threads_last": "CREATE INDEX threads_last ON threads (last)",
    "parties": """
CREATE TABLE parties (
    agent_id TEXT NOT NULL,
    thread INTEGER NOT NULL,
    PRIMARY KEY (agent_id, thread)
) WITHOUT ROWID""",
    "parties_thread": "CREATE INDEX parties_thread ON parties (thread)",
    # In no quotes of a caller's text: see words.py.
    "words": """
CREATE VIRTUAL TABLE words USING fts5(
    subject, body, content='messages', content_rowid='seq', tokenize='unicode61 remove_diacritics 2'
)""",
}
_OBJECTS = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'words!_%' ESCAPE '!' AND sql IS NOT NULL"
_COUNTS = """
SELECT (SELECT count(*) FROM messages), (SELECT coalesce(sum(messages), 0) FROM threads),
       (SELECT count(*) FROM words_docsize), (SELECT count(*) FROM meta)
"""


class Damaged(Exception):
    """The index is not what this program made of the log."""


def connect(path: Path) -> sqlite3.Connection:
    """The connection that writes. What a power cut takes of it is made again from the log."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=5.0, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that cannot write."""
    uri = f"file:{quote(str(path))}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=1.0)) as connection:
        connection.execute("PRAGMA query_only = ON")
        yield connection


def create(connection: sqlite3.Connection) -> None:
    """The tables, empty."""
    connection.execute("BEGIN IMMEDIATE")
    for sql in _PARTS.values():
        connection.execute(sql)
    connection.execute("INSERT INTO meta VALUES (0, '')")
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Raises Damaged, or sqlite3.DatabaseError, unless it is whole as far as can be told from itself."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != VERSION:
        raise Damaged(f"it has the form {version}, not {VERSION}")
    found = {name: " ".join(sql.split()) for name, sql in connection.execute(_OBJECTS)}
    if found != {name: " ".join(sql.split()) for name, sql in _PARTS.items()}:
        raise Damaged("its tables are others")
    if path.stat().st_size <= CHECKED_WHOLE_BELOW:
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise Damaged(verdict)
        connection.execute("INSERT INTO words (words, rank) VALUES ('integrity-check', 1)")
    messages, in_threads, in_words, heads = connection.execute(_COUNTS).fetchone()
    if not (messages == in_threads == in_words and heads == 1):
        raise Damaged("its tables do not agree with each other")


def head(connection: sqlite3.Connection) -> tuple[int, str]:
    """The last event that is in it, with its MAC; 0 for none."""
    seq, mac = connection.execute("SELECT covered_to, mac FROM meta").fetchone()
    return seq, mac


def remove(path: Path) -> None:
    """Take the files away; nobody may have them open."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def is_damage(error: sqlite3.Error, *, searched: bool = False) -> bool:
    """Whether the error says something about the file, and not about the disk or what was searched for."""
    code = getattr(error, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_ERROR:
        # The text of every statement is ours: one that SQLite does not understand has lost its table.
        return not searched or str(error).startswith(_LOST)
    return code is not None and code & 0xFF in _DAMAGE
