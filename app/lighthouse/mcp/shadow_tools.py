"""The project as captured."""

from typing import Annotated

from mcp.server.mcpserver.tools import Tool
from pydantic import Field

from lighthouse.mcp.link import Link
from lighthouse.mcp.shapes import PathContent, file_content, folder_content, symlink
from lighthouse.mcp.tool import READS, Moment, tool

MAX_FOLDER_NAMES = 500


def tools(link: Link) -> list[Tool]:
    """The tools, their calls going over `link`."""

    async def lighthouse_read_file(
        path: Annotated[str, Field(description="'.' is the root.")],
        at: Moment | None = None,
        offset: Annotated[int, Field(ge=0, description="Byte, or entry of a folder.")] = 0,
        max_bytes: Annotated[int, Field(ge=16, le=262144)] = 65536,
    ) -> PathContent:
        """A file, folder listing or symlink of the project, now or as it was; go on at next_offset."""
        async with link.bridge() as bridge:
            found = await bridge.read(path, at=at, offset=offset, size=max_bytes)
        if found.kind == "file":
            return file_content(found)
        if found.kind == "folder":
            return folder_content(found, offset, MAX_FOLDER_NAMES)
        return symlink(found)

    return [tool(lighthouse_read_file, READS)]
