"""What an agent has to be told comes over its socket, from every room, across lost connections."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from typing import Any
from urllib.parse import quote

import aiohttp
import msgspec

from lighthouse.client.connecting import OnAway, connections
from lighthouse.client.errors import NotABridge, Refused
from lighthouse.client.sessions import Sessions


class Letter:
    """The agent is told `data`; `kind` is such as `message.new`, its first word the room it is of."""

    def __init__(
        self, kind: str, data: dict[str, Any], number: int, socket: aiohttp.ClientWebSocketResponse
    ) -> None:
        self.kind = kind
        self.data = data
        self._number = number
        self._socket = socket

    async def acknowledge(self) -> None:
        """It need not come again. Where the connection was lost meanwhile it comes again nevertheless."""
        with suppress(ConnectionError):
            await self._socket.send_json({"type": "ack", "n": self._number})


class _Message(msgspec.Struct):
    type: str
    n: int = 0
    data: dict[str, Any] = {}


class Letters(Sessions):
    """The agent's own socket."""

    async def letters(self, *rooms: str, on_away: OnAway | None = None) -> AsyncGenerator[Letter, None]:
        """Each thing that the agent is told, by these rooms or by all; it counts as there meanwhile.

        What was not acknowledged comes again with the next connection, and at most 64 come before it. Every
        letter is to be acknowledged once what it says is done with. Raises Refused when the bridge takes the
        token no more.
        """
        identity = await self.validate_session()
        if identity.agent_id is None:
            raise Refused(401, "the token is none that the bridge takes")
        # Bounded by the bridge, which sends so many and no more before they are acknowledged.
        came = asyncio.Queue[Letter | BaseException]()
        path = f"/ws/{quote(identity.agent_id, safe='')}"
        reading = asyncio.create_task(self._read(path, rooms, came, on_away))
        try:
            while True:
                found = await came.get()
                if isinstance(found, BaseException):
                    raise found
                yield found
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _read(
        self,
        path: str,
        rooms: Sequence[str],
        came: asyncio.Queue[Letter | BaseException],
        on_away: OnAway | None,
    ) -> None:
        """All the time, for the bridge lets go of who does not answer its pings."""
        query = {"rooms": ",".join(rooms)} if rooms else {}
        sockets = connections(self._transport, self._credentials, path, lambda: query, on_away=on_away)
        try:
            async with aclosing(sockets):
                async for socket in sockets:
                    async for message in socket:
                        if message.type is not aiohttp.WSMsgType.TEXT:
                            break
                        told = self._decoded(message.data)
                        if told.n:
                            came.put_nowait(Letter(told.type, told.data, told.n, socket))
        except Exception as error:
            came.put_nowait(error)

    def _decoded(self, text: str) -> _Message:
        try:
            return msgspec.json.decode(text, type=_Message)
        except msgspec.MsgspecError as error:
            raise NotABridge(self.base_url, f"a message of another kind: {error}") from error
