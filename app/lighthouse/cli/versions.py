"""`lighthouse snapshot`, `snapshots` and `diff`: names for versions, and what differs between them."""

import base64
import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from lighthouse.cli.asking import client
from lighthouse.cli.options import AsJson, Url
from lighthouse.cli.output import note, print_json, print_line, print_table, printable_lines

if TYPE_CHECKING:
    from lighthouse.client.answers_versions import ChangedPath

MOST = 10_000
MOMENT = "a sequence number, an RFC 3339 time, a snapshot's name or current"


def snapshot(
    name: Annotated[str, typer.Argument(help="Its name: a letter, then letters, digits and . _ -")],
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="MOMENT", help=f"Which version: {MOMENT} [else what is there now]."),
    ] = None,
    text: Annotated[str, typer.Option("--note", metavar="TEXT", help="What it is for.")] = "",
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Give a version of the project a name, to come back to it. Names stay."""
    import asyncio

    async def ask() -> None:
        async with client(url) as bridge:
            made = await bridge.create_snapshot(name, at=at, note=text)
        if as_json:
            print_json(made)
        else:
            print_line(f"{made.name} is version {made.seq}")

    asyncio.run(ask())


def snapshots(url: Url = None, as_json: AsJson = False) -> None:
    """List the versions that have names, in the order in which they were made."""
    import asyncio

    async def ask() -> None:
        async with client(url) as bridge:
            found = await bridge.snapshots()
        if as_json:
            print_json(found)
            return
        rows = [(one.name, one.seq, one.created_at, one.agent_id, one.note) for one in found]
        print_table(("name", "version", "made", "agent", "note"), rows)

    asyncio.run(ask())


def diff(
    old: Annotated[str, typer.Argument(metavar="A", help=f"The older moment: {MOMENT}.")],
    new: Annotated[str, typer.Argument(metavar="B", help="The newer moment.")] = "current",
    path: Annotated[str, typer.Argument(help="Only at and beneath this path of the project.")] = "",
    patch: Annotated[
        bool, typer.Option("--patch", "-p", help="Print a patch that `git apply` takes.")
    ] = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Tell what differs between two moments of the project, by file or as a patch."""
    import asyncio

    if patch and as_json:
        raise typer.BadParameter("--patch is a patch and no JSON: leave one of them out")

    async def ask() -> None:
        async with client(url) as bridge:
            if patch:
                print_patch([await bridge.patch(old, new, path=path)])
                return
            found = await bridge.diff(old, new, path=path, limit=MOST)
        if as_json:
            print_json(found)
        else:
            print_table(("", ""), [(change.op, _path(change)) for change in found.changes])
        if found.truncated:
            note(f"{found.truncated} more changes are not listed: name a path")

    asyncio.run(ask())


def print_patch(pieces: Iterable[bytes]) -> None:
    """The patch as it is; on a terminal without what would command the terminal."""
    terminal = sys.stdout.isatty()
    for piece in pieces:
        sys.stdout.buffer.write(_tame(piece) if terminal else piece)
    sys.stdout.buffer.flush()


def _tame(piece: bytes) -> bytes:
    return printable_lines(piece.decode("utf-8", "replace")).encode()


def _path(change: "ChangedPath") -> str:
    path = _exact(change.path, change.path_b64)
    if change.op != "renamed":
        return path
    return f"{_exact(change.old_path or '', change.old_path_b64)} -> {path} ({change.similarity} %)"


def _exact(path: str, encoded: str | None) -> str:
    """The path; one that is not UTF-8 with its own bytes spelt out."""
    return path if encoded is None else os.fsdecode(base64.b64decode(encoded))
