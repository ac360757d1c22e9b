"""Being an expert: requests come over the agent's socket as they are made, across lost connections."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from urllib.parse import quote

import aiohttp
import msgspec

from lighthouse.client.answers_validations import Approval, Validation
from lighthouse.client.connecting import OnAway, connections
from lighthouse.client.errors import NotABridge, Refused
from lighthouse.client.experts import Experts
from lighthouse.client.sessions import Sessions
from lighthouse.client.validations import Validations

Send = Callable[[str, Approval, str], Awaitable[Validation]]
Sockets = AsyncGenerator[aiohttp.ClientWebSocketResponse, None]


class ExpertRequest:
    """A tool call that this expert is asked about; `validation` is all that is known of it.

    `open` turns false once it is answered, or nobody needs this expert's answer any more.
    """

    def __init__(self, validation: Validation, send: Send) -> None:
        self.validation = validation
        self.open = True
        self._send = send
        self._came: list[tuple[aiohttp.ClientWebSocketResponse, int]] = []

    async def approve(self, reason: str) -> Validation:
        """Let the call pass, as far as it is up to this expert; on return that is on disk.

        Raises Refused where it was decided meanwhile (409), and BridgeAway: then it may be tried again.
        """
        return await self._answer("approve", reason)

    async def deny(self, reason: str) -> Validation:
        """Stop the call; otherwise as `approve`."""
        return await self._answer("deny", reason)

    async def _answer(self, verdict: Approval, reason: str) -> Validation:
        try:
            answered = await self._send(self.validation.id, verdict, reason)
        except Refused as refusal:
            if refusal.status in (403, 404, 409):
                await self.end()
            raise
        await self.end()
        return answered

    def came(self, socket: aiohttp.ClientWebSocketResponse, number: int) -> None:
        """It was sent over this connection, under this number."""
        self._came.append((socket, number))

    async def end(self) -> None:
        """It need not come again."""
        self.open = False
        for socket, number in self._came:
            await _acknowledge(socket, number)
        self._came.clear()


class _Message(msgspec.Struct):
    type: str
    n: int
    data: msgspec.Raw


class _Inbox:
    """Reads the sockets all the time, also while an answer is being thought about."""

    def __init__(self, url: str, send: Send) -> None:
        self._url = url
        self._send = send
        self._open: dict[str, ExpertRequest] = {}
        # Bounded by the bridge, which sends so many and no more before they are acknowledged.
        self._new = asyncio.Queue[ExpertRequest | BaseException]()

    async def next(self) -> ExpertRequest:
        """The next request that is still open; raises what ended the reading."""
        while True:
            found = await self._new.get()
            if isinstance(found, BaseException):
                raise found
            if found.open:
                return found

    async def read(self, sockets: Sockets) -> None:
        """Until it fails for good."""
        try:
            async with aclosing(sockets):
                async for socket in sockets:
                    async for message in socket:
                        if message.type is not aiohttp.WSMsgType.TEXT:
                            break
                        await self._take(socket, message.data)
        except Exception as error:
            self._new.put_nowait(error)

    async def _take(self, socket: aiohttp.ClientWebSocketResponse, text: str) -> None:
        try:
            message = msgspec.json.decode(text, type=_Message)
            if not message.type.startswith("validation."):
                return
            validation = msgspec.json.decode(message.data, type=Validation)
        except msgspec.MsgspecError as error:
            raise NotABridge(self._url, f"a message of another kind: {error}") from error
        if message.type == "validation.request":
            known = self._open.get(validation.id)
            if known is None or not known.open:
                known = self._open[validation.id] = ExpertRequest(validation, self._send)
                self._new.put_nowait(known)
            known.came(socket, message.n)
        else:
            if (ended := self._open.pop(validation.id, None)) is not None:
                await ended.end()
            await _acknowledge(socket, message.n)


class Reviewing(Sessions, Validations, Experts):
    """Being an expert over a socket."""

    async def expert(
        self,
        speciality: str,
        *,
        languages: Sequence[str] = (),
        paths: Sequence[str] = (),
        risks: Sequence[str] = (),
        on_away: OnAway | None = None,
    ) -> AsyncGenerator[ExpertRequest, None]:
        """Register, and yield each request that waits or comes; the agent counts as there meanwhile.

        What was not answered comes again after a loss of the connection (`on_away` is told) and of this
        program. Raises what registering does, and Refused when the bridge takes the token no more.
        """
        expert = await self.register_expert(speciality, languages=languages, paths=paths, risks=risks)
        inbox = _Inbox(self.base_url, self.answer_validation)
        path = f"/ws/{quote(expert.agent_id, safe='')}"
        sockets = connections(
            self._transport, self._credentials, path, lambda: {"rooms": "validation"}, on_away=on_away
        )
        reading = asyncio.create_task(inbox.read(sockets))
        try:
            while True:
                yield await inbox.next()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def _acknowledge(socket: aiohttp.ClientWebSocketResponse, number: int) -> None:
    # Where the connection is lost the bridge finds out by itself that there is nothing to send again.
    with suppress(ConnectionError):
        await socket.send_json({"type": "ack", "n": number})
