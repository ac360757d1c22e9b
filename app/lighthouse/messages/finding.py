"""Questions to the index, each answered on one connection within its time, the latest first."""

import sqlite3
from collections.abc import Iterable
from typing import Any

import msgspec

from lighthouse.messages.found import Thread, Wanted
from lighthouse.messages.message import Posted, id_of

PAGE_BYTES = 512 * 1024

_COLUMNS = "m.seq, m.thread, m.agent_id, m.addressed, m.subject, m.body, m.sent_at, m.left_out"
_ONE = f"SELECT {_COLUMNS} FROM messages m WHERE m.seq = ?"  # noqa: S608 nothing of a caller is in it
_RECIPIENTS = "SELECT agent_id, acknowledged_at FROM recipients WHERE message = ? ORDER BY agent_id"
_THREADS = """
SELECT t.seq, first.subject, first.agent_id, t.messages, first.sent_at, latest.sent_at, t.last
FROM threads t JOIN messages first ON first.seq = t.seq JOIN messages latest ON latest.seq = t.last
WHERE t.last < ? ORDER BY t.last DESC LIMIT ?
"""
_THREADS_OF_ONE = """
SELECT t.seq, first.subject, first.agent_id, t.messages, first.sent_at, latest.sent_at, t.last
FROM threads t JOIN messages first ON first.seq = t.seq JOIN messages latest ON latest.seq = t.last
WHERE t.last < ? AND EXISTS (SELECT 1 FROM parties p WHERE p.agent_id = ? AND p.thread = t.seq)
ORDER BY t.last DESC LIMIT ?
"""
_UNREAD = """
SELECT count(*) FROM messages m CROSS JOIN recipients r ON r.agent_id = ? AND r.message = m.seq
WHERE m.thread = ? AND r.acknowledged_at IS NULL
"""
LAST = 2**63 - 1


class Page(msgspec.Struct):
    """What was found until the time was over; `following` is where the next page begins."""

    messages: list[Posted]
    following: int | None = None
    timed_out: bool = False


class Threads(msgspec.Struct):
    """As `Page`."""

    threads: list[Thread]
    following: int | None = None
    timed_out: bool = False


def find(connection: sqlite3.Connection, wanted: Wanted) -> Page:
    """A page of messages. Raises sqlite3.Error, but not where the time was over."""
    sql, values = _statement(wanted)
    page, size = Page([]), 0
    try:
        for row in connection.execute(sql, values):
            if len(page.messages) == wanted.limit or size > PAGE_BYTES:
                page.following = page.messages[-1].seq
                break
            found = _posted(connection, row)
            page.messages.append(found)
            size += len(found.body) + 80 * len(found.recipients)
    except sqlite3.OperationalError as error:
        if not interrupted(error):
            raise
        page.timed_out = True
        page.following = page.messages[-1].seq if page.messages else None
    return page


def one(connection: sqlite3.Connection, seq: int) -> Posted | None:
    """The message that event `seq` sent."""
    row = connection.execute(_ONE, (seq,)).fetchone()
    return None if row is None else _posted(connection, row)


def root(connection: sqlite3.Connection, seq: int) -> tuple[int, list[str]] | None:
    """The thread that message `seq` is in, and who wrote in it or was written to."""
    found = connection.execute("SELECT thread FROM messages WHERE seq = ?", (seq,)).fetchone()
    return None if found is None else (found[0], _parties(connection, found[0]))


def threads(
    connection: sqlite3.Connection, caller: str, agent_id: str | None, limit: int, before: int | None
) -> Threads:
    """A page of threads, of all or of those that one agent is in."""
    values: tuple[Any, ...] = (before or LAST, limit + 1)
    sql = _THREADS
    if agent_id is not None:
        sql, values = _THREADS_OF_ONE, (before or LAST, agent_id, limit + 1)
    page, last = Threads([]), 0
    try:
        for seq, subject, begun_by, messages, begun_at, last_at, latest in connection.execute(sql, values):
            if len(page.threads) == limit:
                page.following = last
                break
            (unread,) = connection.execute(_UNREAD, (caller, seq)).fetchone()
            agents = _parties(connection, seq)
            shown = Thread(
                id_of(seq), subject, begun_by, agents, messages, unread, begun_at, last_at, id_of(latest)
            )
            page.threads.append(shown)
            last = latest
    except sqlite3.OperationalError as error:
        if not interrupted(error):
            raise
        page.timed_out = True
        page.following = last or None
    return page


def interrupted(error: sqlite3.Error) -> bool:
    """Whether a statement ended because its time was over."""
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT


def _statement(wanted: Wanted) -> tuple[str, list[Any]]:
    # The CROSS JOINs keep the order that is written, which begins with what is rarest.
    tables, key = "messages m", "m.seq"
    conditions: list[str] = []
    values: list[Any] = []
    if wanted.match is not None:
        tables, key = "words CROSS JOIN messages m ON m.seq = words.rowid", "words.rowid"
        conditions.append("words MATCH ?")
        values.append(wanted.match)
    elif wanted.to is not None and wanted.thread is None:
        tables, key = "recipients r CROSS JOIN messages m ON m.seq = r.message", "r.message"
        conditions.append("r.agent_id = ?")
        values.append(wanted.to)
    if wanted.to is not None and key != "r.message":
        conditions.append("EXISTS (SELECT 1 FROM recipients r WHERE r.agent_id = ? AND r.message = m.seq)")
        values.append(wanted.to)
    if wanted.thread is not None:
        conditions.append("m.thread = (SELECT thread FROM messages WHERE seq = ?)")
        values.append(wanted.thread)
    if wanted.agent_id is not None:
        conditions.append("m.agent_id = ?")
        values.append(wanted.agent_id)
    for sign, place in (("<", wanted.before), (">", wanted.after)):
        if place is not None:
            conditions.append(f"{key} {sign} ?")
            values.append(place)
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    order = "ASC" if wanted.thread is not None else "DESC"
    # Of a caller's there are values alone in it.
    sql = f"SELECT {_COLUMNS} FROM {tables} {where} ORDER BY {key} {order} LIMIT ?"  # noqa: S608
    return sql, [*values, wanted.limit + 1]


def _posted(connection: sqlite3.Connection, row: tuple[Any, ...]) -> Posted:
    seq, thread, agent_id, to, subject, body, sent_at, left_out = row
    recipients: Iterable[tuple[str, str | None]] = connection.execute(_RECIPIENTS, (seq,))
    return Posted(
        id_of(seq),
        id_of(thread),
        agent_id,
        to,
        subject,
        body,
        sent_at,
        seq,
        dict(recipients),
        msgspec.json.decode(left_out, type=list[str]),
    )


def _parties(connection: sqlite3.Connection, thread: int) -> list[str]:
    rows = connection.execute("SELECT agent_id FROM parties WHERE thread = ? ORDER BY agent_id", (thread,))
    return [agent_id for (agent_id,) in rows]
