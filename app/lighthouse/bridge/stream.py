"""GET /stream/events: the log as it grows, over a WebSocket or server-sent events, no gap and no double."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import WSCloseCode, web

from lighthouse.bridge.call import Answer, Call, Route
from lighthouse.bridge.problems import Rejected
from lighthouse.bridge.schemas import EventStream
from lighthouse.errors import LighthouseError
from lighthouse.events import Event, Subscription
from lighthouse.sessions import BadToken

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge

HEARTBEAT_SECONDS = 15.0
CHECK_SECONDS = 1.0
# A reader that takes nothing for this long is gone, or as good as; it resumes from where it was.
STALL_SECONDS = 60.0
MAX_MESSAGE = 64 * 1024

log = logging.getLogger("lighthouse.stream")

Send = Callable[[Event], Awaitable[None]]


async def stream(bridge: "Bridge", call: Call) -> web.StreamResponse:
    """History from `from_seq`, then what happens; ends with the bridge or with the caller's token."""
    wanted: EventStream = call.query
    request = call.request
    websocket = web.WebSocketResponse(compress=False, max_msg_size=MAX_MESSAGE)
    if websocket.can_prepare(request).ok:
        return await _over_websocket(bridge, call, websocket, _start(bridge, wanted.from_seq))
    if "text/event-stream" not in request.headers.get("Accept", ""):
        raise Rejected(406, "events come over a WebSocket or as text/event-stream", "ask for one of them")
    from_seq = wanted.from_seq
    last = request.headers.get("Last-Event-ID", "")
    if last:
        # A browser that lost the connection says what it saw last, and means: go on after it.
        if not (last.isascii() and last.isdigit() and len(last) <= 18):
            raise Rejected(422, "Last-Event-ID is no sequence number", "send the id of the last event")
        from_seq = int(last) + 1
    return await _over_sse(bridge, call, _start(bridge, from_seq))


def _start(bridge: "Bridge", from_seq: int | None) -> int:
    return bridge.store.head.seq + 1 if from_seq is None else from_seq


async def _over_websocket(
    bridge: "Bridge", call: Call, websocket: web.WebSocketResponse, from_seq: int
) -> web.StreamResponse:
    await websocket.prepare(call.request)

    async def send(event: Event) -> None:
        await websocket.send_str(msgspec.json.encode(event).decode())

    async def listen() -> None:
        # Nothing is expected from the client, but its pongs and its goodbye are read here.
        async for _ in websocket:
            pass

    why = await _follow(bridge, call, from_seq, send, websocket.ping, listen())
    with contextlib.suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(CHECK_SECONDS):
            await websocket.close(code=why.code, message=why.text.encode())
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
    await _follow(bridge, call, from_seq, send, beat)
    return response


class Why(msgspec.Struct, frozen=True):
    """Why a stream ended, in the terms of a WebSocket."""

    code: int
    text: str


GONE = Why(WSCloseCode.OK, "bye")
STOPPING = Why(WSCloseCode.GOING_AWAY, "the bridge stops")
FAILED = Why(WSCloseCode.INTERNAL_ERROR, "the log cannot be read")
STALLED = Why(WSCloseCode.TRY_AGAIN_LATER, "nothing was read for too long")


async def _follow(
    bridge: "Bridge",
    call: Call,
    from_seq: int,
    send: Send,
    beat: Callable[[], Awaitable[None]],
    listen: Coroutine[Any, Any, None] | None = None,
) -> Why:
    """Send events until something ends it; tells what."""
    subscription = bridge.store.subscribe(from_seq)
    bridge.subscribers += 1
    tasks = {
        asyncio.create_task(_pump(subscription, send)),
        asyncio.create_task(_guard(bridge, call, beat)),
    }
    if listen is not None:
        tasks.add(asyncio.create_task(_until_gone(listen)))
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(iter(done)).result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await subscription.aclose()
        bridge.subscribers -= 1


async def _pump(subscription: Subscription, send: Send) -> Why:
    try:
        async for event in subscription:
            try:
                async with asyncio.timeout(STALL_SECONDS):
                    await send(event)
            except TimeoutError:
                return STALLED
            except ConnectionError:
                return GONE
    except LighthouseError:
        log.exception("a stream cannot go on")
        return FAILED
    return STOPPING


async def _guard(bridge: "Bridge", call: Call, beat: Callable[[], Awaitable[None]]) -> Why:
    """Ends the stream with its token, its reader or the bridge; beats now and then."""
    beaten = asyncio.get_running_loop().time()
    while True:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(bridge.stopping.wait(), CHECK_SECONDS)
            return STOPPING
        if call.request.transport is None:
            return GONE
        try:
            bridge.sessions.check(call.caller)
        except BadToken as error:
            return Why(WSCloseCode.POLICY_VIOLATION, str(error))
        if asyncio.get_running_loop().time() - beaten < HEARTBEAT_SECONDS:
            continue
        beaten = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(STALL_SECONDS):
                await beat()
        except TimeoutError:
            return STALLED
        except ConnectionError:
            return GONE


async def _until_gone(listen: Coroutine[Any, Any, None]) -> Why:
    await listen
    return GONE


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
