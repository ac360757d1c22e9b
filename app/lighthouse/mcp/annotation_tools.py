"""Notes that follow the code."""

from typing import Annotated, Any, Literal

from mcp.server.mcpserver.tools import Tool
from pydantic import Field

from lighthouse.client.answers_annotations import Annotation, Severity
from lighthouse.mcp.link import Link
from lighthouse.mcp.tool import ADDS, CHANGES, READS, Moment, tool

MAX_NOTES = 100

# What a model has use for; the anchor is the bridge's own way of finding the place again.
_SHOWN = ("id", "status", "path", "lines", "symbol", "confidence", "severity", "category", "text", "agent_id")


def tools(link: Link) -> list[Tool]:
    """The tools, their calls going over `link`."""

    async def lighthouse_annotate(
        path: str,
        text: str,
        line: int | None = None,
        end_line: int | None = None,
        symbol: Annotated[str | None, Field(description="Like Order.total.")] = None,
        severity: Severity = "info",
        category: str = "note",
    ) -> dict[str, Any]:
        """Leave a note on a file, its lines or a declaration; it is found again as the code changes."""
        async with link.bridge() as bridge:
            made = await bridge.annotate(
                path,
                text,
                line=line,
                end_line=end_line,
                symbol=symbol,
                severity=severity,
                category=category,
            )
        return _shown(made.annotation)

    async def lighthouse_list_annotations(
        path: str = "",
        at: Moment | None = None,
        offset: int = 0,
    ) -> dict[str, Any]:
        """Open notes at and beneath a path: same, moved, edited or orphaned. Go on at next_offset."""
        async with link.bridge() as bridge:
            found = await bridge.annotations(path, at=at, offset=offset, limit=MAX_NOTES)
        end = offset + len(found.annotations)
        more = {"next_offset": end} if end < found.total else {}
        return {"seq": found.seq, "notes": [_shown(one) for one in found.annotations]} | more

    async def lighthouse_end_annotation(
        id: str,
        ending: Annotated[Literal["resolved", "withdrawn"], Field(description="Withdraw your own only.")],
        reason: str = "",
    ) -> dict[str, Any]:
        """Close a note: what it asks for is done, or it was a mistake."""
        async with link.bridge() as bridge:
            end = bridge.resolve_annotation if ending == "resolved" else bridge.withdraw_annotation
            ended = await end(id, reason)
        return {"id": ended.id, "ending": ended.ending, "seq": ended.seq}

    return [
        tool(lighthouse_annotate, ADDS),
        tool(lighthouse_list_annotations, READS),
        tool(lighthouse_end_annotation, CHANGES),
    ]


def _shown(note: Annotation) -> dict[str, Any]:
    last = {"last_seq": note.last_seq} if note.last_seq is not None else {}
    return {name: getattr(note, name) for name in _SHOWN} | last
