"""Proving the log: every event's MAC, every link, the head against its anchor; the first fault is named."""

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from lighthouse.events import schema
from lighthouse.events.anchor import read_anchor
from lighthouse.events.chain import EMPTY, GENESIS, Head, Signer
from lighthouse.events.errors import StoreRefused
from lighthouse.events.event import Event, canonical
from lighthouse.keys import KeyRing

Progress = Callable[[int, int], None]
"""Called now and then with the number of events checked and the number there is, in the checking thread."""

STEP = 1000


class VerifyReport(msgspec.Struct, frozen=True):
    """What was proved: `events` good ones in a row up to `head_seq`, or the first fault and why."""

    events: int
    head_seq: int
    ok: bool
    broken_seq: int | None = None
    reason: str | None = None


def verify_events(
    connection: sqlite3.Connection, keyring: KeyRing, noted: Head | None, on_progress: Progress | None = None
) -> VerifyReport:
    """Check all events; `noted` is the head that the log must contain, with that MAC."""
    signer = Signer(keyring)
    head = EMPTY
    try:
        (last,) = connection.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()
        while head.seq < last:
            for event in schema.read_after(connection, head.seq, STEP):
                fault = signer.fault(head, event)
                if fault is None and noted and event.seq == noted.seq and event.mac != noted.mac:
                    fault = event.seq, f"event {event.seq} is not the one its anchor noted"
                if fault is not None:
                    return VerifyReport(head.seq, head.seq, False, *fault)
                head = Head(event.seq, event.mac)
            if on_progress is not None:
                on_progress(head.seq, last)
    except sqlite3.Error as error:
        bad = head.seq + 1
        return VerifyReport(head.seq, head.seq, False, bad, f"event {bad} cannot be read: {error}")
    if noted is not None and noted.seq > head.seq:
        reason = f"event {head.seq + 1} is missing: the log ends, its anchor stands at event {noted.seq}"
        return VerifyReport(head.seq, head.seq, False, head.seq + 1, reason)
    return VerifyReport(head.seq, head.seq, True)


def verify_folder(folder: Path, keyring: KeyRing, on_progress: Progress | None = None) -> VerifyReport:
    """Check the store in `folder` without writing, also beside a bridge that writes to it.

    Raises StoreRefused when there is no store, or it cannot be judged: newer schema, another secret's anchor.
    """
    database = folder / schema.DATABASE
    if not database.exists():
        raise StoreRefused(f"there is no event store in {folder}", "name the folder that holds events.db")
    # read before the events: each commit comes before its anchor, so the log has all that the anchor says
    anchored = read_anchor(folder / schema.ANCHOR, keyring)
    try:
        with closing(_connect(database)) as connection:
            filled = schema.check_schema(connection)
            if not filled:
                return VerifyReport(0, 0, True)
            noted = None if anchored is None else anchored[0]
            report = verify_events(connection, keyring, noted, on_progress)
            # the chain proves the rows; this, that the indexes which queries go by agree with them
            (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.Error as error:
        return VerifyReport(0, 0, False, 1, f"event 1 cannot be read: {error}")
    if report.ok and anchored is None and report.events:
        return VerifyReport(report.events, report.head_seq, False, None, "the anchor is missing")
    if report.ok and verdict != "ok":
        return VerifyReport(
            report.events, report.head_seq, False, None, f"the database is damaged: {verdict}"
        )
    return report


def verify_lines(
    lines: Iterable[bytes | str], keyring: KeyRing, on_progress: Progress | None = None
) -> VerifyReport:
    """Check exported events, one JSON object a line; spacing and the order of keys do not matter.

    An export may start later than event 1: its first event is then taken as following the one before.
    """
    signer = Signer(keyring)
    head: Head | None = None
    count = 0
    for line in lines:
        if not line.strip():
            continue
        try:
            event = _from_line(line)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            bad = 1 if head is None else head.seq + 1
            at = bad - 1 if head is None else head.seq
            return VerifyReport(count, at, False, bad, f"event {bad} cannot be read: {error}")
        if head is None:
            head = Head(event.seq - 1, event.prev if event.seq > 1 else GENESIS)
        fault = signer.fault(head, event)
        if fault is not None:
            return VerifyReport(count, head.seq, False, *fault)
        head = Head(event.seq, event.mac)
        count += 1
        if on_progress is not None and count % STEP == 0:
            on_progress(count, count)
    return VerifyReport(count, 0 if head is None else head.seq, True)


def _from_line(line: bytes | str) -> Event:
    fields: dict[str, Any] = msgspec.json.decode(line, type=dict[str, Any])
    fields["data"] = msgspec.Raw(canonical(fields.get("data")))
    return msgspec.convert(fields, Event)


def _connect(database: Path) -> sqlite3.Connection:
    """Read beside a writer; where -shm cannot be made (a folder we may not write), as a file at rest."""
    connection = schema.connect_reader(database)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        connection.close()
        if error.sqlite_errorcode != sqlite3.SQLITE_CANTOPEN:
            raise
        connection = schema.connect_reader(database, unchanging=True)
    return connection
