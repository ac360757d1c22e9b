"""Contexts: packages of files and notes for one review."""

from dataclasses import dataclass
from typing import Annotated

from mcp.server.mcpserver.tools import Tool
from pydantic import Field

from lighthouse.client.answers_contexts import Context, ContextList, ContextNote, ContextRemoved
from lighthouse.mcp.link import Link
from lighthouse.mcp.tool import ADDS, CHANGES, READS, tool

MAX_FILES = 500


@dataclass(frozen=True)
class ContextShown:
    """Read the files with lighthouse_read_file and at = seq. `files_total` counts those not listed too."""

    name: str
    seq: int
    purpose: str
    agent_id: str
    created_at: str
    files: list[str]
    files_total: int
    notes: list[ContextNote]


def tools(link: Link) -> list[Tool]:
    """The tools, their calls going over `link`."""

    async def lighthouse_create_context(
        name: str,
        files: Annotated[list[str], Field(description="Paths, folders, globs; '!GLOB' takes away.")],
        purpose: str = "",
        notes: Annotated[
            dict[str, str] | None, Field(description="Markdown texts by their titles, in order.")
        ] = None,
        at: Annotated[
            str | None, Field(description="Event number, RFC 3339 time or snapshot; left out: now.")
        ] = None,
    ) -> Context:
        """Put files of one version and notes together under a name for a reviewer; it never changes."""
        async with link.bridge() as bridge:
            return await bridge.create_context(name, files, at=at, notes=notes, purpose=purpose)

    async def lighthouse_list_contexts() -> ContextList:
        """Every context, the oldest first."""
        async with link.bridge() as bridge:
            return ContextList(await bridge.contexts())

    async def lighthouse_get_context(name: str) -> ContextShown:
        """A context: what it is for, its notes, and which files it holds of which version."""
        async with link.bridge() as bridge:
            found = await bridge.context(name)
        return ContextShown(
            found.name,
            found.seq,
            found.purpose,
            found.agent_id,
            found.created_at,
            files=[file.path for file in found.files[:MAX_FILES]],
            files_total=len(found.files),
            notes=found.notes,
        )

    async def lighthouse_remove_context(name: str) -> ContextRemoved:
        """Take away a context that you made."""
        async with link.bridge() as bridge:
            return await bridge.remove_context(name)

    return [
        tool(lighthouse_create_context, ADDS),
        tool(lighthouse_list_contexts, READS),
        tool(lighthouse_get_context, READS),
        tool(lighthouse_remove_context, CHANGES),
    ]
