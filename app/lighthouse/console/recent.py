"""The log read backwards: the newest events that match, page by page, without ever holding much of it."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from lighthouse.events import Event, EventStore, Query

STEP, MOST_STEP = 500, 4000
# So far one page looks; a link goes on from there.
REACH = 20_000
_NO_DATA = msgspec.Raw(b"{}")


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
    with_data: bool = True,
) -> Recent:
    """The `wanted` newest events before event `before`. Raises InvalidQuery, StoreUnavailable.

    Without their data many can be held, however large they are.
    """
    high = store.head.seq if before is None else min(before - 1, store.head.seq)
    reached = max(0, high - REACH)
    found: list[Event] = []
    step = STEP
    while high > reached:
        low = max(reached, high - step) + 1
        query = Query(type=type, agent_id=agent_id, from_seq=low, to_seq=high, limit=1000)
        found.extend(await _newest(store, query, wanted - len(found), takes, with_data))
        if len(found) == wanted:
            return Recent(found, found[-1].seq if found[-1].seq > 1 else None)
        high = low - 1
        step = min(step * 2, MOST_STEP)
    return Recent(found, high + 1 if high > 0 else None)


async def _newest(
    store: EventStore, query: Query, wanted: int, takes: Callable[[Event], bool], with_data: bool
) -> Iterable[Event]:
    # Of a step no more is held than is wanted: its events may be large.
    newest = deque[Event](maxlen=wanted)
    while True:
        page = await store.query(query)
        taken = (event for event in page.events if takes(event))
        newest.extend(taken if with_data else (replace(event, data=_NO_DATA) for event in taken))
        if page.next_cursor is None:
            return reversed(newest)
        query = replace(query, cursor=page.next_cursor)
