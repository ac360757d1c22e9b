"""Leases: paths that one agent alone may change for a time."""

from typing import Annotated, Any, Literal

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from pydantic import Field
from typing_extensions import TypedDict

from lighthouse.mcp.link import Link
from lighthouse.mcp.shapes import Page, paged, picked
from lighthouse.mcp.tool import ADDS, READS, Wait, tool

Seconds = Annotated[int, Field(ge=10, le=86400)]


class Lease(TypedDict, total=False):
    id: str
    state: str
    agent_id: str
    paths: list[str]
    reason: str
    expires_at: str


class Standing(TypedDict, total=False):
    id: str
    state: str
    expires_at: str


class Leases(TypedDict, total=False):
    leases: list[Lease]
    next_cursor: str


def tools(link: Link) -> list[Tool]:
    """The tools, their calls going over `link`."""

    async def lighthouse_take_lease(
        context: Context[Any, Any],
        paths: Annotated[list[str], Field(description="Files, folders, globs.")],
        seconds: Seconds = 900,
        reason: str = "",
        wait_seconds: Wait = 0,
    ) -> Standing:
        """Take paths, all or none: until it ends nobody else's calls may change them."""
        async with link.waiting(context, wait_seconds, "the lease") as bridge:
            return picked(
                await bridge.take_lease(paths, seconds=seconds, reason=reason, wait_seconds=wait_seconds),
                Standing,
            )

    async def lighthouse_change_lease(
        id: str, action: Literal["renew", "release"], seconds: Seconds = 900
    ) -> Standing:
        """Hold your lease for so long from now on, or give it back."""
        async with link.bridge() as bridge:
            if action == "renew":
                return picked(await bridge.renew_lease(id, seconds=seconds), Standing)
            return picked(await bridge.release_lease(id), Standing)

    async def lighthouse_list_leases(
        path: Annotated[str | None, Field(description="In the way of this one.")] = None,
        cursor: str | None = None,
    ) -> Leases:
        """Who holds what, or waits for it."""
        async with link.bridge() as bridge:

            async def fetch(limit: int) -> Page:
                page = await bridge.leases(path, limit=limit, cursor=cursor)
                return page.leases, page.next_cursor

            shown, following = await paged(fetch, Lease)
        return Leases(leases=shown, **following)

    return [
        tool(lighthouse_take_lease, ADDS),
        tool(lighthouse_change_lease, ADDS),
        tool(lighthouse_list_leases, READS),
    ]
