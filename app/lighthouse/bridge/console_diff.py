"""The console's comparison of two versions of the project: what changed, and how, line by line."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated

import msgspec
from aiohttp import web

from lighthouse import paths
from lighthouse.bridge.call import Answer, Call, Route
from lighthouse.bridge.console_door import page
from lighthouse.bridge.console_files import When, moments
from lighthouse.bridge.moments import captured, version
from lighthouse.console.patch import Rows, rows
from lighthouse.console.recent import recent
from lighthouse.console.visible import name_text
from lighthouse.paths import ProjectPath
from lighthouse.shadow import Shadow
from lighthouse.shadow.diff import Change, changes
from lighthouse.shadow.patch import unified

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge

MOST_CHANGES = 300
MOST_PATCHES = 50
MOST_ROWS = 4000


class ConsoleDiffQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Both empty: what the last change did. `to` empty: the present. `path` keeps to what is beneath it."""

    from_: When = msgspec.field(name="from", default="")
    to: When = ""
    path: Annotated[str, msgspec.Meta(max_length=paths.MAX_PATH)] = ""


@dataclass(frozen=True, slots=True)
class Changed:
    """A file that differs; `patch` is None where the page has no more room for it."""

    op: str
    name: str
    path: ProjectPath
    old_name: str
    similarity: int
    gone: bool
    patch: Rows | None


async def diff(bridge: "Bridge", call: Call) -> web.Response:
    """What differs between two moments, as a list and as patches."""
    wanted: ConsoleDiffQuery = call.query
    shadow = captured(bridge)
    under = paths.parse(wanted.path)
    since = wanted.from_ or await _before_last(bridge)
    old, new = await version(shadow, since), await version(shadow, wanted.to or None)
    found = await bridge.comparing.run(partial(changes, old, new, shadow.read_entry, under=under))
    values = {
        "title": "Changes",
        "here": "diff",
        "wanted": wanted,
        "since": since,
        "old": old,
        "new": new,
        "moments": await moments(bridge, shadow),
        "changes": await bridge.comparing.run(partial(_shown, shadow, found[:MOST_CHANGES])),
        "total": len(found),
    }
    return await page(bridge, call.caller, "diff.html", values)


async def _before_last(bridge: "Bridge") -> str:
    """The version before the present one, or the first where there is no other."""
    latest = (await recent(bridge.store, wanted=2, type="shadow.*")).events
    return str(latest[-1].seq) if latest else "current"


def _shown(shadow: Shadow, found: list[Change]) -> list[Changed]:
    left = MOST_ROWS
    shown = []
    for place, change in enumerate(found):
        patch = None
        if left > 0 and place < MOST_PATCHES:
            patch = rows(unified([change], shadow.read_entry), left)
            left -= len(patch.rows)
        shown.append(
            Changed(
                change.op,
                name_text(paths.to_bytes(change.path)),
                change.path,
                name_text(paths.to_bytes(change.old_path)) if change.old_path is not None else "",
                change.similarity,
                change.new is None,
                patch,
            )
        )
    return shown


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/console/diff",
        "console_diff",
        "What differs between two versions of the project, line by line",
        diff,
        {200: Answer("The page", media_type="text/html")},
        permission="console.use",
        query=ConsoleDiffQuery,
        errors=(400, 404),
        face="console",
    ),
)
