"""A place in a file, and what a word in a session points to, as commands are told them."""

import re
from typing import Annotated, TypedDict

import typer

Proposal = Annotated[
    str | None, typer.Option("--proposal", metavar="NAME", help="Point to this open proposal.")
]
Where = Annotated[
    str | None,
    typer.Option("--at", metavar="PATH[:LINE[-LINE]]", help="Point to a file, a line or lines of it."),
]
Symbol = Annotated[
    str | None,
    typer.Option("--symbol", metavar="NAME", help="With --at: a declaration in the file: Order.total."),
]
_PLACE = re.compile(r"(.+?)(?::(\d{1,9})(?:-(\d{1,9}))?)?", re.DOTALL)


class Place(TypedDict):
    """The client's arguments for a place."""

    path: str | None
    line: int | None
    end_line: int | None
    symbol: str | None


def place_of(at: str | None, symbol: str | None) -> Place:
    """The place that the options name; ends the command with 2 where they name none."""
    if at is None:
        if symbol is not None:
            raise typer.BadParameter("--symbol needs the file it is in, with --at")
        return Place(path=None, line=None, end_line=None, symbol=None)
    path, line, end = parse_place(at)
    return Place(path=path, line=line, end_line=end, symbol=symbol)


def parse_place(text: str) -> tuple[str, int | None, int | None]:
    """Path, first and last line of PATH[:LINE[-LINE]]; ends the command with 2 where it is none."""
    matched = _PLACE.fullmatch(text)
    if matched is None:
        raise typer.BadParameter("the place is not PATH, PATH:LINE or PATH:LINE-LINE")
    path, line, end = matched.groups()
    return path, int(line) if line else None, int(end) if end else None
