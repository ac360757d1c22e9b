"""`lighthouse context`: packages of files and notes for one review."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from lighthouse.cli.asking import client
from lighthouse.cli.options import AsJson, Url
from lighthouse.cli.output import print_json, print_line, print_table
from lighthouse.errors import LighthouseError

app = typer.Typer(help="Put files and notes together for one review.", rich_markup_mode=None)

Name = Annotated[str, typer.Argument(help="The context's name.")]


@app.callback()
def _context() -> None:
    """Put files and notes together for one review."""


@app.command("create")
def create(
    name: Name,
    files: Annotated[
        list[str] | None, typer.Argument(help="Paths, folders and globs; a glob with ! in front takes away.")
    ] = None,
    notes: Annotated[
        list[Path] | None,
        typer.Option(
            "--note", metavar="FILE", help="Add this file's text, titled by its name; - is the input."
        ),
    ] = None,
    annotations: Annotated[
        bool, typer.Option("--annotations", help="Add what stands noted on the files.")
    ] = False,
    purpose: Annotated[str, typer.Option("--purpose", metavar="TEXT", help="What it is for.")] = "",
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="MOMENT", help="Sequence number, RFC 3339 time or snapshot's name [else now]."
        ),
    ] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Put files of one version and notes together under a name; they never change there."""
    import asyncio

    texts = {_title(path): _text(path) for path in notes or ()}
    if len(texts) != len(notes or ()):
        raise typer.BadParameter("two notes have the same name: rename one of the files")

    async def ask() -> None:
        async with client(url) as bridge:
            made = await bridge.create_context(
                name, files or (), at=at, notes=texts, annotations=annotations, purpose=purpose
            )
        if as_json:
            print_json(made)
        else:
            print_line(f"{made.name}: version {made.seq}, files {made.files}, notes {made.notes}")

    asyncio.run(ask())


@app.command("list")
def listed(url: Url = None, as_json: AsJson = False) -> None:
    """List all contexts, the oldest first. With --json each is one line."""
    import asyncio

    async def ask() -> None:
        async with client(url) as bridge:
            found = await bridge.contexts()
        if as_json:
            for context in found:
                print_json(context)
            return
        rows = [
            (one.name, one.seq, one.files, one.notes, one.agent_id, one.created_at, one.purpose)
            for one in found
        ]
        print_table(("name", "version", "files", "notes", "agent", "made", "purpose"), rows)

    asyncio.run(ask())


@app.command("show")
def show(name: Name, url: Url = None, as_json: AsJson = False) -> None:
    """Show what a context is for, its notes and its files."""
    import asyncio

    async def ask() -> None:
        async with client(url) as bridge:
            found = await bridge.context(name)
        if as_json:
            print_json(found)
            return
        print_table(
            ("", ""),
            [
                ("context", found.name),
                ("purpose", found.purpose),
                ("version", found.seq),
                ("made", f"{found.created_at} by {found.agent_id}"),
                *(("note", note.path) for note in found.notes),
                *(("annotations", f"{one.count} in {one.path}") for one in found.annotations),
                *(("file", f"{file.path} ({file.mark or file.size})") for file in found.files),
            ],
        )

    asyncio.run(ask())


@app.command("remove")
def remove(name: Name, url: Url = None, as_json: AsJson = False) -> None:
    """Take away a context: one's own, or as operator or admin anyone's."""
    import asyncio

    async def ask() -> None:
        async with client(url) as bridge:
            gone = await bridge.remove_context(name)
        print_json(gone) if as_json else print_line(f"{gone.name} is removed")

    asyncio.run(ask())


def _title(path: Path) -> str:
    return "note" if str(path) == "-" else path.stem


def _text(path: Path) -> str:
    raw = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise LighthouseError(f"the note {path} is not UTF-8 text", "convert it") from error
