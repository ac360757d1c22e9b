"""Leases in the log: how they are found again from their events."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

from lighthouse.events import Event, EventStore, Query, events_of
from lighthouse.events.event import timestamp
from lighthouse.leases.lease import REREAD, STREAM, Lease, begins, from_event

# Longer than any lease lasts, with the wait for it.
KEPT_DAYS = 8
# A look-up of a lease that nobody keeps in memory any more ends after so many pages of the log.
MAX_PAGES = 20


async def history(store: EventStore, after: int | None = None) -> AsyncIterator[Event]:
    """The events of all leases that may not be over, in their order; or all after the event `after`."""
    since = None if after is not None else timestamp(datetime.now(UTC) - timedelta(days=KEPT_DAYS))
    query = Query(stream=STREAM, type="lease.*", from_seq=(after or 0) + 1, since=since, limit=1000)
    async for event in events_of(store, query):
        if event.type != REREAD:
            yield event


async def look_up(store: EventStore, seq: int) -> Lease | None:
    """The lease that event `seq` began, as the log tells it; None where it began none."""
    query = Query(stream=STREAM, type="lease.*", from_seq=seq, limit=1000)
    lease: Lease | None = None
    async with aclosing(events_of(store, query, MAX_PAGES)) as events:
        async for event in events:
            if lease is None:
                if event.seq != seq or not begins(event):
                    return None
                lease = from_event(event)
            elif event.value.get("id") == lease.id:
                lease.take(event)
            if lease.over:
                break
    return lease
