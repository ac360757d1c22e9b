"""Searching the project; matches come as text, as ripgrep prints them under headings."""

from typing import Annotated, Literal

from mcp.server.mcpserver.tools import Tool
from pydantic import Field
from typing_extensions import TypedDict

from lighthouse.client.answers_search import SearchPage
from lighthouse.mcp.link import Link
from lighthouse.mcp.tool import READS, Moment, tool

MAX_BYTES = 48 * 1024


class Matches(TypedDict, total=False):
    """In version `seq`. Where there is more, go on with cursor = next_cursor."""

    seq: int
    found: str
    next_cursor: str


def tools(link: Link) -> list[Tool]:
    """The tools, their calls going over `link`."""

    async def lighthouse_search(
        pattern: Annotated[str, Field(description="RE2, within a line.")],
        path: str = "",
        globs: Annotated[list[str] | None, Field(description="As rg -g: '*.ts', '!tests/'.")] = None,
        ignore_case: bool = False,
        fixed: Annotated[bool, Field(description="Plain text.")] = False,
        word: bool = False,
        context: Annotated[int, Field(ge=0, le=20)] = 0,
        mode: Literal["lines", "files", "count"] = "lines",
        max_matches: Annotated[int, Field(ge=1, le=1000)] = 100,
        at: Moment | None = None,
        cursor: str | None = None,
    ) -> Matches:
        """Search the project as ripgrep would, now or as it was: `number:text`, context `number-text`."""
        async with link.bridge() as bridge:
            page = await bridge.search(
                pattern,
                path=path,
                at=at,
                fixed=fixed,
                ignore_case=ignore_case,
                word=word,
                globs=globs or (),
                before=context,
                after=context,
                mode=mode,
                max_matches=max_matches,
                max_bytes=MAX_BYTES,
                cursor=cursor,
            )
        found = Matches(seq=page.seq, found=_printed(page, mode))
        if page.cursor is not None:
            found["next_cursor"] = page.cursor
        return found

    return [tool(lighthouse_search, READS)]


def _printed(page: SearchPage, mode: str) -> str:
    printed: list[str] = []
    for file in page.files:
        printed.append(f"{file.path}:{file.count}" if mode == "count" else file.path)
        last = None
        for line in file.lines:
            if last is not None and line.number != last + 1:
                printed.append("--")
            last = line.number
            begun, ended = "…" if line.offset else "", "…" if line.cut else ""
            printed.append(f"{line.number}{':' if line.match else '-'}{begun}{line.text}{ended}")
        if file.lines:
            printed.append("")
    return "\n".join(printed)
