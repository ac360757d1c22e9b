"""The project through time: names for versions, what differs between them."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any

from mcp.server.mcpserver.tools import Tool
from pydantic import Field

from lighthouse.client.answers_versions import ChangedPath, SnapshotInfo, SnapshotPage, UpdatedShadow
from lighthouse.mcp.link import Link
from lighthouse.mcp.tool import ADDS, READS, Moment, tool

MAX_CHANGES = 300
MAX_PATCH = 64 * 1024
MAX_SNAPSHOTS = 200
LETTERS = {"created": "A", "modified": "M", "deleted": "D", "mode": "M"}


@dataclass(frozen=True)
class Difference:
    """Lines like git's --name-status, or a patch; `truncated` says that there is more."""

    text: str
    truncated: bool


def tools(link: Link) -> list[Tool]:
    """The tools, their calls going over `link`."""

    async def lighthouse_create_snapshot(
        name: str,
        note: Annotated[str, Field(max_length=2000)] = "",
        at: Moment | None = None,
    ) -> SnapshotInfo:
        """Name a version of the project, the present one or `at`, to come back to it."""
        async with link.bridge() as bridge:
            return await bridge.create_snapshot(name, at=at, note=note)

    async def lighthouse_list_snapshots() -> dict[str, Any]:
        """The named versions of the project, the latest ones last."""
        async with link.bridge() as bridge:
            found = await bridge.snapshots()
        return asdict(SnapshotPage(found[-MAX_SNAPSHOTS:], len(found)))

    async def lighthouse_diff(
        old: Moment,
        new: Moment = "current",
        path: str = "",
        patch: Annotated[bool, Field(description="Unified, instead of names.")] = False,
    ) -> Difference:
        """What changed in the project between two moments."""
        async with link.bridge() as bridge:
            if patch:
                text = await bridge.patch(old, new, path=path)
                shown = text[:MAX_PATCH].decode("utf-8", "replace")
                return Difference(shown, len(text) > MAX_PATCH)
            found = await bridge.diff(old, new, path=path, limit=MAX_CHANGES)
        return Difference("".join(_line(change) for change in found.changes), found.truncated > 0)

    async def lighthouse_update_shadow(
        paths: list[str] | None = None,
    ) -> UpdatedShadow:
        """Capture the project's files now; changes are noticed soon anyhow."""
        async with link.bridge() as bridge:
            return await bridge.update_shadow(paths)

    return [
        tool(lighthouse_create_snapshot, ADDS),
        tool(lighthouse_list_snapshots, READS),
        tool(lighthouse_diff, READS),
        tool(lighthouse_update_shadow, ADDS),
    ]


def _line(change: ChangedPath) -> str:
    if change.op == "renamed":
        return f"R{change.similarity:03}\t{change.old_path}\t{change.path}\n"
    return f"{LETTERS[change.op]}\t{change.path}\n"
