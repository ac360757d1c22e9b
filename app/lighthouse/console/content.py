"""A captured file as lines for a page: as many as a page can hold, from any line on."""

from dataclasses import dataclass

MOST_BYTES = 4 * 1024 * 1024
MOST_LINES = 2000
MOST_COLUMNS = 2000


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines `first` to `last` of `total`, numbered from 1; `why_not` where there are none to show."""

    first: int
    last: int
    total: int
    lines: tuple[str, ...]
    why_not: str = ""


def lines(data: bytes, first: int = 1) -> Lines:
    """The lines of `data` from `first` on; long ones cut."""
    if b"\0" in data:
        return Lines(1, 0, 0, (), "The content is binary.")
    split = data.split(b"\n")
    if split[-1] == b"":
        split.pop()
    if not split:
        return Lines(1, 0, 0, (), "The file is empty.")
    begin = min(max(1, first), len(split))
    part = split[begin - 1 : begin - 1 + MOST_LINES]
    return Lines(begin, begin + len(part) - 1, len(split), tuple(_text(line) for line in part))


def _text(line: bytes) -> str:
    text = line.decode("utf-8", "backslashreplace")
    return text if len(text) <= MOST_COLUMNS else f"{text[:MOST_COLUMNS]}… ({len(text)} characters)"
