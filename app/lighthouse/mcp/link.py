"""The adapter's one way to the bridge: opened by the first call, and every failure told as a tool's error."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from mcp.server.mcpserver.exceptions import ToolError

from lighthouse.client.environment import connection_from
from lighthouse.errors import LighthouseError

if TYPE_CHECKING:
    from lighthouse.client.client import Client


class Link:
    """Gives the tools a client. The environment is read by the first call, so a token file may come late."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._client: Client | None = None

    @asynccontextmanager
    async def bridge(self) -> AsyncIterator["Client"]:
        """The client; inside, whatever goes wrong with the bridge becomes a ToolError of one line."""
        try:
            yield self._opened()
        except LighthouseError as error:
            raise ToolError(str(error)) from error

    async def close(self) -> None:
        """End the session and close the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _opened(self) -> "Client":
        if self._client is None:
            # aiohttp costs 0.2 s to import, and the first answer to the agent does not need it.
            from lighthouse.client.client import Client

            connection = connection_from(self._env)
            self._client = Client(connection.url, connection.token)
        return self._client
