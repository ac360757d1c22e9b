"""A file's text as rows of tokens: what is compared when notes are found again, blind to white space."""

import re
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import pairwise

MAX_BYTES = 1024 * 1024
"""Larger files are not followed: reading one would keep a thread busy for too long."""

_TOKEN = re.compile(r"\w+|[^\w\s]")
_CLOSERS = frozenset(")]}")


class Text:
    """Rows (from 0, split at line feeds alone, as parsers count them) and tokens.

    What formatters add and take away is not among the tokens: white space, semicolons, a comma before a
    closing bracket; and one kind of quote is as good as the other.
    """

    def __init__(self, data: bytes) -> None:
        self.rows = data.decode("utf-8", "replace").split("\n")
        if len(self.rows) > 1 and not self.rows[-1]:
            self.rows.pop()
        self.tokens: list[str] = []
        self.row_of = array("L")
        self._starts = array("L")
        known: dict[str, str] = {}
        for number, row in enumerate(self.rows):
            self._starts.append(len(self.tokens))
            for found in _TOKEN.findall(row.replace("'", '"').replace(";", " ")):
                if found in _CLOSERS and self.tokens and self.tokens[-1] == ",":
                    self._drop_last()
                self.tokens.append(known.setdefault(found, found))
                self.row_of.append(number)
        self._starts.append(len(self.tokens))

    @cached_property
    def keys(self) -> Sequence[str]:
        """Each row as one string, equal for rows of equal tokens; empty for a row without any."""
        return [" ".join(self.between(row, row)) for row in range(len(self.rows))]

    @cached_property
    def counts(self) -> Counter[str]:
        """How often each token stands in the text."""
        return Counter(self.tokens)

    def span(self, first: int, last: int) -> tuple[int, int]:
        """The tokens of the rows `first` to `last`, as a half-open range."""
        return self._starts[first], self._starts[last + 1]

    def between(self, first: int, last: int) -> list[str]:
        """The tokens of the rows `first` to `last`."""
        start, end = self.span(first, last)
        return self.tokens[start:end]

    def lines(self, first: int, last: int) -> str:
        """The rows as they are written."""
        return "\n".join(self.rows[max(first, 0) : last + 1])

    def runs(self, wanted: Sequence[str], most: int = 2) -> list[int]:
        """Where the tokens `wanted` stand one after the other; at most `most` places."""
        found: list[int] = []
        if not wanted or not all(token in self.counts for token in wanted):
            return found
        # The rarest of the wanted tokens leaves the fewest places to look at.
        offset = min(range(len(wanted)), key=lambda index: self.counts[wanted[index]])
        size, rare = len(wanted), wanted[offset]
        for at, token in enumerate(self.tokens):
            start = at - offset
            if token == rare and start >= 0 and self.tokens[start : start + size] == wanted:
                found.append(start)
                if len(found) == most:
                    break
        return found

    def _drop_last(self) -> None:
        """Take back a comma; the rows that began after it have their first token one earlier."""
        self.tokens.pop()
        self.row_of.pop()
        row = len(self._starts)
        while row and self._starts[row - 1] > len(self.tokens):
            row -= 1
            self._starts[row] = len(self.tokens)


def shingles(tokens: Sequence[str]) -> Counter[tuple[str, ...]]:
    """The multiset of runs of three tokens, for short texts of one and two (Broder 1997, "resemblance")."""
    if len(tokens) >= 8:
        return Counter(zip(tokens, tokens[1:], tokens[2:], strict=False))
    return Counter([*((token,) for token in tokens), *pairwise(tokens)])


def dice(left: Counter[tuple[str, ...]], right: Counter[tuple[str, ...]]) -> float:
    """How alike two multisets are, 0 to 1: twice what they share over what both have (Dice 1945)."""
    total = left.total() + right.total()
    if not total:
        return 1.0
    if len(right) < len(left):
        left, right = right, left
    shared = sum(min(count, right[key]) for key, count in left.items() if key in right)
    return 2 * shared / total


def words(tokens: Iterable[str]) -> list[str]:
    """The tokens that say something: names and numbers, no punctuation."""
    return [token for token in tokens if token[0].isalnum() or token[0] == "_"]
