"""What the tests of the log share: a folder, an open store, and the hands of one who tampers with it."""

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lighthouse.events import Draft, EventStore
from lighthouse.keys import KeyRing

Fill = Callable[[int], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the store is, or will be."""
    return tmp_path / "events"


@pytest.fixture
async def store(folder: Path, keyring: KeyRing) -> AsyncIterator[EventStore]:
    """An open store, empty at first."""
    store = EventStore.open(folder, keyring)
    yield store
    await store.close()


@pytest.fixture
def fill(folder: Path, keyring: KeyRing) -> Fill:
    """`fill(n)`: store n events in the folder, close it again."""

    def fill(count: int) -> None:
        store = EventStore.open(folder, keyring)
        for number in range(count):
            store.append_sync([Draft("note.added", {"n": number})], agent_id="ann")
        store.close_sync()

    return fill


@contextmanager
def _tampered(folder: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(folder / "events.db", isolation_level=None)
    triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    yield connection
    for _, sql in triggers:
        connection.execute(sql)
    connection.close()


@pytest.fixture
def tamper(folder: Path) -> Callable[..., None]:
    """`tamper(*sql)`: run statements on the closed store, past its triggers, which stand again afterwards."""

    def tamper(*statements: str) -> None:
        with _tampered(folder) as connection:
            for statement in statements:
                connection.execute(statement)

    return tamper
