"""What connections that last have in common: they end with their token, with the bridge or the reader."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from lighthouse.bridge.call import Call
from lighthouse.bridge.problems import Rejected
from lighthouse.sessions import BadToken

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge

HEARTBEAT_SECONDS = 15.0
CHECK_SECONDS = 1.0
# A reader that takes nothing for this long is gone, or as good as; it resumes from where it was.
STALL_SECONDS = 60.0
MAX_MESSAGE = 64 * 1024
# Each costs what its reader has not taken yet.
MAX_STREAMS = 16


class Why(msgspec.Struct, frozen=True):
    """Why a connection ended, in the terms of a WebSocket."""

    code: int
    text: str


GONE = Why(WSCloseCode.OK, "bye")
STOPPING = Why(WSCloseCode.GOING_AWAY, "the bridge stops")
FAILED = Why(WSCloseCode.INTERNAL_ERROR, "the log cannot be read")
STALLED = Why(WSCloseCode.TRY_AGAIN_LATER, "nothing was read for too long")


async def first_end(*ways: Coroutine[Any, Any, Why]) -> Why:
    """Run all that a connection does until one of them ends; tells why."""
    tasks = {asyncio.create_task(way) for way in ways}
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(iter(done)).result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def sent(sending: Awaitable[None]) -> Why | None:
    """Wait for something to be sent; where the reader does not take it, why the connection ends."""
    try:
        async with asyncio.timeout(STALL_SECONDS):
            await sending
    except TimeoutError:
        return STALLED
    except ConnectionError:
        return GONE
    return None


async def guard(bridge: "Bridge", call: Call, beat: Callable[[], Awaitable[None]] | None = None) -> Why:
    """Ends a connection with its token, its reader or the bridge; beats now and then where told how."""
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
        if beat is None or asyncio.get_running_loop().time() - beaten < HEARTBEAT_SECONDS:
            continue
        beaten = asyncio.get_running_loop().time()
        if (why := await sent(beat())) is not None:
            return why


def websocket(heartbeat_seconds: float | None = None) -> web.WebSocketResponse:
    """A WebSocket that is read by `said`."""
    return web.WebSocketResponse(
        compress=False, max_msg_size=MAX_MESSAGE, heartbeat=heartbeat_seconds, autoping=False
    )


async def said(bridge: "Bridge", call: Call, websocket: web.WebSocketResponse) -> AsyncIterator[WSMessage]:
    """What the client says, not faster than it may ask: its pings count, too, and are answered here."""
    async for message in websocket:
        if wait := bridge.agent_limit.take(call.caller.agent_id):
            await asyncio.sleep(wait)
        if message.type is WSMsgType.PING:
            if await sent(websocket.pong(message.data)) is not None:
                return
        elif message.type is not WSMsgType.PONG:
            yield message


async def close(websocket: web.WebSocketResponse, request: web.Request, why: Why) -> None:
    """End a WebSocket, and say why to a reader who is there to hear it."""
    if not _choked(request):
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(CHECK_SECONDS):
                await websocket.close(code=why.code, message=why.text.encode())
    _drop_unread(request)


async def finish(response: web.StreamResponse, request: web.Request) -> None:
    """End a stream of another kind, which cannot say why."""
    if request.transport is not None and not _choked(request):
        # So that the end waits until all is on its way.
        request.transport.set_write_buffer_limits(0)
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(CHECK_SECONDS):
                await response.write_eof()
    _drop_unread(request)


def _choked(request: web.Request) -> bool:
    # Who waited for such a reader and was cancelled took aiohttp's one waiter along: nobody may wait again.
    transport = request.transport
    return transport is None or transport.get_write_buffer_size() > transport.get_write_buffer_limits()[0]


def _drop_unread(request: web.Request) -> None:
    # A transport that is merely closed lives on, with all it holds, until its reader takes that or goes.
    transport = request.transport
    if transport is not None and transport.get_write_buffer_size():
        transport.abort()


class Streams:
    """How many streams of events each agent has open."""

    def __init__(self) -> None:
        self._open = Counter[str]()

    def __len__(self) -> int:
        return self._open.total()

    @contextlib.contextmanager
    def of(self, agent_id: str) -> Iterator[None]:
        """While one more is open. Raises Rejected (429)."""
        if self._open[agent_id] >= MAX_STREAMS:
            raise Rejected(429, f"the agent has {MAX_STREAMS} streams open already", "close one of them")
        self._open[agent_id] += 1
        try:
            yield
        finally:
            self._open[agent_id] -= 1
            self._open += Counter()  # forgets those that have none
