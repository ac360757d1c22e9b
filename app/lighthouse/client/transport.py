"""HTTP to one bridge: requests become answers or typed errors; the next call finds a lost bridge again."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp
import msgspec
from yarl import URL

from lighthouse import __version__
from lighthouse.client.errors import BridgeAway, NotABridge, Refused

CONNECT_SECONDS = 5.0
# A bridge answers far sooner; the largest file it captures is what takes long.
MAX_ANSWER_BYTES = 256 * 1024 * 1024

T = TypeVar("T")


class Answer(msgspec.Struct, frozen=True):
    """A whole answer: HTTP status, headers (case-insensitive mapping), body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Problem(msgspec.Struct):
    """The fields of problem+json (RFC 9457) that a caller is told."""

    title: str = ""
    detail: str = ""
    instance: str | None = None


class Transport:
    """A connection pool to `base_url`. Connections are made when needed and made anew when they break."""

    def __init__(self, base_url: str, timeout_seconds: float = 30.0) -> None:
        self.base_url = base_url.rstrip("/")
        self._seconds = timeout_seconds
        self._pool: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection; a later request would open new ones."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()

    async def request(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = False,
        accept: frozenset[int] = frozenset(),
        wait_seconds: float = 0.0,
    ) -> Answer:
        """Send one request; `path` is already percent-encoded, `body` becomes JSON.

        A status of 400 and above raises Refused unless it is in `accept`. `repeatable` promises that the
        request may be sent twice: it is, once, when a connection breaks before the answer. `wait_seconds` are
        what the bridge was asked to wait with its answer. Raises BridgeAway.
        """
        send = dict(headers or {})
        if token:
            send["Authorization"] = f"Bearer {token}"
        payload = None if body is None else msgspec.json.encode(body)
        if payload is not None:
            send["Content-Type"] = "application/json"
        url = URL(self.base_url + path, encoded=True)
        if query:
            url = url.with_query(query)
        timeout = aiohttp.ClientTimeout(total=self._seconds + wait_seconds, connect=CONNECT_SECONDS)
        for last in (not repeatable, True):
            try:
                async with self._session().request(
                    method, url, data=payload, headers=send, allow_redirects=False, timeout=timeout
                ) as response:
                    raw = await self._body(response)
                    answer = Answer(response.status, response.headers, raw)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
                if last or isinstance(error, aiohttp.ClientConnectorError):
                    raise BridgeAway(self.base_url, _reason(error)) from error
                continue
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise self._translated(error) from error
            break
        if answer.status >= 300 and answer.status not in accept:
            raise self.refusal(answer)
        return answer

    @asynccontextmanager
    async def websocket(
        self, path: str, *, token: str | None, query: Mapping[str, str], heartbeat_seconds: float = 20.0
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """An open WebSocket; raises BridgeAway, or Refused when the bridge turns the handshake down."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = URL(self.base_url + path, encoded=True).with_query(query)
        try:
            socket = await self._session().ws_connect(
                url, headers=headers, heartbeat=heartbeat_seconds, max_msg_size=4 * 1024 * 1024
            )
        except aiohttp.WSServerHandshakeError as error:
            # The handshake's error carries no body: the status is all there is to tell.
            raise Refused(error.status, f"no WebSocket for this request ({error.message})") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._translated(error) from error
        try:
            yield socket
        finally:
            await socket.close()

    def decode(self, answer: Answer, kind: type[T]) -> T:
        """The answer's JSON as `kind`; raises NotABridge where it has another shape."""
        try:
            return msgspec.json.decode(answer.body, type=kind)
        except msgspec.MsgspecError as error:
            raise NotABridge(self.base_url, f"HTTP {answer.status}, {error}") from error

    def refusal(self, answer: Answer) -> Refused | NotABridge:
        """The error that a problem+json answer means; NotABridge where the answer is none."""
        if not answer.headers.get("Content-Type", "").startswith("application/problem+json"):
            return NotABridge(self.base_url, f"HTTP {answer.status} without problem+json")
        try:
            problem = msgspec.json.decode(answer.body, type=_Problem)
        except msgspec.MsgspecError:
            return NotABridge(self.base_url, f"HTTP {answer.status} with a body that is not problem+json")
        after = answer.headers.get("Retry-After", "")
        return Refused(
            answer.status,
            problem.detail or problem.title or "no reason given",
            request_id=problem.instance,
            retry_after=float(after) if after.isdigit() else None,
        )

    def _session(self) -> aiohttp.ClientSession:
        if self._pool is None or self._pool.closed:
            self._pool = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self._seconds, connect=CONNECT_SECONDS),
                headers={"User-Agent": f"lighthouse-client/{__version__}"},
                # A token must not travel to wherever a cookie or a proxy variable points.
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
            )
        return self._pool

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        pieces: list[bytes] = []
        total = 0
        async for piece in response.content.iter_any():
            total += len(piece)
            if total > MAX_ANSWER_BYTES:
                raise NotABridge(self.base_url, f"an answer over {MAX_ANSWER_BYTES} bytes")
            pieces.append(piece)
        return b"".join(pieces)

    def _translated(self, error: Exception) -> BridgeAway | NotABridge:
        if isinstance(error, (aiohttp.ClientResponseError, aiohttp.InvalidURL)):
            return NotABridge(self.base_url, _reason(error))
        return BridgeAway(self.base_url, _reason(error))


def _reason(error: Exception) -> str:
    if isinstance(error, (asyncio.TimeoutError, TimeoutError)):
        return "no answer in time"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "its host name is not known"
    if isinstance(error, aiohttp.ClientConnectorError):
        # asyncio's own text repeats the address; with several addresses tried it carries no number.
        number = error.os_error.errno
        return os.strerror(number) if number else "connecting failed"
    return str(error) or type(error).__name__
