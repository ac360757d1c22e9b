"""GET /stream/events: the log as it grows, over a WebSocket or server-sent events, no gap and no double."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from lighthouse.bridge import lasting
from lighthouse.bridge.call import Answer, Call, Route
from lighthouse.bridge.lasting import FAILED, GONE, STOPPING, Why
from lighthouse.bridge.problems import Rejected
from lighthouse.bridge.schemas import EventStream
from lighthouse.errors import LighthouseError
from lighthouse.events import Event, Subscription

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge

log = logging.getLogger("lighthouse.stream")

# Events that one stream may send before it is the turn of others.
TURN = 16

Send = Callable[[Event], Awaitable[None]]


async def stream(bridge: "Bridge", call: Call) -> web.StreamResponse:
    """History from `from_seq`, then what happens; ends with the bridge or with the caller's token."""
    wanted: EventStream = call.query
    request = call.request
    websocket = lasting.websocket()
    with bridge.streams.of(call.caller.agent_id):
        if websocket.can_prepare(request).ok:
            return await _over_websocket(bridge, call, websocket, _start(bridge, wanted.from_seq))
        if "text/event-stream" not in request.headers.get("Accept", ""):
            raise Rejected(406, "events come over a WebSocket or as text/event-stream", "ask for one of them")
        return await _over_sse(bridge, call, resumed_at(bridge, request, wanted.from_seq))


def resumed_at(bridge: "Bridge", request: web.Request, from_seq: int | None) -> int:
    """The event to begin with: a browser that lost the connection says what it saw last. Raises Rejected."""
    last = request.headers.get("Last-Event-ID", "")
    if not last:
        return _start(bridge, from_seq)
    if not (last.isascii() and last.isdigit() and len(last) <= 18):
        raise Rejected(422, "Last-Event-ID is no sequence number", "send the id of the last event")
    return int(last) + 1


def _start(bridge: "Bridge", from_seq: int | None) -> int:
    return bridge.store.head.seq + 1 if from_seq is None else from_seq


async def _over_websocket(
    bridge: "Bridge", call: Call, websocket: web.WebSocketResponse, from_seq: int
) -> web.StreamResponse:
    await websocket.prepare(call.request)

    async def send(event: Event) -> None:
        await websocket.send_str(msgspec.json.encode(event).decode())

    async def listen() -> Why:
        # Nothing is expected from the client, but its pongs and its goodbye are read here.
        async for _ in lasting.said(bridge, call, websocket):
            pass
        return GONE

    why = await follow(bridge, call, from_seq, send, websocket.ping, listen())
    await lasting.close(websocket, call.request, why)
    return websocket


async def _over_sse(bridge: "Bridge", call: Call, from_seq: int) -> web.StreamResponse:
    headers = {
        "Content-Type": "text/event-stream",
        "X-Accel-Buffering": "no",
    }
    response = web.StreamResponse(headers=headers)
    await response.prepare(call.request)

    async def send(event: Event) -> None:
        await response.write(b"id: %d\ndata: %b\n\n" % (event.seq, msgspec.json.encode(event)))

    async def beat() -> None:
        await response.write(b": still here\n\n")

    await beat()
    await follow(bridge, call, from_seq, send, beat)
    await lasting.finish(response, call.request)
    return response


async def follow(
    bridge: "Bridge",
    call: Call,
    from_seq: int,
    send: Send,
    beat: Callable[[], Awaitable[None]],
    *listen: Coroutine[Any, Any, Why],
) -> Why:
    """Send events until something ends it; tells what."""
    subscription = bridge.store.subscribe(from_seq)
    try:
        return await lasting.first_end(_pump(subscription, send), lasting.guard(bridge, call, beat), *listen)
    finally:
        await subscription.aclose()


async def _pump(subscription: Subscription, send: Send) -> Why:
    sent = 0
    try:
        async for event in subscription:
            if (why := await lasting.sent(send(event))) is not None:
                return why
            sent += 1
            if sent % TURN == 0:
                # Where events are there and the reader takes them, nothing above waits for anything.
                await asyncio.sleep(0)
    except LighthouseError:
        log.exception("a stream cannot go on")
        return FAILED
    return STOPPING


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/stream/events",
        "stream_events",
        "Follow the log: history from `from_seq`, then live, no gap and no double; a JSON event per message",
        stream,
        {
            101: Answer("A WebSocket with one event per text message", media_type=""),
            200: Answer("Server-sent events, the sequence number as id", media_type="text/event-stream"),
        },
        permission="events.read",
        query=EventStream,
        errors=(406,),
    ),
)
