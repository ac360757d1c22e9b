"""The tables of `contents.db`, and how the file is opened. docs/spec-shadow.md describes them."""

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from lighthouse.shadow.errors import ContentsRefused

VERSION = 2
DATABASE = "contents.db"
WAL_KEPT = 64 * 1024 * 1024

migrations = Migrations("shadow")

_TABLES = (
    "CREATE TABLE contents (hash BLOB PRIMARY KEY, size INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE chunks (hash BLOB NOT NULL, n INTEGER NOT NULL, codec INTEGER NOT NULL, "
    "data BLOB NOT NULL, PRIMARY KEY (hash, n)) WITHOUT ROWID",
    "CREATE TABLE trees (hash BLOB PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE versions (seq INTEGER PRIMARY KEY, root BLOB NOT NULL, ts TEXT NOT NULL, "
    "files INTEGER NOT NULL, bytes INTEGER NOT NULL)",
    "CREATE TABLE stamps (path BLOB PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID",
)


@migrations()
def m001_contents_trees_versions(db: Database) -> None:
    """Contents in chunks, trees, versions, and the stamps that spare unchanged files a second reading."""
    for statement in _TABLES:
        db.execute(statement)
    db.execute("PRAGMA user_version = 1")


@migrations()
def m002_versions_by_time(db: Database) -> None:
    """The version of a time is found without reading the others."""
    db.execute("CREATE INDEX versions_by_time ON versions (ts)")
    db.execute("PRAGMA user_version = 2")


def open_writer(folder: Path) -> sqlite3.Connection:
    """The one connection that writes, in autocommit mode; makes the file (0600) where there is none.

    Raises ContentsRefused for a newer schema, a damaged file or one that cannot be written, then unchanged.
    """
    path = folder / DATABASE
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = sqlite3.connect(path, isolation_level=None, timeout=5.0, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise ContentsRefused(f"{path} cannot be opened ({error})", "check owner and mode") from error
    try:
        _check_version(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_KEPT}")
        migrations.apply(Database(connection))
    except sqlite3.Error as error:
        connection.close()
        raise ContentsRefused(f"{path} cannot be used ({error})", "restore it from a backup") from error
    except ContentsRefused:
        connection.close()
        raise
    return connection


def open_reader(folder: Path) -> sqlite3.Connection:
    """A connection that cannot write; to be used under a lock."""
    uri = f"file:{quote(str(folder / DATABASE))}?mode=ro"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=5.0, check_same_thread=False)


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise ContentsRefused(
            f"{path} has schema {version}, this Lighthouse knows {VERSION}", "use the newer Lighthouse"
        )
