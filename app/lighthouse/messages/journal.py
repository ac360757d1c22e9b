"""Messages in the log: how those that may still wait to be acknowledged are found again."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import msgspec

from lighthouse.events import Event, EventStore, Query, events_of
from lighthouse.events.event import timestamp
from lighthouse.messages.message import STREAM

# A message that nobody acknowledged for so long is not delivered any more; it is found all the same.
KEPT_DAYS = 14


def earliest(now: float) -> str:
    """What was sent before this time is not delivered any more."""
    return timestamp(datetime.fromtimestamp(now, UTC) - timedelta(days=KEPT_DAYS))


def history(store: EventStore, since: str) -> AsyncIterator[Event]:
    """The events of messages since then, in their order."""
    return events_of(store, Query(stream=STREAM, type="message.*", since=since, limit=1000))


async def newest(store: EventStore) -> int:
    """The last event of the room, 0 where there is none."""
    low = 0
    query = Query(stream=STREAM, type="message.*", limit=1)
    high = store.head.seq
    # By halves: there is no asking from the end.
    while low < high:
        middle = (low + high) // 2
        page = await store.query(msgspec.structs.replace(query, from_seq=middle + 1))
        if page.events:
            low = page.events[0].seq
        else:
            high = middle
    return low


async def seen(store: EventStore, agent_id: str) -> bool:
    """Whether the log has an event of this agent."""
    return bool((await store.query(Query(agent_id=agent_id, limit=1))).events)
