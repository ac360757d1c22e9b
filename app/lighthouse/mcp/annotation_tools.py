"""Notes that follow the code."""

from dataclasses import dataclass
from typing import Annotated, Literal

from mcp.server.mcpserver.tools import Tool
from pydantic import Field

from lighthouse.client.answers_annotations import Annotation, AnnotationEnded, Severity
from lighthouse.mcp.link import Link
from lighthouse.mcp.tool import ADDS, CHANGES, READS, tool

MAX_NOTES = 100


@dataclass(frozen=True)
class Shown:
    """A note and where it stands today. `orphaned`: where it stood last, in version last_seq."""

    id: str
    status: str
    path: str
    lines: tuple[int, int] | None
    symbol: str | None
    confidence: float
    last_seq: int | None
    severity: str
    category: str
    text: str
    agent_id: str


@dataclass(frozen=True)
class Notes:
    """Notes in version `seq`. Not null: call again with offset = next_offset."""

    seq: int
    notes: list[Shown]
    next_offset: int | None = None


def tools(link: Link) -> list[Tool]:
    """The tools, their calls going over `link`."""

    async def lighthouse_annotate(
        path: str,
        text: Annotated[str, Field(max_length=8192)],
        line: Annotated[int | None, Field(ge=1)] = None,
        end_line: Annotated[int | None, Field(ge=1)] = None,
        symbol: Annotated[str | None, Field(description="A declaration, like Order.total.")] = None,
        severity: Severity = "info",
        category: str = "note",
    ) -> Shown:
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
        path: Annotated[str, Field(description="File or folder; '' is everything.")] = "",
        at: Annotated[
            str | None, Field(description="Event number, RFC 3339 time or snapshot; left out: now.")
        ] = None,
        offset: Annotated[int, Field(ge=0)] = 0,
    ) -> Notes:
        """Open notes at and beneath a path, and where each stands: same, moved, edited or orphaned."""
        async with link.bridge() as bridge:
            found = await bridge.annotations(path, at=at, offset=offset, limit=MAX_NOTES)
        end = offset + len(found.annotations)
        notes = [_shown(one) for one in found.annotations]
        return Notes(found.seq, notes, end if end < found.total else None)

    async def lighthouse_end_annotation(
        id: str,
        ending: Annotated[
            Literal["resolved", "withdrawn"], Field(description="Withdraw only what you noted yourself.")
        ],
        reason: str = "",
    ) -> AnnotationEnded:
        """Close a note: what it asks for is done, or it was a mistake."""
        async with link.bridge() as bridge:
            if ending == "resolved":
                return await bridge.resolve_annotation(id, reason)
            return await bridge.withdraw_annotation(id, reason)

    return [
        tool(lighthouse_annotate, ADDS),
        tool(lighthouse_list_annotations, READS),
        tool(lighthouse_end_annotation, CHANGES),
    ]


def _shown(note: Annotation) -> Shown:
    return Shown(
        note.id,
        note.status,
        note.path,
        note.lines,
        note.symbol,
        note.confidence,
        note.last_seq,
        note.severity,
        note.category,
        note.text,
        note.agent_id,
    )
