"""A patch in git's unified form as rows with the numbers of their lines, bounded to what a page can hold."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["same", "added", "removed", "hunk", "remark"]
MOST_ROWS = 3000
MOST_COLUMNS = 2000
_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
_SIGNS: dict[str, Kind] = {" ": "same", "+": "added", "-": "removed"}


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a patch: its number before and after, where it has them."""

    kind: Kind
    text: str
    old: int | None = None
    new: int | None = None


@dataclass(slots=True)
class Rows:
    """The rows of a patch; `cut` says that there are more."""

    rows: list[Row] = field(default_factory=list)
    cut: bool = False


def rows(pieces: Iterable[bytes], most: int = MOST_ROWS, columns: int = MOST_COLUMNS) -> Rows:
    """The rows of one file's patch, taken from its pieces; what is binary is a remark."""
    found = Rows()
    old = new = 0
    within = False
    for text in _lines(pieces):
        if text.startswith("GIT binary patch"):
            found.rows.append(Row("remark", "the content is binary"))
            return found
        if len(found.rows) >= most:
            found.cut = True
            return found
        if (hunk := _HUNK.match(text)) is not None:
            old, new, within = int(hunk[1]), int(hunk[2]), True
            found.rows.append(Row("hunk", text))
        elif not within:
            if (remark := _remark(text)) is not None:
                found.rows.append(Row("remark", remark))
        elif (kind := _SIGNS.get(text[:1])) is not None:
            before, after = kind != "added", kind != "removed"
            line = text[1:]
            if len(line) > columns:
                line = f"{line[:columns]}… ({len(line)} characters)"
            found.rows.append(Row(kind, line, old if before else None, new if after else None))
            old, new = old + before, new + after
        else:
            found.rows.append(Row("remark", text.removeprefix("\\ ")))
    return found


def _lines(pieces: Iterable[bytes]) -> Iterable[str]:
    left = b""
    for piece in pieces:
        *whole, left = (left + piece).split(b"\n")
        for line in whole:
            yield line.decode("utf-8", "backslashreplace")
    if left:
        yield left.decode("utf-8", "backslashreplace")


def _remark(text: str) -> str | None:
    """What a head says that the list of changes does not."""
    if text.startswith(("diff --git ", "index ", "--- ", "+++ ", "similarity index ", "rename ")):
        return None
    return text.removeprefix("lighthouse: ") or None
