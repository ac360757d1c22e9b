"""What a search answers: lines by file, what was looked at, and where it would go on."""

import msgspec

from lighthouse.paths import ProjectPath


class Line(msgspec.Struct, frozen=True):
    """A line of a file, without its line break: a match, or context beside one.

    `text` is the part shown, from the line's byte `offset` on; `cut` says that it is not all of the line.
    `spans` are the matches within the line, in bytes from its beginning.
    """

    number: int
    text: bytes
    match: bool
    spans: tuple[tuple[int, int], ...] = ()
    offset: int = 0
    cut: bool = False


class FileMatches(msgspec.Struct):
    """A file with matches: `count` matching lines in this answer, shown in `lines` in that mode."""

    path: ProjectPath
    count: int = 0
    lines: list[Line] = []


class Found(msgspec.Struct):
    """`searched` and `searched_bytes`: files read to their end, and bytes looked at.

    `binary` files were left out from their first NUL byte on; of `not_captured` ones there is no content.
    `cursor` is there when the search stopped before its end: at a limit (`truncated`) or for want of time
    (`timed_out`).
    """

    seq: int
    files: list[FileMatches] = []
    searched: int = 0
    searched_bytes: int = 0
    binary: int = 0
    not_captured: int = 0
    truncated: bool = False
    timed_out: bool = False
    cursor: str | None = None
