"""The wire forms of /shadow/search."""

from typing import Annotated

import msgspec

from lighthouse.bridge.schemas import Request
from lighthouse.search import Mode, Query
from lighthouse.search.query import DEFAULT_SECONDS, MAX_SECONDS

Glob = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
Beside = Annotated[int, msgspec.Meta(ge=0, le=100)]


class ShadowSearch(Request):
    """`at` is a sequence number, an RFC 3339 time or a snapshot's name; a `cursor` keeps to its version."""

    pattern: Annotated[str, msgspec.Meta(min_length=1)]
    at: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | None = None
    path: str = ""
    fixed: bool = False
    ignore_case: bool = False
    smart_case: bool = False
    word: bool = False
    globs: Annotated[tuple[Glob, ...], msgspec.Meta(max_length=100)] = ()
    types: Annotated[tuple[Glob, ...], msgspec.Meta(max_length=20)] = ()
    before: Beside = 0
    after: Beside = 0
    mode: Mode = "lines"
    max_matches: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000
    max_per_file: Annotated[int, msgspec.Meta(ge=1)] | None = None
    max_columns: Annotated[int, msgspec.Meta(ge=16, le=65_536)] = 500
    max_bytes: Annotated[int, msgspec.Meta(ge=1024, le=8 * 1024 * 1024)] = 1024 * 1024
    timeout_seconds: Annotated[float, msgspec.Meta(gt=0, le=MAX_SECONDS)] = DEFAULT_SECONDS
    cursor: Annotated[str, msgspec.Meta(min_length=1, max_length=8192)] | None = None

    def query(self) -> Query:
        """What the room of searches is asked."""
        return Query(**{name: getattr(self, name) for name in Query.__struct_fields__})


class FoundLine(msgspec.Struct, omit_defaults=True):
    """`spans` are the matches, in bytes of the line. `text` begins at its byte `offset`; `cut` says that the
    line is longer; `text_b64` is there when that is not UTF-8."""

    number: int
    text: str
    match: bool
    spans: tuple[tuple[int, int], ...] = ()
    offset: int = 0
    cut: bool = False
    text_b64: str | None = None


class FoundFile(msgspec.Struct, omit_defaults=True):
    """`count` of its lines match, as far as they belong to this answer."""

    path: str
    count: int
    lines: list[FoundLine]
    path_b64: str | None = None


class SearchFound(msgspec.Struct):
    """`searched`, `binary` and `not_captured` count files; `cursor` goes on where this answer ends."""

    seq: int
    files: list[FoundFile]
    searched: int
    searched_bytes: int
    binary: int
    not_captured: int
    truncated: bool
    timed_out: bool
    cursor: str | None
