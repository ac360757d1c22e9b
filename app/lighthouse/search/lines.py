"""The matching lines of one content, and the lines around them."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from lighthouse.search.pattern import Pattern
from lighthouse.search.slices import Read, slices

MAX_SPANS = 100
CONTEXT_BYTES = 64 * 1024
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Hit(NamedTuple):
    """A matching line: its number, where it begins, its bytes, and where in it the first match is."""

    number: int
    start: int
    text: bytes
    span: tuple[int, int]


class LineSearch:
    """Looks through one content, beginning with line `number` at the byte `offset`.

    At any moment `offset` and `number` say where to go on. At the end `binary` says whether a NUL byte, and
    `stopped` whether `over` ended it early.
    """

    def __init__(
        self, read: Read, pattern: Pattern, over: Callable[[], bool], offset: int = 0, number: int = 1
    ) -> None:
        self.offset = offset
        self.number = number
        self.binary = False
        self.stopped = False
        self._read = read
        self._pattern = pattern
        self._over = over

    def hits(self) -> Iterator[Hit]:
        """The matching lines in the order of the file."""
        for piece in slices(self._read, self.offset):
            start, text, following = piece
            if b"\0" in text:
                self.binary = True
                return
            if start == 0 and text.startswith(_BYTE_ORDER_MARK):
                start, text = len(_BYTE_ORDER_MARK), text[len(_BYTE_ORDER_MARK) :]
            at = 0
            while at < len(text) and (span := self._pattern.find(text, at, len(text))):
                begin = max(at, text.rfind(b"\n", at, span[0]) + 1)
                if begin == len(text):
                    break  # behind the last line break: an empty match, but no line
                end = text.find(b"\n", span[1])
                end = len(text) if end < 0 else end
                self.number += text.count(b"\n", at, begin) + 1
                at = end + 1
                self.offset = start + at if at < len(text) else following
                yield Hit(self.number - 1, start + begin, text[begin:end], (span[0] - begin, span[1] - begin))
                if self._over():
                    self.stopped = True
                    return
            self.number += text.count(b"\n", at)
            self.offset = following
            # Asked behind each step and never before the first: whoever goes on gets on.
            if self._over():
                self.stopped = True
                return


def spans(pattern: Pattern, hit: Hit) -> tuple[tuple[int, int], ...]:
    """Where in the line its matches are, at most MAX_SPANS, without empty ones."""
    found: list[tuple[int, int]] = []
    span: tuple[int, int] | None = hit.span
    while span is not None and len(found) < MAX_SPANS:
        if span[0] < span[1]:
            found.append(span)
        at = max(span[1], span[0] + 1)
        span = pattern.find(hit.text, at, len(hit.text)) if at <= len(hit.text) else None
    return tuple(found)


def before(read: Read, hit: Hit, most: int) -> list[tuple[int, bytes]]:
    """Up to `most` lines before the hit with their numbers, as far as CONTEXT_BYTES reach."""
    most = min(most, hit.number - 1)
    if most == 0:
        return []
    begin = max(0, hit.start - CONTEXT_BYTES)
    found = read(begin, hit.start - 1 - begin).rsplit(b"\n", most)
    if begin or len(found) > most:
        found = found[1:]  # the rest, cut somewhere within
    return list(zip(range(hit.number - len(found), hit.number), found, strict=True))


def after(read: Read, hit: Hit, most: int) -> list[tuple[int, bytes]]:
    """Up to `most` lines after the hit with their numbers, as far as CONTEXT_BYTES reach."""
    piece = read(hit.start + len(hit.text) + 1, CONTEXT_BYTES) if most else b""
    *found, rest = piece.split(b"\n", most)
    if rest and len(found) < most and len(piece) < CONTEXT_BYTES:
        found.append(rest)
    return list(enumerate(found, hit.number + 1))
