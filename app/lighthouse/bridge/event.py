"""POST /event/store and GET /event/query: into the log, and out of it."""

import time
from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from lighthouse.bridge.call import Answer, Call, Route
from lighthouse.bridge.schemas import EventBatch, EventPage, EventQuery, EventStore, EventStored
from lighthouse.events import RESERVED_PREFIXES, Draft, Query
from lighthouse.sessions import NotAllowed

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge


async def store(bridge: "Bridge", call: Call) -> EventStored | list[EventStored]:
    """Append one event or several; answered once they are on disk, as events of the token's agent."""
    started = time.perf_counter()
    body: EventStore | EventBatch = call.body
    wanted = body.events if isinstance(body, EventBatch) else [body]
    for event in wanted:
        if event.type.startswith(RESERVED_PREFIXES):
            reason = f"events of the type {event.type.partition('.')[0]}.* are the bridge's own"
            bridge.audit.rejected(403, reason, call.request.path, call.peer, call.caller.agent_id)
            raise NotAllowed(reason, "choose another type")
    drafts = [
        Draft(event.type, event.data, event.stream, event.idempotency_key, event.expected_seq)
        for event in wanted
    ]
    stored = await bridge.store.append(drafts, agent_id=call.caller.agent_id)
    bridge.metrics.append_seconds.observe(time.perf_counter() - started)
    receipts = [EventStored(event.seq, event.id, event.ts, event.mac) for event in stored]
    return receipts if isinstance(body, EventBatch) else receipts[0]


async def query(bridge: "Bridge", call: Call) -> web.Response:
    """A page of events, ascending."""
    wanted: EventQuery = call.query
    page = await bridge.store.query(
        Query(
            type=wanted.type,
            stream=wanted.stream,
            agent_id=wanted.agent_id,
            from_seq=wanted.from_seq,
            to_seq=wanted.to_seq,
            since=wanted.since,
            until=wanted.until,
            limit=wanted.limit,
            cursor=wanted.cursor,
        )
    )
    return web.Response(body=msgspec.json.encode(page), content_type="application/json")


ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/event/store",
        "event_store",
        "Append one event, or several of which all or none are stored; answered once they are on disk",
        store,
        {200: Answer("A receipt, or a list of them for a list", (EventStored, list[EventStored]))},
        permission="events.write",
        body=(EventStore, EventBatch),
        errors=(409, 507),
    ),
    Route(
        "GET",
        "/event/query",
        "event_query",
        "Search the log, ascending",
        query,
        {200: Answer("A page of events", EventPage)},
        permission="events.read",
        query=EventQuery,
    ),
)
