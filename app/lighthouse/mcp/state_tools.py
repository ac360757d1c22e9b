"""How the bridge is."""

from dataclasses import asdict
from typing import Any

from mcp.server.mcpserver.tools import Tool

from lighthouse.mcp.link import Link
from lighthouse.mcp.tool import READS, tool


def tools(link: Link) -> list[Tool]:
    """The tools, their calls going over `link`."""

    async def lighthouse_health_check() -> dict[str, Any]:
        """Whether the bridge keeps its promises, part by part. Needs no token."""
        async with link.bridge() as bridge:
            return asdict(await bridge.health())

    async def lighthouse_get_bridge_status() -> dict[str, Any]:
        """The bridge in detail: project, captured files, log, mount, what waits."""
        async with link.bridge() as bridge:
            return asdict(await bridge.status())

    return [tool(lighthouse_health_check, READS), tool(lighthouse_get_bridge_status, READS)]
