"""Tasks in the log: how they are found again from their events."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

from lighthouse.events import Event, EventStore, Query, events_of
from lighthouse.events.event import timestamp
from lighthouse.tasks.task import DISPATCHED, ENDS, STREAM, Task, from_event

# Longer than any task may take.
KEPT_DAYS = 32
# A look-up of a task that nobody keeps in memory any more ends after so many pages of the log.
MAX_PAGES = 50


def history(store: EventStore) -> AsyncGenerator[Event, None]:
    """The events of all tasks that may still be open, in their order."""
    since = timestamp(datetime.now(UTC) - timedelta(days=KEPT_DAYS))
    return events_of(store, Query(stream=STREAM, type="task.*", since=since, limit=1000))


async def look_up(store: EventStore, seq: int, *, to_the_end: bool = False) -> Task | None:
    """The task that event `seq` dispatched, with its end; None where there is none that can be found."""
    first = await store.query(Query(from_seq=seq, to_seq=seq, limit=1))
    if not first.events or first.events[0].type != DISPATCHED:
        return None
    task = from_event(first.events[0])
    query = Query(stream=STREAM, type="task.*", from_seq=seq + 1, limit=1000)
    async with aclosing(events_of(store, query, None if to_the_end else MAX_PAGES)) as events:
        async for event in events:
            if event.value.get("id") == task.id:
                task.take(event)
                if event.type in ENDS:
                    return task
    return None


async def news(store: EventStore, task: Task) -> list[Event]:
    """What the log tells of a task that it does not know of itself yet."""
    query = Query(stream=STREAM, type="task.*", from_seq=task.changed_seq + 1, limit=1000)
    return [event async for event in events_of(store, query) if event.value.get("id") == task.id]
