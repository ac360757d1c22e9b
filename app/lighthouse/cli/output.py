"""What commands print: JSON or tables on standard output, progress and errors on standard error."""

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import typer

Progress = Callable[[int, int], None]


def print_json(value: Any) -> None:
    """One JSON value on one line, flushed: a reader at the other end of a pipe gets it now."""
    import msgspec

    sys.stdout.buffer.write(msgspec.json.encode(value) + b"\n")
    sys.stdout.buffer.flush()


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table as wide as the terminal; in a pipe every row is one line, however long."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    terminal = sys.stdout.isatty()
    table = Table(*columns, box=None, pad_edge=False, show_header=any(columns), header_style="bold")
    for column in table.columns:
        column.overflow = "fold"
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(printable(str(cell))) for cell in row))
    Console(width=None if terminal else 100_000, highlight=False).print(table)


def print_line(text: str) -> None:
    """A line of text, flushed."""
    sys.stdout.write(printable(text) + "\n")
    sys.stdout.flush()


def print_section(title: str, text: str) -> None:
    """Lines that an agent wrote, each behind a bar, so that none can pass for ours."""
    print_line("")
    print_line(f"{title}:")
    for line in text.split("\n"):
        sys.stdout.write(f"  | {printable_lines(line)}\n")


def note(text: str) -> None:
    """A remark for a person, on standard error."""
    sys.stderr.write(f"lighthouse: {printable(text)}\n")
    sys.stderr.flush()


def fail(text: str, code: int = 1) -> NoReturn:
    """End the command with an error of one line."""
    note(" ".join(text.split()))
    raise typer.Exit(code)


def printable(text: str) -> str:
    """The text with control characters spelt out: events come from agents, and terminals obey escapes."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "backslashreplace").decode("ascii")
        for char in text
    )


def printable_lines(text: str) -> str:
    """As `printable`, with line breaks and tabs left as they are."""
    return "".join(part if part in ("\n", "\t") else printable(part) for part in re.split(r"([\n\t])", text))


def shortened(text: str, most: int) -> str:
    """The text in one printable line of at most `most` characters: its beginning and its end."""
    shown = printable(text)
    if len(shown) <= most:
        return shown
    end = most // 4
    return f"{shown[: most - end - 3]} … {shown[-end:]}"


@contextmanager
def progress(label: str) -> Iterator[Progress | None]:
    """A progress bar when standard error is a terminal: call it with what is done and what there is."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
