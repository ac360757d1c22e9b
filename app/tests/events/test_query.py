"""Queries: each filter alone and together, pages that add up, bounds and cursors that are checked."""

import pytest

from lighthouse.events import Draft, Event, EventStore, InvalidQuery, Query


async def fill(store: EventStore) -> list[Event]:
    events = []
    for number in range(30):
        draft = Draft(
            f"{('note', 'task', 'notebook')[number % 3]}.added", {"n": number}, stream=f"s{number % 2}"
        )
        events += await store.append([draft], agent_id=("ann", "ben")[number % 5 == 0])
    return events


async def test_no_filter_is_everything_ascending(store: EventStore) -> None:
    events = await fill(store)
    page = await store.query(Query())
    assert page.events == events
    assert page.next_cursor is None


async def test_empty_store(store: EventStore) -> None:
    page = await store.query(Query(since="2026-01-01T00:00:00Z"))
    assert (page.events, page.next_cursor) == ([], None)


async def test_each_filter(store: EventStore) -> None:
    events = await fill(store)

    async def found(**filters: object) -> list[Event]:
        return (await store.query(Query(**filters))).events  # type: ignore[arg-type]

    assert await found(type="note.added") == [event for event in events if event.type == "note.added"]
    assert await found(type="note.*") == [event for event in events if event.type == "note.added"]
    assert await found(type="note.ad.*") == []
    assert await found(stream="s1") == [event for event in events if event.stream == "s1"]
    assert await found(agent_id="ben") == [event for event in events if event.agent_id == "ben"]
    assert await found(from_seq=5, to_seq=7) == events[4:7]
    assert await found(from_seq=31) == []
    assert await found(to_seq=0) == []
    assert await found(from_seq=-5, to_seq=2) == events[:2]
    assert await found(type="task.*", stream="s0", agent_id="ann", from_seq=4) == [
        event
        for event in events
        if (event.type, event.stream, event.agent_id) == ("task.added", "s0", "ann") and event.seq >= 4
    ]


async def test_times_are_from_since_to_before_until(store: EventStore) -> None:
    events = await fill(store)
    for since, until in ((0, 29), (3, 3), (10, 20), (29, 0)):
        page = await store.query(Query(since=events[since].ts, until=events[until].ts))
        assert page.events == [event for event in events if events[since].ts <= event.ts < events[until].ts]
    page = await store.query(Query(since="2001-01-01T00:00:00+02:00", until="2999-01-01T00:00:00Z"))
    assert page.events == events


@pytest.mark.parametrize("filters", [{}, {"stream": "s1"}, {"type": "note.*"}, {"to_seq": 12}])
@pytest.mark.parametrize("limit", [1, 4, 10])
async def test_pages_add_up(store: EventStore, filters: dict[str, object], limit: int) -> None:
    await fill(store)
    whole = (await store.query(Query(**filters))).events  # type: ignore[arg-type]
    found: list[Event] = []
    cursor = None
    while True:
        page = await store.query(Query(**filters, limit=limit, cursor=cursor))  # type: ignore[arg-type]
        assert 0 < len(page.events) <= limit
        found += page.events
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == whole


async def test_page_of_large_events_is_bounded_in_bytes(store: EventStore) -> None:
    await store.append([Draft("note.added", {"text": "x" * 250_000}) for _ in range(40)], agent_id="ann")
    page = await store.query(Query(limit=1000))
    assert len(page.events) < 30
    assert page.next_cursor is not None
    rest = await store.query(Query(limit=1000, cursor=page.next_cursor))
    assert rest.events[0].seq == page.events[-1].seq + 1


@pytest.mark.parametrize("limit", [0, -1, 1001])
async def test_limit_is_bounded(store: EventStore, limit: int) -> None:
    with pytest.raises(InvalidQuery, match="1 to 1000"):
        await store.query(Query(limit=limit))


@pytest.mark.parametrize(
    "cursor", ["", "3", "after-", "after--1", "after-1x", "after-" + "9" * 30, "after-\u0663"]
)
async def test_foreign_cursor(store: EventStore, cursor: str) -> None:
    with pytest.raises(InvalidQuery, match="cursor"):
        await store.query(Query(cursor=cursor))


@pytest.mark.parametrize("moment", ["", "yesterday", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z"])
async def test_bad_time(store: EventStore, moment: str) -> None:
    for filters in ({"since": moment}, {"until": moment}):
        with pytest.raises(InvalidQuery, match="RFC 3339"):
            await store.query(Query(**filters))


@pytest.mark.parametrize("filters", [{"from_seq": 2**63}, {"to_seq": 2**70}, {"stream": "\ud800"}])
async def test_what_the_database_could_not_take(store: EventStore, filters: dict[str, object]) -> None:
    with pytest.raises(InvalidQuery):
        await store.query(Query(**filters))  # type: ignore[arg-type]


async def test_filter_text_is_no_sql(store: EventStore) -> None:
    await fill(store)
    assert (await store.query(Query(stream="' OR 1=1 --", type="%.*"))).events == []
