"""All events of a query, page by page."""

from collections.abc import AsyncGenerator

import msgspec

from lighthouse.events.event import Event
from lighthouse.events.query import Query
from lighthouse.events.store import EventStore


async def events_of(
    store: EventStore, query: Query, max_pages: int | None = None
) -> AsyncGenerator[Event, None]:
    """Those of `max_pages` pages where a number is given, else all."""
    pages = 0
    while max_pages is None or pages < max_pages:
        page = await store.query(query)
        for event in page.events:
            yield event
        if page.next_cursor is None:
            return
        query = msgspec.structs.replace(query, cursor=page.next_cursor)
        pages += 1
