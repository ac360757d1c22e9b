"""Questions in the log: how they are found again from their events."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

from lighthouse.elicitation.question import ANSWERED, CREATED, EXPIRED, STREAM, Question, from_event
from lighthouse.events import Event, EventStore, Query, events_of
from lighthouse.events.event import timestamp

# Longer than any question waits.
KEPT_DAYS = 3
# A look-up of a question that nobody keeps in memory any more ends after so many pages of the log.
MAX_PAGES = 20


def history(store: EventStore) -> AsyncIterator[Event]:
    """The events of all questions that may still wait, in their order."""
    since = timestamp(datetime.now(UTC) - timedelta(days=KEPT_DAYS))
    return events_of(store, Query(stream=STREAM, type="elicitation.*", since=since, limit=1000))


async def look_up(store: EventStore, seq: int) -> Question | None:
    """The question that event `seq` asked, as the log tells it; None where it asked none."""
    first = await store.query(Query(from_seq=seq, to_seq=seq, limit=1))
    if not first.events or first.events[0].type != CREATED:
        return None
    question = from_event(first.events[0])
    for event in await about(store, question):
        question.take(event)
    return question


async def about(store: EventStore, question: Question) -> list[Event]:
    """What the log tells of a question after it was asked: its end, if it has one."""
    query = Query(stream=STREAM, type="elicitation.*", from_seq=question.seq + 1, limit=1000)
    async with aclosing(events_of(store, query, MAX_PAGES)) as events:
        async for event in events:
            if event.type in (ANSWERED, EXPIRED) and event.value["id"] == question.id:
                return [event]
    return []
