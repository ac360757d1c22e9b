"""GET /diff: what differs between two versions, as a list of changes or as a patch that git applies."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from aiohttp import web

from lighthouse import paths
from lighthouse.bridge.call import Answer, Call, Route
from lighthouse.bridge.moments import captured, version
from lighthouse.bridge.schemas import At
from lighthouse.bridge.shadow import KINDS, octal
from lighthouse.shadow import Entry, Shadow, Snapshot
from lighthouse.shadow.diff import Change, ChangeOp, changes
from lighthouse.shadow.patch import unified

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge

PATCH = "text/x-diff"
PIECE = 256 * 1024


class DiffQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`to` left out is the present. `path` keeps to what is beneath it; `limit` is for the list alone."""

    from_: At = msgspec.field(name="from")
    to: At | None = None
    path: Annotated[str, msgspec.Meta(max_length=paths.MAX_PATH)] = ""
    format: Literal["json", "patch"] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000


class DiffSide(msgspec.Struct, omit_defaults=True):
    """The file or link on one side; `mark` says why its content was not captured."""

    kind: Literal["file", "folder", "symlink"]
    size: int
    mode: str
    hash: str
    mark: str | None = None


class DiffChange(msgspec.Struct, omit_defaults=True):
    """`old` and `new` are left out where there was or is nothing; `similarity` is in per cent."""

    path: str
    op: ChangeOp
    old: DiffSide | None = None
    new: DiffSide | None = None
    old_path: str | None = None
    similarity: int | None = None
    path_b64: str | None = None
    old_path_b64: str | None = None


class Diff(msgspec.Struct):
    """In the order of the paths; `truncated` counts the changes beyond `limit`."""

    from_seq: int
    to_seq: int
    changes: list[DiffChange]
    truncated: int


async def diff(bridge: "Bridge", call: Call) -> Diff | web.StreamResponse:
    """The changes from the one version to the other."""
    wanted: DiffQuery = call.query
    shadow = captured(bridge)
    under = paths.parse(wanted.path)
    old, new = await version(shadow, wanted.from_), await version(shadow, wanted.to)
    found = await bridge.comparing.run(partial(changes, old, new, shadow.read_entry, under=under))
    if wanted.format == "patch" or (
        wanted.format is None and PATCH in call.request.headers.get("Accept", "")
    ):
        return await _send(bridge, call.request, shadow, old, new, found)
    listed = [_described(change) for change in found[: wanted.limit]]
    return Diff(old.seq, new.seq, listed, len(found) - len(listed))


def _described(change: Change) -> DiffChange:
    renamed = {}
    if change.old_path is not None:
        renamed = {
            name.replace("path", "old_path"): text for name, text in paths.to_json(change.old_path).items()
        }
    return DiffChange(
        op=change.op,
        old=_side(change.old),
        new=_side(change.new),
        similarity=change.similarity if renamed else None,
        **paths.to_json(change.path),
        **renamed,
    )


def _side(entry: Entry | None) -> DiffSide | None:
    if entry is None:
        return None
    return DiffSide(KINDS[entry.kind], entry.size, octal(entry), entry.hex, entry.mark)


async def _send(
    bridge: "Bridge", request: web.Request, shadow: Shadow, old: Snapshot, new: Snapshot, found: list[Change]
) -> web.StreamResponse:
    """The patch piece by piece, as fast as it is taken. A failure on the way cuts the connection."""
    headers = {
        "Content-Type": PATCH,
        "X-Lighthouse-From": str(old.seq),
        "X-Lighthouse-To": str(new.seq),
    }
    response = web.StreamResponse(headers=headers)
    pieces = unified(found, shadow.read_entry)
    await response.prepare(request)
    try:
        while piece := await bridge.comparing.run(partial(_gathered, pieces), begun=True):
            await response.write(piece)
        await response.write_eof()
    except ConnectionResetError:
        pass  # Whoever asked has gone.
    except BaseException:
        # Else a patch that ends too early would look whole.
        if request.transport is not None:
            request.transport.abort()
        raise
    return response


def _gathered(pieces: Iterator[bytes]) -> bytes:
    """The next pieces together; empty at the end."""
    gathered = bytearray()
    for piece in pieces:
        gathered += piece
        if len(gathered) >= PIECE:
            break
    return bytes(gathered)


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/diff",
        "diff",
        "What differs between two versions of the project",
        diff,
        {
            200: Answer(
                "The changes as JSON, or a patch where `format=patch` or `Accept` asks for it",
                Diff,
                PATCH,
                {
                    "X-Lighthouse-From": "of a patch, the version it begins with",
                    "X-Lighthouse-To": "of a patch, the version it leads to",
                },
            )
        },
        permission="shadow.read",
        query=DiffQuery,
        errors=(400, 404),
    ),
)
