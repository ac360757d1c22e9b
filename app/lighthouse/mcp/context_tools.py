"""Contexts: packages of files and notes for one review; told as text, which costs a model least."""

from dataclasses import dataclass
from typing import Annotated

from mcp.server.mcpserver.tools import Tool
from pydantic import Field

from lighthouse.client.answers_contexts import Context, ContextDetail, ContextRemoved
from lighthouse.mcp.link import Link
from lighthouse.mcp.tool import ADDS, CHANGES, READS, Moment, tool

MAX_FILES = 500


@dataclass(frozen=True)
class ContextText:
    """Read the files of a context with lighthouse_read_file and at = its version."""

    text: str


def tools(link: Link) -> list[Tool]:
    """The tools, their calls going over `link`."""

    async def lighthouse_create_context(
        name: str,
        files: Annotated[list[str], Field(description="Paths, globs; '!GLOB' takes away.")],
        purpose: str = "",
        notes: Annotated[dict[str, str] | None, Field(description="Markdown by title.")] = None,
        annotations: Annotated[bool, Field(description="Add the files' notes.")] = False,
        at: Moment | None = None,
    ) -> ContextText:
        """Put files of one version and notes together under a name for a reviewer; it never changes."""
        async with link.bridge() as bridge:
            made = await bridge.create_context(
                name, files, at=at, notes=notes, annotations=annotations, purpose=purpose
            )
        return ContextText(_line(made))

    async def lighthouse_show_contexts(
        name: Annotated[str | None, Field(description="Left out: all.")] = None,
    ) -> ContextText:
        """The contexts, or one with its purpose, notes, files and their version."""
        async with link.bridge() as bridge:
            if name is not None:
                return ContextText(_whole(await bridge.context(name)))
            return ContextText("\n".join(map(_line, await bridge.contexts())))

    async def lighthouse_remove_context(name: str) -> ContextRemoved:
        """Take away a context that you made."""
        async with link.bridge() as bridge:
            return await bridge.remove_context(name)

    return [
        tool(lighthouse_create_context, ADDS),
        tool(lighthouse_show_contexts, READS),
        tool(lighthouse_remove_context, CHANGES),
    ]


def _line(context: Context) -> str:
    held = f"files {context.files}, notes {context.notes}, by {context.agent_id} at {context.created_at}"
    return f"{context.name}: version {context.seq}, {held}" + (
        f": {context.purpose}" if context.purpose else ""
    )


def _whole(context: ContextDetail) -> str:
    told = [
        f"{context.name}: version {context.seq}, by {context.agent_id} at {context.created_at}",
        *([f"Purpose: {context.purpose}"] if context.purpose else []),
        *(f"\n# {note.title}\n\n{note.text}" for note in context.notes),
        *(f"annotations/{one.path}: {one.count}" for one in context.annotations),
        f"\nFiles ({len(context.files)}):",
        *(file.path for file in context.files[:MAX_FILES]),
        *(["…"] if len(context.files) > MAX_FILES else []),
    ]
    return "\n".join(told)
