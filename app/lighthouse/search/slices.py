"""A content cut into pieces of whole lines, so that neither memory nor one step of a search grows with it."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

SLICE_BYTES = 64 * 1024
READ_BYTES = 1024 * 1024
MAX_LINE_BYTES = 256 * 1024

Read = Callable[[int, int], bytes]
"""`read(offset, size)` gives fewer bytes only at the end."""


class Slice(NamedTuple):
    """Whole lines from the byte `start` on; the next slice begins at `end`."""

    start: int
    text: bytes
    end: int


def slices(read: Read, offset: int = 0) -> Iterator[Slice]:
    """All lines from the one that begins at `offset`. Of one over MAX_LINE_BYTES the rest is left out."""
    held, begin, ended = b"", offset, False
    while not ended:
        piece = read(begin + len(held), READ_BYTES)
        ended = len(piece) < READ_BYTES
        held += piece
        at = 0
        while end := _end_of_slice(held, at, ended=ended):
            yield Slice(begin + at, held[at:end], begin + end)
            at = end
        held, begin = held[at:], begin + at
        if len(held) > MAX_LINE_BYTES:
            following = _next_line(read, begin + MAX_LINE_BYTES)
            yield Slice(begin, held[:MAX_LINE_BYTES] + b"\n", following)
            held, begin, ended = b"", following, False


def _end_of_slice(held: bytes, at: int, *, ended: bool) -> int:
    """Where the slice that begins at `at` ends; 0 where more has to be read first, or nothing is left."""
    if ended and len(held) - at <= SLICE_BYTES:
        return len(held) if at < len(held) else 0
    end = held.rfind(b"\n", at, at + SLICE_BYTES) + 1 or held.find(b"\n", at + SLICE_BYTES) + 1
    if not end and ended:
        end = len(held)
    return end if end - at <= MAX_LINE_BYTES else 0


def _next_line(read: Read, offset: int) -> int:
    """Where the first line after `offset` begins, or the content ends."""
    while piece := read(offset, READ_BYTES):
        if (found := piece.find(b"\n")) >= 0:
            return offset + found + 1
        offset += len(piece)
    return offset
