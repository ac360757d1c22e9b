"""Collaborations in the log: what their events say, and how they are found again from them."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from lighthouse.collaboration.collaboration import (
    DELIVERED,
    LIFE_SECONDS,
    REQUESTED,
    REREAD,
    STARTED,
    STREAM,
)
from lighthouse.collaboration.held import Held
from lighthouse.events import Draft, Event, EventStore, Query, events_of
from lighthouse.events.event import timestamp
from lighthouse.validation.bounded import without_tokens

# A day longer than any of them lasts.
KEPT = timedelta(seconds=LIFE_SECONDS + 86400)
PREFIXES = ("collaboration.", "pair.")


class _About(msgspec.Struct):
    """Which one an event is about; its beginning names none."""

    id: str = ""


def draft(type: str, data: dict[str, Any], key: str | None = None) -> Draft:
    """An event of this room."""
    return Draft(type, without_tokens(data), STREAM, key)


def about(event: Event) -> str:
    """The id of what an event of the stream is about; empty where it is none of this room's."""
    if not event.type.startswith(PREFIXES):
        return ""
    if event.type in (STARTED, REQUESTED):
        return f"c{event.seq}"
    return msgspec.json.decode(event.data, type=_About).id


def history(store: EventStore) -> AsyncIterator[Event]:
    """The events of all that may still go on, or ended not long ago, in their order."""
    since = timestamp(datetime.now(UTC) - KEPT)
    return events_of(store, Query(stream=STREAM, since=since, limit=1000))


async def events(store: EventStore, session_id: str, from_seq: int, to_seq: int) -> AsyncIterator[Event]:
    """The record of one of them between two numbers, both included."""
    query = Query(stream=STREAM, from_seq=from_seq, to_seq=to_seq, limit=1000)
    async for event in events_of(store, query):
        if event.type not in (DELIVERED, REREAD) and about(event) == session_id:
            yield event


async def look_up(store: EventStore, seq: int) -> Held | None:
    """The one that event `seq` began, as the log tells it; None where it began none."""
    first = await store.query(Query(from_seq=seq, to_seq=seq, limit=1))
    if not first.events or first.events[0].type not in (STARTED, REQUESTED):
        return None
    held = Held(first.events[0])
    until = timestamp(datetime.fromisoformat(held.session.started_at) + KEPT)
    query = Query(stream=STREAM, from_seq=seq + 1, until=until, limit=1000)
    async with aclosing(events_of(store, query)) as events:
        async for event in events:
            if about(event) == held.session.id:
                held.take(event)
                if held.session.ended:
                    break
    return held
