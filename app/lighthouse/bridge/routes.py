"""The table of routes: the router, the checks at the door, openapi.json and docs/http.md all come from it."""

from typing import Any

from lighthouse.bridge import event, session, shadow, state, stream
from lighthouse.bridge.call import Answer, Route
from lighthouse.bridge.schemas import (
    EventBatch,
    EventPage,
    EventQuery,
    EventStore,
    EventStored,
    EventStream,
    Folder,
    Health,
    SessionCreate,
    SessionCreated,
    SessionRevoke,
    SessionRevoked,
    SessionValidate,
    SessionValidity,
    ShadowRead,
    Status,
    Symlink,
)

_FILE_HEADERS = {
    "ETag": "the content's SHA-256 in hexadecimal, quoted",
    "X-Lighthouse-Seq": "the version it was read from",
    "X-Lighthouse-Mark": "`too_large` or `unreadable`: why a line of text stands in for the content",
}

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/health",
        "health",
        "Whether every promise can be kept now",
        state.health,
        {
            200: Answer("All is well", Health),
            503: Answer("Something is not; the components say what", Health),
        },
        permission=None,
        while_starting=True,
    ),
    Route(
        "GET",
        "/openapi.json",
        "openapi",
        "This description",
        state.openapi,
        {200: Answer("OpenAPI 3.1", dict[str, Any])},
        permission=None,
        while_starting=True,
    ),
    Route(
        "GET",
        "/status",
        "status",
        "What runs, in detail",
        state.status,
        {200: Answer("The details", Status)},
        permission="status.read",
        while_starting=True,
    ),
    Route(
        "GET",
        "/metrics",
        "metrics",
        "Figures for Prometheus",
        state.figures,
        {200: Answer("Prometheus text", media_type="text/plain")},
        permission="metrics.read",
        while_starting=True,
    ),
    Route(
        "POST",
        "/session/create",
        "session_create",
        "Exchange an agent token for a short session token of the same agent",
        session.create,
        {200: Answer("The session token", SessionCreated)},
        permission="session.create",
        body=SessionCreate,
        errors=(507,),
    ),
    Route(
        "POST",
        "/session/validate",
        "session_validate",
        "Whom a token speaks for; without one in the body, the request's own",
        session.validate,
        {200: Answer("`valid` false for a bad token", SessionValidity)},
        body=SessionValidate,
    ),
    Route(
        "POST",
        "/session/revoke",
        "session_revoke",
        "End a token: one's own, or as operator or admin anyone's; an agent token ends its sessions too",
        session.revoke,
        {200: Answer("It is worth nothing from now on", SessionRevoked)},
        body=SessionRevoke,
        errors=(507,),
    ),
    Route(
        "POST",
        "/event/store",
        "event_store",
        "Append one event, or several of which all or none are stored; answered once they are on disk",
        event.store,
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
        event.query,
        {200: Answer("A page of events", EventPage)},
        permission="events.read",
        query=EventQuery,
    ),
    Route(
        "GET",
        "/stream/events",
        "stream_events",
        "Follow the log: history from `from_seq`, then live, no gap and no double; a JSON event per message",
        stream.stream,
        {
            101: Answer("A WebSocket with one event per text message", media_type=""),
            200: Answer("Server-sent events, the sequence number as id", media_type="text/event-stream"),
        },
        permission="events.read",
        query=EventStream,
        errors=(406,),
    ),
    Route(
        "GET",
        "/shadow/read/{path}",
        "shadow_read",
        "Read the project as captured: a file's bytes, or a folder or symbolic link as JSON",
        shadow.read,
        {
            200: Answer(
                "A file's bytes, or JSON", (Folder, Symlink), "application/octet-stream", _FILE_HEADERS
            ),
            206: Answer("The range of bytes asked for", None, "application/octet-stream", _FILE_HEADERS),
            304: Answer("The content is what `If-None-Match` names", media_type=""),
        },
        permission="shadow.read",
        query=ShadowRead,
        errors=(400, 404, 416),
        path_parameters={
            "path": "the path from the project's root, its bytes percent-encoded; empty for the root"
        },
    ),
)
