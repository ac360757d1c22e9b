"""GET /shadow/tree/{path}: everything beneath a folder at one version, page by page."""

import asyncio
import base64
import binascii
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from lighthouse import paths
from lighthouse.bridge.call import Answer, Call, Route
from lighthouse.bridge.moments import captured, version
from lighthouse.bridge.problems import Rejected
from lighthouse.bridge.schemas import At
from lighthouse.bridge.shadow import KINDS, octal, raw_path, shown_time
from lighthouse.paths import ProjectPath
from lighthouse.shadow import FOLDER, LINK, Entry, NotCaptured, Shadow, Snapshot, Tree

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge

PREFIX = "/shadow/tree/"


class TreeQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`cursor` is the `next_cursor` of the page before; `at` then has to be that page's `seq`."""

    at: At | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000
    cursor: Annotated[str, msgspec.Meta(min_length=1, max_length=8000)] | None = None


class TreeEntry(msgspec.Struct, omit_defaults=True):
    """`path` is from the project's root; `mode` is octal text; a symlink has its `target`."""

    path: str
    kind: Literal["file", "folder", "symlink"]
    size: int
    mode: str
    mtime: str
    hash: str
    mark: str | None = None
    target: str | None = None
    path_b64: str | None = None
    target_b64: str | None = None


class TreePage(msgspec.Struct):
    """Each folder comes before what is in it; `next_cursor` is null on the last page."""

    seq: int
    root: str
    entries: list[TreeEntry]
    next_cursor: str | None


async def tree(bridge: "Bridge", call: Call) -> TreePage:
    """The entries at and beneath the path, in the order of the paths."""
    wanted: TreeQuery = call.query
    shadow = captured(bridge)
    path = paths.parse(raw_path(call.request, PREFIX))
    snapshot = await version(shadow, wanted.at)
    return await asyncio.to_thread(_page, shadow, snapshot, path, _after(wanted.cursor), wanted.limit)


def _page(shadow: Shadow, snapshot: Snapshot, path: ProjectPath, after: ProjectPath, limit: int) -> TreePage:
    entry = snapshot.lookup(path)
    if entry is None:
        raise NotCaptured(f"version {snapshot.seq} of the project holds no such path", "list its folder")
    listed: list[TreeEntry] = []
    last: ProjectPath = ()
    for place, found in beneath(snapshot, path, entry, after):
        if len(listed) == limit:
            return TreePage(snapshot.seq, snapshot.root.hex(), listed, _cursor(last))
        listed.append(_described(shadow, place, found))
        last = place
    return TreePage(snapshot.seq, snapshot.root.hex(), listed, None)


def beneath(
    tree: Tree, path: ProjectPath, entry: Entry, after: ProjectPath
) -> Iterator[tuple[ProjectPath, Entry]]:
    """The entry at `path` (but the root) and all beneath that come after `after`, folders before contents."""
    if path > after:
        yield path, entry
    elif path != after[: len(path)]:
        return  # all of it comes before
    if entry.kind == FOLDER:
        for name, below in sorted(tree.children(path).items()):
            yield from beneath(tree, (*path, name), below, after)


def _described(shadow: Shadow, path: ProjectPath, entry: Entry) -> TreeEntry:
    target = {}
    if entry.kind == LINK:
        target = paths.name_to_json(shadow.read(entry.hash, 0, entry.size), "target")
    return TreeEntry(
        kind=KINDS[entry.kind],
        size=entry.size,
        mode=octal(entry),
        mtime=shown_time(entry),
        hash=entry.hex,
        mark=entry.mark,
        **paths.to_json(path),
        **target,
    )


def _cursor(path: ProjectPath) -> str:
    return base64.urlsafe_b64encode(paths.to_bytes(path)).decode("ascii")


def _after(cursor: str | None) -> ProjectPath:
    if cursor is None:
        return ()
    try:
        return paths.parse(base64.b64decode(cursor, b"-_", validate=True))
    except (binascii.Error, ValueError, paths.BadPath) as error:
        raise Rejected(422, "the cursor is not one of this bridge", "use next_cursor as given") from error


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/shadow/tree/{path}",
        "shadow_tree",
        "List all beneath a folder of the project as captured",
        tree,
        {200: Answer("A page of entries", TreePage)},
        permission="shadow.read",
        query=TreeQuery,
        errors=(400, 404),
        path_parameters={
            "path": "the path from the project's root, its bytes percent-encoded; empty for the root"
        },
    ),
)
