"""The event store on this machine, for commands that work without a bridge: its folder and its keys."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lighthouse.errors import LighthouseError

if TYPE_CHECKING:
    from lighthouse.events import Event
    from lighthouse.keys import KeyRing

PAGE = 1000


class LocalStore(NamedTuple):
    """A store's folder and the keys of its installation."""

    folder: Path
    keyring: "KeyRing"


def locate(state: Path | None) -> LocalStore:
    """The store of a `serve` with this state folder; without one, that of the bridge's settings."""
    return LocalStore(_folder(state), keyring(state))


def keyring(state: Path | None) -> "KeyRing":
    """The installation's keys, from the state folder or the bridge's settings. Makes no secret."""
    from lighthouse.keys import KeyRing, load_secret

    if state is None:
        from lighthouse.config import load

        return KeyRing(load_secret(load(os.environ).secret_environment(), create_at=None))
    secret = state / "secret"
    if not secret.exists():
        raise LighthouseError(
            f"there is no secret in {state}", "name the state folder of a `lighthouse serve`"
        )
    return KeyRing(load_secret({"LIGHTHOUSE_AUTH_SECRET_FILE": str(secret)}, create_at=None))


def read_events(folder: Path, from_seq: int, to_seq: int | None) -> Iterator["Event"]:
    """The events of a store in order, without writing to it, also beside a bridge that does."""
    from lighthouse.events import schema

    with _reading(folder) as connection:
        last = max(from_seq, 1) - 1
        while page := schema.read_after(connection, last, PAGE):
            for event in page:
                if to_seq is not None and event.seq > to_seq:
                    return
                yield event
            last = page[-1].seq


def last_seq(folder: Path) -> int:
    """The number of the store's last event, 0 when it has none."""
    with _reading(folder) as connection:
        (last,) = connection.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()
        return int(last)


@contextmanager
def _reading(folder: Path) -> Iterator[sqlite3.Connection]:
    from lighthouse.events import StoreRefused, schema

    database = folder / schema.DATABASE
    if not database.exists():
        raise StoreRefused(f"there is no event store in {folder}", "name the folder that holds events.db")
    connection = schema.connect_reader(database)
    try:
        try:
            filled = schema.check_schema(connection)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_CANTOPEN:
                raise
            # Not ours to write, so SQLite cannot make its -shm: the file is read as it lies there.
            connection.close()
            connection = schema.connect_reader(database, unchanging=True)
            filled = schema.check_schema(connection)
        if not filled:
            raise StoreRefused(f"the event store in {folder} was never used", "start the bridge once")
        yield connection
    except sqlite3.Error as error:
        raise StoreRefused(
            f"the event store in {folder} cannot be read ({error})", "run `events verify`"
        ) from error
    finally:
        connection.close()


def _folder(state: Path | None) -> Path:
    if state is not None:
        return state / "events"
    from lighthouse.config import load

    return load(os.environ).event_store
