"""The adapter's one way to the bridge: opened by the first call; a failure is told as a tool's error."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError

from lighthouse.client.environment import connection_from
from lighthouse.errors import LighthouseError

if TYPE_CHECKING:
    from lighthouse.client.client import Client

PROGRESS_SECONDS = 5.0
"""Clients give up on a call that says nothing for a minute or less; those that ask for progress wait on."""

# The bridge takes an agent of which it hears nothing for a minute for gone, with what it holds. One that
# works, or lets a program run, has nothing to say to the bridge; this program ends with it.
BEAT_SECONDS = 20.0


def _tool_error(error: LighthouseError) -> Exception:
    return ToolError(str(error))


class Link:
    """Gives the tools a client. The environment is read by the first call, so a token file may come late."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._client: Client | None = None
        self._beating: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def bridge(
        self, failure: Callable[[LighthouseError], Exception] = _tool_error
    ) -> AsyncIterator["Client"]:
        """The client; inside, whatever goes wrong with the bridge becomes a `failure` of one line."""
        try:
            yield self._opened()
        except LighthouseError as error:
            raise failure(error) from error

    @asynccontextmanager
    async def waiting(self, context: Context[Any, Any], seconds: float, what: str) -> AsyncIterator["Client"]:
        """The client, for a call that waits up to `seconds` for `what`; who asked for progress is told."""
        telling = asyncio.create_task(_tell(context, seconds, what)) if seconds > 0 else None
        try:
            async with self.bridge() as client:
                yield client
        finally:
            if telling is not None:
                telling.cancel()
                await asyncio.gather(telling, return_exceptions=True)

    async def close(self) -> None:
        """End the session and close the connections."""
        beating, self._beating = self._beating, None
        if beating is not None:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _opened(self) -> "Client":
        if self._client is None:
            # aiohttp costs 0.2 s to import, and the first answer to the agent does not need it.
            from lighthouse.client.client import Client

            connection = connection_from(self._env)
            self._client = Client(connection.url, connection.token)
            self._beating = asyncio.create_task(_beat(self._client))
        return self._client


async def _beat(client: "Client") -> None:
    """Be heard of, from the first call on."""
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        with suppress(LighthouseError):
            await client.validate_session()


async def _tell(context: Context[Any, Any], seconds: float, what: str) -> None:
    began = time.monotonic()
    while True:
        waited = min(time.monotonic() - began, seconds)
        await context.report_progress(round(waited, 1), seconds, f"waiting for {what}")
        await asyncio.sleep(PROGRESS_SECONDS)
