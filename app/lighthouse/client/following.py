"""Following the log over a WebSocket: each event once and in order, across any number of lost connections."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import aiohttp
import msgspec

from lighthouse.client.answers import Event
from lighthouse.client.connecting import OnAway, connections
from lighthouse.client.credentials import Credentials
from lighthouse.client.errors import NotABridge
from lighthouse.client.transport import Transport


async def follow(
    transport: Transport,
    credentials: Credentials,
    from_seq: int,
    *,
    reconnect: bool = True,
    on_away: OnAway | None = None,
) -> AsyncGenerator[Event, None]:
    """Every event from `from_seq` on, without gap or double; what ends it is as for `connections`."""
    wanted = from_seq
    sockets = connections(
        transport,
        credentials,
        "/stream/events",
        lambda: {"from_seq": str(wanted)},
        reconnect=reconnect,
        on_away=on_away,
    )
    async with aclosing(sockets):
        async for socket in sockets:
            async for event in _events(socket, transport.base_url):
                if event.seq < wanted:
                    continue
                yield event
                wanted = event.seq + 1


async def _events(socket: aiohttp.ClientWebSocketResponse, url: str) -> AsyncIterator[Event]:
    async for message in socket:
        if message.type is not aiohttp.WSMsgType.TEXT:
            return
        try:
            yield msgspec.json.decode(message.data, type=Event)
        except msgspec.MsgspecError as error:
            raise NotABridge(url, f"a message that is no event: {error}") from error
