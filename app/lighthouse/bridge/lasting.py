"""What connections that last have in common: they end with their token, with the bridge or the reader."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import WSCloseCode, web

from lighthouse.bridge.call import Call
from lighthouse.sessions import BadToken

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge

HEARTBEAT_SECONDS = 15.0
CHECK_SECONDS = 1.0
# A reader that takes nothing for this long is gone, or as good as; it resumes from where it was.
STALL_SECONDS = 60.0
MAX_MESSAGE = 64 * 1024


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


async def close(websocket: web.WebSocketResponse, why: Why) -> None:
    """Say why, as far as somebody is there to hear it."""
    with contextlib.suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(CHECK_SECONDS):
            await websocket.close(code=why.code, message=why.text.encode())
