"""Opening a folder: everything is judged on a read-only look, before a byte of it is written."""

import fcntl
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from lighthouse.events import schema
from lighthouse.events.anchor import Anchor, read_anchor
from lighthouse.events.chain import EMPTY, Head, Signer
from lighthouse.events.errors import StoreRefused
from lighthouse.keys import KeyRing

CHECKED_TAIL = 1000
QUICK_CHECK_BELOW = 64 * 1024 * 1024


class Opened(msgspec.Struct):
    """A folder found good and made ready: what the writer starts from."""

    lock: int
    connection: sqlite3.Connection
    anchor: Anchor
    head: Head
    last_ts: str


def open_folder(folder: Path, keyring: KeyRing) -> Opened:
    """Lock, judge, then prepare `folder`; raises StoreRefused, then changed nothing of the log."""
    lock = _lock(folder)
    try:
        head, last_ts, slot = _judge(folder, keyring)
        try:
            connection = schema.connect_writer(folder / schema.DATABASE)
            try:
                schema.migrate(connection)
                anchor = _anchor(folder, keyring, head, slot)
            except BaseException:
                connection.close()
                raise
        except (sqlite3.Error, OSError) as error:
            raise StoreRefused(f"the event store in {folder} cannot be made ready", str(error)) from error
        return Opened(lock, connection, anchor, head, last_ts)
    except BaseException:
        os.close(lock)
        raise


def _lock(folder: Path) -> int:
    """The descriptor that holds the folder's lock; closing it, or the process's end, gives it back."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(folder / schema.LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreRefused(f"the event store's folder {folder} cannot be used", error.strerror) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise StoreRefused(
            f"another process holds the event store in {folder}", "stop it, or use another folder"
        ) from error
    return lock


def _anchor(folder: Path, keyring: KeyRing, head: Head, slot: int | None) -> Anchor:
    path = folder / schema.ANCHOR
    if slot is None:
        return Anchor.create(path, keyring, schema.VERSION, head)
    anchor = Anchor(path, keyring, schema.VERSION, slot)
    try:
        anchor.note(head)
        anchor.sync()
    except BaseException:
        anchor.close()
        raise
    return anchor


def _judge(folder: Path, keyring: KeyRing) -> tuple[Head, str, int | None]:
    """The head of the log, its last time stamp, and the anchor's slot (None: there is no anchor yet)."""
    anchored = read_anchor(folder / schema.ANCHOR, keyring)
    database = folder / schema.DATABASE
    # an empty file is what a crash leaves between the making of the database and its first table
    if not database.exists() or database.stat().st_size == 0:
        if anchored is not None and anchored[0].seq > 0:
            raise StoreRefused(
                f"the event store {database} is gone, its anchor stands at event {anchored[0].seq}",
                "restore it from a backup",
            )
        return EMPTY, "", None if anchored is None else anchored[1]
    try:
        with closing(schema.connect_reader(database, unchanging=_at_rest(database))) as connection:
            head, last_ts = _judge_events(
                connection, database, keyring, None if anchored is None else anchored[0]
            )
    except sqlite3.Error as error:
        raise StoreRefused(
            f"the event store {database} is damaged", f"restore it from a backup ({error})"
        ) from error
    return head, last_ts, None if anchored is None else anchored[1]


def _at_rest(database: Path) -> bool:
    """Whether all there is stands in the file itself, none in a write-ahead log that a crash left."""
    wal = database.with_name(database.name + "-wal")
    return not wal.exists() or wal.stat().st_size == 0


def _judge_events(
    connection: sqlite3.Connection, database: Path, keyring: KeyRing, anchored: Head | None
) -> tuple[Head, str]:
    connection.execute("BEGIN")
    if database.stat().st_size <= QUICK_CHECK_BELOW:
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise StoreRefused(
                f"the event store {database} is damaged", f"restore it from a backup ({verdict})"
            )
    filled = schema.check_schema(connection)
    (last,) = connection.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone() if filled else (0,)
    if anchored is None:
        if last > 0:
            raise StoreRefused(
                f"the event store {database} holds events, but its anchor is missing",
                "restore it from a backup",
            )
    elif anchored.seq > last:
        raise StoreRefused(
            f"the event store ends at event {last}, its anchor stands at {anchored.seq}: "
            "events were cut off or the file was rolled back",
            "restore it from a backup",
        )
    if last == 0:
        return EMPTY, ""
    return _judge_tail(connection, Signer(keyring), last, anchored or EMPTY)


def _judge_tail(
    connection: sqlite3.Connection, signer: Signer, last: int, anchored: Head
) -> tuple[Head, str]:
    """Check the chain over the last events and over all that the anchor does not know of."""
    start = max(0, min(anchored.seq - 1, last - CHECKED_TAIL))
    head, last_ts = EMPTY, ""
    if start > 0:
        before = schema.read_after(connection, start - 1, 1)
        head = Head(start, before[0].mac if before and before[0].seq == start else "")
    while head.seq < last:
        for event in schema.read_after(connection, head.seq, CHECKED_TAIL):
            fault = signer.fault(head, event)
            if fault is not None:
                raise StoreRefused(
                    f"the event store is not what was written: {fault[1]}",
                    "use the secret it was made with, or restore it from a backup",
                )
            head, last_ts = Head(event.seq, event.mac), event.ts
            if event.seq == anchored.seq and event.mac != anchored.mac:
                raise StoreRefused(
                    f"event {event.seq} is not the one its anchor noted", "restore the folder from a backup"
                )
    return head, last_ts
