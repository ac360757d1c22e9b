"""The shapes of a search's answers."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class FoundLine:
    """A matching line, or one beside it. `spans` are the matches, in bytes of the line.

    `text` begins at the line's byte `offset`; `cut` says that the line is longer than what is shown.
    """

    number: int
    text: str
    match: bool
    spans: list[tuple[int, int]] = field(default_factory=list)
    offset: int = 0
    cut: bool = False
    text_b64: str | None = None


@dataclass(frozen=True)
class FoundFile:
    """A file in which `count` lines match, as far as they belong to this page."""

    path: str
    count: int
    lines: list[FoundLine]
    path_b64: str | None = None


@dataclass(frozen=True)
class SearchPage:
    """Matches in the order of their paths, of version `seq`; with a `cursor` there may be more.

    `truncated`: a limit was reached; `timed_out`: the time was. `searched`, `binary` (left out) and
    `not_captured` count files.
    """

    seq: int
    files: list[FoundFile]
    searched: int
    searched_bytes: int
    binary: int
    not_captured: int
    truncated: bool
    timed_out: bool
    cursor: str | None = None
