"""What the index takes from the log: each event once, with the place in the log it stands at, or nothing."""

import sqlite3
from collections.abc import Sequence

import msgspec

from lighthouse.events import Event
from lighthouse.messages.message import DELIVERED, SENT, from_event, seq_of

_MESSAGE = "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_WORDS = "INSERT INTO words (rowid, subject, body) VALUES (?, ?, ?)"
_RECIPIENT = "INSERT INTO recipients VALUES (?, ?, NULL)"
_THREAD = """
INSERT INTO threads VALUES (?, ?, 1)
ON CONFLICT (seq) DO UPDATE SET last = excluded.last, messages = messages + 1
"""
_PARTY = "INSERT OR IGNORE INTO parties VALUES (?, ?)"
_DELIVERED = """
UPDATE recipients SET acknowledged_at = ? WHERE agent_id = ? AND message = ? AND acknowledged_at IS NULL
"""


def fill(connection: sqlite3.Connection, events: Sequence[Event]) -> None:
    """Add what these events say, all or nothing; they follow those that are in it. Raises sqlite3.Error."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for event in events:
            if event.type == SENT:
                _sent(connection, event)
            elif event.type == DELIVERED:
                row = (event.ts, event.agent_id, seq_of(event.value["id"]))
                connection.execute(_DELIVERED, row)
        last = events[-1]
        connection.execute("UPDATE meta SET covered_to = ?, mac = ?", (last.seq, last.mac))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _sent(connection: sqlite3.Connection, event: Event) -> None:
    posted = from_event(event)
    seq, thread = event.seq, seq_of(posted.thread)
    left_out = msgspec.json.encode(posted.left_out).decode()
    row = (seq, thread, posted.agent_id, posted.to, posted.subject, posted.body, posted.sent_at, left_out)
    connection.execute(_MESSAGE, row)
    connection.execute(_WORDS, (seq, posted.subject, posted.body))
    connection.execute(_THREAD, (thread, seq))
    connection.executemany(_RECIPIENT, [(agent, seq) for agent in posted.recipients])
    connection.executemany(_PARTY, [(agent, thread) for agent in (posted.agent_id, *posted.recipients)])
