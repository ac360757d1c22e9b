"""A WebSocket that is opened again as often as it is lost."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping

import aiohttp

from lighthouse.client.credentials import Credentials
from lighthouse.client.errors import BridgeAway, Refused
from lighthouse.client.transport import Transport

FIRST_WAIT = 0.1
LONGEST_WAIT = 5.0

OnAway = Callable[[BridgeAway | Refused], None]


async def connections(
    transport: Transport,
    credentials: Credentials,
    path: str,
    query: Callable[[], Mapping[str, str]] = dict,
    *,
    reconnect: bool = True,
    on_away: OnAway | None = None,
) -> AsyncGenerator[aiohttp.ClientWebSocketResponse, None]:
    """An open socket, and another one each time its reader comes back for it because it ended.

    While the bridge is away it is tried again, and `on_away` is told once for each loss. With `reconnect`
    false the loss is raised. A refusal other than 401 (renewed once), 429 and 503 is raised in any case.
    """
    wait = FIRST_WAIT
    told = False
    renewed = False
    while True:
        token: str | None = None
        try:
            token = await credentials.current()
            async with transport.websocket(path, token=token, query=query()) as socket:
                renewed = told = False
                wait = FIRST_WAIT
                yield socket
            loss: BridgeAway | Refused = BridgeAway(transport.base_url, "the connection ended")
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
