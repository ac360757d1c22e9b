"""What is asked of a search: the pattern, where to look, what to show and how much of it."""

import hashlib
from typing import Literal

import msgspec

Mode = Literal["lines", "files", "count"]

DEFAULT_SECONDS, MAX_SECONDS = 5.0, 30.0


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """`at` names the version as Shadow.moment understands it; `path` a folder or file to look in.

    `mode`: `lines` shows the matching lines, `files` only which files have one, `count` how many each has.
    `max_matches` counts lines in mode `lines`, else files; `max_per_file` counts lines. `max_columns` bounds
    the bytes shown of a line, `max_bytes` those of the whole answer. `cursor` goes on where a search stopped.
    """

    pattern: str
    at: str | None = None
    path: str = ""
    fixed: bool = False
    ignore_case: bool = False
    smart_case: bool = False
    word: bool = False
    globs: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    before: int = 0
    after: int = 0
    mode: Mode = "lines"
    max_matches: int = 1000
    max_per_file: int | None = None
    max_columns: int = 500
    max_bytes: int = 1024 * 1024
    timeout_seconds: float = DEFAULT_SECONDS
    cursor: str | None = None

    @property
    def digest(self) -> bytes:
        """Tells apart searches that find different things; a cursor is good for one of them."""
        found = (
            self.pattern,
            self.path,
            (self.fixed, self.ignore_case, self.smart_case, self.word),
            self.globs,
            self.types,
            self.mode,
            self.max_per_file,
        )
        return hashlib.sha256(msgspec.msgpack.encode(found)).digest()[:8]
