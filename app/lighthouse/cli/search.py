"""`lighthouse search`: what ripgrep would find in any version of the project, printed as ripgrep does."""

import base64
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from lighthouse.cli.asking import client
from lighthouse.cli.options import AsJson, Url
from lighthouse.cli.output import note, print_json, printable

if TYPE_CHECKING:
    from lighthouse.client.answers_search import FoundFile, FoundLine

# One page of the answer; the next follows by itself.
PAGE_LINES, PAGE_SECONDS = 1000, 10.0
WIDEST = 65_536


def search(
    pattern: Annotated[str, typer.Argument(help="What to look for: a regular expression in RE2's syntax.")],
    path: Annotated[str, typer.Argument(help="A folder or file of the project to look in.")] = "",
    ignore_case: Annotated[bool, typer.Option("--ignore-case", "-i", help="Ignore case.")] = False,
    smart_case: Annotated[
        bool, typer.Option("--smart-case", "-S", help="Ignore case unless the pattern has upper case.")
    ] = False,
    word: Annotated[bool, typer.Option("--word-regexp", "-w", help="Only whole words.")] = False,
    fixed: Annotated[bool, typer.Option("--fixed-strings", "-F", help="The pattern is plain text.")] = False,
    globs: Annotated[
        list[str] | None,
        typer.Option("--glob", "-g", metavar="GLOB", help="Only these files; with ! in front, no such."),
    ] = None,
    types: Annotated[
        list[str] | None,
        typer.Option("--type", "-t", metavar="TYPE", help="Only files of a type, as py."),
    ] = None,
    after: Annotated[
        int | None,
        typer.Option("--after-context", "-A", min=0, max=100, metavar="N", help="Lines after it."),
    ] = None,
    before: Annotated[
        int | None,
        typer.Option("--before-context", "-B", min=0, max=100, metavar="N", help="Lines before it."),
    ] = None,
    context: Annotated[
        int, typer.Option("--context", "-C", min=0, max=100, metavar="N", help="Lines around it.")
    ] = 0,
    only_files: Annotated[
        bool, typer.Option("--files-with-matches", "-l", help="Only the paths of files that match.")
    ] = False,
    only_count: Annotated[
        bool, typer.Option("--count", "-c", help="Only how many lines of each file match.")
    ] = False,
    max_count: Annotated[
        int | None, typer.Option("--max-count", "-m", min=1, metavar="N", help="At most N lines of a file.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, metavar="N", help="At most N lines (or files) in all.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="MOMENT", help="Sequence number, RFC 3339 time or snapshot's name [else now]."
        ),
    ] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Search the project at any version for lines that match a pattern. Exits with 1 when none does."""
    import asyncio

    if only_files and only_count:
        raise typer.BadParameter("--files-with-matches and --count exclude each other")
    before, after = context if before is None else before, context if after is None else after
    show = _Printer(separated=before + after > 0, counts=only_count, as_json=as_json)

    async def ask() -> int:
        left, cursor, away = limit, None, 0
        async with client(url) as bridge:
            while left is None or left > 0:
                page = await bridge.search(
                    pattern,
                    path=path,
                    at=at,
                    fixed=fixed,
                    ignore_case=ignore_case,
                    smart_case=smart_case,
                    word=word,
                    globs=globs or (),
                    types=types or (),
                    before=before,
                    after=after,
                    mode="files" if only_files else "count" if only_count else "lines",
                    max_matches=PAGE_LINES if left is None else min(left, PAGE_LINES),
                    max_per_file=max_count,
                    max_columns=WIDEST,
                    timeout_seconds=PAGE_SECONDS,
                    cursor=cursor,
                )
                for file in page.files:
                    show.file(file)
                if left is not None:
                    left -= len(page.files) if only_files or only_count else sum(f.count for f in page.files)
                cursor, away = page.cursor, away + page.not_captured
                if cursor is None:
                    break
        if not as_json:
            show.end()
        return away

    if away := asyncio.run(ask()):
        note(f"{away} files have no content to search: see `lighthouse status`")
    if not show.found:
        raise typer.Exit(1)


class _Printer:
    """Prints page after page; what a page repeats of the one before is printed once."""

    def __init__(self, *, separated: bool, counts: bool, as_json: bool) -> None:
        self.found = False
        self._separated = separated
        self._counts = counts
        self._as_json = as_json
        self._raw = not sys.stdout.isatty()
        # The file under way: its path, its matches so far, and the last line of it that was printed.
        self._path = b""
        self._count = 0
        self._last = -1

    def file(self, file: "FoundFile") -> None:
        """Print what was found in a file, or in a further part of it."""
        path = _bytes(file.path, file.path_b64)
        if self._as_json:
            print_json(file)
        elif path != self._path:
            self.end()
            self._path, self._count, self._last = path, 0, -1
            if not (file.lines or self._counts):
                self._print(path)
        self._count += file.count
        for line in () if self._as_json else file.lines:
            self._line(line)
        self.found = True

    def end(self) -> None:
        """Print the count of the file under way, which a later page could have raised."""
        if self._counts and self._count:
            self._print(self._path + b":%d" % self._count)

    def _line(self, line: "FoundLine") -> None:
        if line.number <= self._last:
            return
        begun_before = self.found or self._last >= 0
        if self._separated and begun_before and line.number != self._last + 1:
            self._print(b"--")
        self._last = line.number
        mark = b":" if line.match else b"-"
        begun, ended = "…".encode() if line.offset else b"", "…".encode() if line.cut else b""
        text = begun + _bytes(line.text, line.text_b64) + ended
        self._print(self._path + mark + b"%d" % line.number + mark + text)

    def _print(self, printed: bytes) -> None:
        if not self._raw:
            # A terminal obeys escapes, and anybody may have written these files.
            text = printed.decode("utf-8", "replace")
            printed = "\t".join(printable(part) for part in text.split("\t")).encode()
        sys.stdout.buffer.write(printed + b"\n")


def _bytes(text: str, encoded: str | None) -> bytes:
    return text.encode() if encoded is None else base64.b64decode(encoded)
