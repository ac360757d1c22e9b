"""`lighthouse annotate`, `annotations` and `annotation`: notes that follow the code."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from lighthouse.cli.asking import client
from lighthouse.cli.options import AsJson, Url
from lighthouse.cli.output import print_json, print_line, print_table
from lighthouse.cli.place import parse_place

if TYPE_CHECKING:
    from lighthouse.client.answers_annotations import Annotation, AnnotationEnded, Severity

app = typer.Typer(help="Close a note.", rich_markup_mode=None)

PAGE = 1000
_SEVERITIES: "tuple[Severity, ...]" = ("info", "warning", "error", "critical")

Id = Annotated[str, typer.Argument(metavar="ID", help="The note's id, as `lighthouse annotations` lists it.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")]


@app.callback()
def _annotation() -> None:
    """Close a note."""


def annotate(
    place: Annotated[
        str, typer.Argument(metavar="PATH[:LINE[-LINE]]", help="A file, a line of it, or a range of lines.")
    ],
    text: Annotated[str, typer.Argument(help="What there is to say.")],
    symbol: Annotated[
        str | None,
        typer.Option("--symbol", metavar="NAME", help="A declaration instead of a line: Order.total."),
    ] = None,
    severity: Annotated[
        str, typer.Option("--severity", metavar="LEVEL", help="info, warning, error or critical.")
    ] = "info",
    category: Annotated[str, typer.Option("--category", metavar="NAME", help="A short name.")] = "note",
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Leave a note on a file, on its lines or on a declaration; it is found again as the code changes."""
    import asyncio

    chosen = next((level for level in _SEVERITIES if level == severity), None)
    if chosen is None:
        raise typer.BadParameter(f"--severity is one of {', '.join(_SEVERITIES)}")
    path, line, end = parse_place(place)

    async def ask() -> None:
        async with client(url) as bridge:
            made = await bridge.annotate(
                os.fsencode(path),
                text,
                line=line,
                end_line=end,
                symbol=symbol,
                severity=chosen,
                category=category,
            )
        if as_json:
            print_json(made)
        else:
            print_line(f"{made.annotation.id}: {_where(made.annotation)}")

    asyncio.run(ask())


def annotations(
    path: Annotated[str, typer.Argument(help="A file or folder [else the whole project].")] = "",
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="MOMENT", help="Sequence number, RFC 3339 time or snapshot's name [else now]."
        ),
    ] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List the open notes at and beneath a path, and where each stands. With --json each is one line."""
    import asyncio

    async def ask() -> "list[Annotation]":
        found: list[Annotation] = []
        async with client(url) as bridge:
            while True:
                page = await bridge.annotations(os.fsencode(path), at=at, offset=len(found), limit=PAGE)
                found += page.annotations
                if not page.annotations or len(found) >= page.total:
                    return found

    found = asyncio.run(ask())
    if as_json:
        for note in found:
            print_json(note)
        return
    rows = [
        (note.id, note.status, _where(note), note.severity, note.category, note.agent_id, note.text)
        for note in found
    ]
    print_table(("id", "status", "place", "severity", "category", "agent", "text"), rows)


@app.command("resolve")
def resolve(annotation_id: Id, reason: Reason = "", url: Url = None, as_json: AsJson = False) -> None:
    """Say that what a note asks for is done."""
    import asyncio

    async def ask() -> None:
        async with client(url) as bridge:
            _print(await bridge.resolve_annotation(annotation_id, reason), as_json=as_json)

    asyncio.run(ask())


@app.command("withdraw")
def withdraw(annotation_id: Id, reason: Reason = "", url: Url = None, as_json: AsJson = False) -> None:
    """Take a note back: one's own, or as operator or admin anyone's."""
    import asyncio

    async def ask() -> None:
        async with client(url) as bridge:
            _print(await bridge.withdraw_annotation(annotation_id, reason), as_json=as_json)

    asyncio.run(ask())


def _print(ended: "AnnotationEnded", *, as_json: bool) -> None:
    print_json(ended) if as_json else print_line(f"{ended.id} is {ended.ending}")


def _where(note: "Annotation") -> str:
    lines = ""
    if note.lines is not None:
        first, last = note.lines
        lines = f":{first}" if first == last else f":{first}-{last}"
    return f"{note.path}{lines}" + (f" ({note.symbol})" if note.symbol else "")
