"""What every part of the client asks through: one transport, one session, errors of one kind."""

from collections.abc import Awaitable, Mapping
from types import TracebackType
from typing import Any, Self

from lighthouse.client.credentials import Credentials
from lighthouse.client.environment import bridge_url
from lighthouse.client.errors import BridgeAway, Refused
from lighthouse.client.transport import Answer, Transport


class Asking:
    """The connection to a bridge; `Client` adds the methods."""

    def __init__(
        self,
        base_url: str,
        token: str | None = None,
        *,
        session_seconds: int | None = 3600,
        timeout_seconds: float = 30.0,
    ) -> None:
        self._transport = Transport(bridge_url({}, base_url), timeout_seconds)
        self._credentials = Credentials(self._transport, token, session_seconds)

    @property
    def base_url(self) -> str:
        """The bridge's address."""
        return self._transport.base_url

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the session, as far as the bridge is there, and close the connections."""
        try:
            await self._credentials.end()
        except BridgeAway:
            pass  # A session whose bridge is away ends by its own time.
        finally:
            await self._transport.close()

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = False,
        accept: frozenset[int] = frozenset(),
        wait_seconds: float = 0.0,
    ) -> Answer:
        """A request with the session's token; a session the bridge no longer takes is renewed once."""

        def send(token: str | None) -> Awaitable[Answer]:
            return self._transport.request(
                method,
                path,
                token=token,
                query=query,
                body=body,
                headers=headers,
                repeatable=repeatable,
                accept=accept,
                wait_seconds=wait_seconds,
            )

        token = await self._credentials.current()
        try:
            return await send(token)
        except Refused as refusal:
            if refusal.status != 401 or not self._credentials.reject(token):
                raise
        return await send(await self._credentials.current())


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
