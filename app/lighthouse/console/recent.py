"""The log read backwards: the newest events that match, page by page, without ever holding much of it."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from lighthouse.events import Event, EventStore, Query

STEP, MOST_STEP = 500, 4000
# So far one page looks; a link goes on from there.
REACH = 20_000


@dataclass(frozen=True, slots=True)
class Recent:
    """Events, the newest first; `before` is where older ones go on, None at the beginning of the log."""

    events: list[Event]
    before: int | None


async def recent(
    store: EventStore,
    *,
    wanted: int,
    before: int | None = None,
    type: str | None = None,
    agent_id: str | None = None,
    takes: Callable[[Event], bool] = lambda event: True,
) -> Recent:
    """The `wanted` newest events before event `before`. Raises InvalidQuery, StoreUnavailable."""
    high = store.head.seq if before is None else min(before - 1, store.head.seq)
    reached = max(0, high - REACH)
    found: list[Event] = []
    step = STEP
    while high > reached:
        low = max(reached, high - step) + 1
        page = await _all(store, Query(type=type, agent_id=agent_id, from_seq=low, to_seq=high, limit=1000))
        for event in reversed(page):
            if takes(event):
                found.append(event)
                if len(found) == wanted:
                    return Recent(found, event.seq if event.seq > 1 else None)
        high = low - 1
        step = min(step * 2, MOST_STEP)
    return Recent(found, high + 1 if high > 0 else None)


async def _all(store: EventStore, query: Query) -> list[Event]:
    events: list[Event] = []
    while True:
        page = await store.query(query)
        events += page.events
        if page.next_cursor is None:
            return events
        query = msgspec.structs.replace(query, cursor=page.next_cursor)
