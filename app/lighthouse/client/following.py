"""Following the log over a WebSocket: each event once and in order, across any number of lost connections."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable

import aiohttp
import msgspec

from lighthouse.client.answers import Event
from lighthouse.client.credentials import Credentials
from lighthouse.client.errors import BridgeAway, NotABridge, Refused
from lighthouse.client.transport import Transport

FIRST_WAIT = 0.1
LONGEST_WAIT = 5.0

OnAway = Callable[[BridgeAway | Refused], None]


async def follow(
    transport: Transport,
    credentials: Credentials,
    from_seq: int,
    *,
    reconnect: bool = True,
    on_away: OnAway | None = None,
) -> AsyncGenerator[Event, None]:
    """Every event from `from_seq` on, without gap or double.

    While the bridge is away it is tried again, and `on_away` is told once for each loss. With `reconnect`
    false the loss is raised. A refusal other than 401 (renewed once), 429 and 503 is raised in any case.
    """
    wanted = from_seq
    wait = FIRST_WAIT
    told = False
    renewed = False
    while True:
        token: str | None = None
        try:
            token = await credentials.current()
            async with transport.websocket(
                "/stream/events", token=token, query={"from_seq": str(wanted)}
            ) as socket:
                renewed = told = False
                wait = FIRST_WAIT
                async for event in _events(socket, transport.base_url):
                    if event.seq < wanted:
                        continue
                    yield event
                    wanted = event.seq + 1
            loss: BridgeAway | Refused = BridgeAway(transport.base_url, "the event stream ended")
        except BridgeAway as error:
            loss = error
        except Refused as error:
            if error.status == 401 and not renewed and credentials.reject(token):
                renewed = True
                continue
            if error.status not in (429, 503):
                raise
            loss = error
        if not reconnect:
            raise loss
        if on_away is not None and not told:
            on_away(loss)
        told = True
        await asyncio.sleep(wait)
        wait = min(wait * 2, LONGEST_WAIT)


async def _events(socket: aiohttp.ClientWebSocketResponse, url: str) -> AsyncIterator[Event]:
    async for message in socket:
        if message.type is not aiohttp.WSMsgType.TEXT:
            return
        try:
            yield msgspec.json.decode(message.data, type=Event)
        except msgspec.MsgspecError as error:
            raise NotABridge(url, f"a message that is no event: {error}") from error
