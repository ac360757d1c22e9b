"""The MCP server as a whole: its tools, resources and prompts, and the session that ends with it."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from mcp.server import MCPServer
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context
from mcp_types import InputRequiredResult
from pydantic import AnyUrl

from lighthouse import __version__
from lighthouse.mcp import prompts, resources
from lighthouse.mcp.link import Link
from lighthouse.mcp.tools import tools

INSTRUCTIONS = (
    "Lighthouse keeps the shared record of this project: a tamper-evident log of events and every captured "
    "version of its files. You act as the agent of your token. Other agents work here, too: take a lease on "
    "what you will change, and look now and then at lighthouse_read_messages, lighthouse_check_tasks and "
    "lighthouse_check_elicitations. Before a call that could do harm, ask lighthouse_validate_command. While "
    "the bridge is away a call fails and says so; call again later."
)


class Adapter(MCPServer[None]):
    """The SDK's server, whose binary resources say what they are."""

    async def read_resource(
        self, uri: AnyUrl | str, context: Context[None, Any] | None = None
    ) -> Iterable[ReadResourceContents] | InputRequiredResult:
        """As the SDK does, with the media type of each file's own name."""
        found = await super().read_resource(uri, context)
        return found if isinstance(found, InputRequiredResult) else resources.typed(str(uri), found)


def build(env: Mapping[str, str]) -> MCPServer[None]:
    """The server for the bridge that `env` names; nothing is connected before the first call."""
    link = Link(env)

    @asynccontextmanager
    async def ending_session(_: MCPServer[None]) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await link.close()

    server = Adapter(
        "lighthouse",
        title="Lighthouse",
        instructions=INSTRUCTIONS,
        version=__version__,
        tools=tools(link),
        lifespan=ending_session,
        # Standard output is the protocol's; on standard error a client shows what is wrong, and nothing else.
        log_level="WARNING",
    )
    resources.add(server, link)
    prompts.add(server)
    return server
