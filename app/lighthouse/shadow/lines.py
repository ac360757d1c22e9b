"""Which lines two texts have in common: patience first, then Myers, within a bound on the work.

Lines that are unique in both texts hold the rest together, which is what a reader expects of a diff and takes
hardly any time. Between them Myers' greedy algorithm finds the shortest way; where that costs too much the
whole stretch is told as replaced. Every answer is right, only not the shortest.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

MAX_WORK = 2_000_000
MAX_DEPTH = 6
MAX_STEPS = 400

Block = tuple[int, int, int]
"""`(i, j, n)`: `n` lines from `i` of the one text are those from `j` of the other."""


def common(old: Sequence[bytes], new: Sequence[bytes]) -> list[Block]:
    """The blocks of common lines in order, as long as possible each."""
    numbers: dict[bytes, int] = {}
    ours = [numbers.setdefault(line, len(numbers)) for line in old]
    others = [numbers.setdefault(line, len(numbers)) for line in new]
    return _Search(ours, others).blocks()


class _Search:
    def __init__(self, a: list[int], b: list[int]) -> None:
        self._a = a
        self._b = b
        self._found: list[Block] = []
        self._work = MAX_WORK

    def blocks(self) -> list[Block]:
        waiting = [(0, len(self._a), 0, len(self._b), 0)]
        while waiting:
            i, end, j, stop, depth = waiting.pop()
            i, end, j, stop = self._trim(i, end, j, stop)
            if i == end or j == stop:
                continue
            anchors = self._anchors(i, end, j, stop) if depth < MAX_DEPTH else []
            if not anchors:
                self._myers(i, end, j, stop)
                continue
            # Each stretch begins with its anchor, which trimming takes with the equal lines after it.
            bounds = [(i, j), *anchors, (end, stop)]
            for (first_i, first_j), (next_i, next_j) in pairwise(bounds):
                waiting.append((first_i, next_i, first_j, next_j, depth + 1))
        return _joined(sorted(self._found))

    def _trim(self, i: int, end: int, j: int, stop: int) -> tuple[int, int, int, int]:
        """Take the equal lines at both ends as found."""
        a, b = self._a, self._b
        first = i
        while i < end and j < stop and a[i] == b[j]:
            i += 1
            j += 1
        if i > first:
            self._found.append((first, j - (i - first), i - first))
        last = end
        while i < end and j < stop and a[end - 1] == b[stop - 1]:
            end -= 1
            stop -= 1
        if end < last:
            self._found.append((end, stop, last - end))
        return i, end, j, stop

    def _anchors(self, i: int, end: int, j: int, stop: int) -> list[tuple[int, int]]:
        """Lines unique on both sides, as many as stand in the same order on both."""
        a, b = self._a, self._b
        here, there = Counter(a[i:end]), Counter(b[j:stop])
        place = {line: k for k, line in enumerate(b[j:stop], j) if there[line] == 1}
        pairs = [(k, place[a[k]]) for k in range(i, end) if here[a[k]] == 1 and a[k] in place]
        # The longest increasing subsequence of the second places.
        tails: list[int] = []
        ends: list[int] = []
        before: list[int] = []
        for number, (_, spot) in enumerate(pairs):
            length = bisect_left(tails, spot)
            before.append(ends[length - 1] if length else -1)
            if length == len(tails):
                tails.append(spot)
                ends.append(number)
            else:
                tails[length] = spot
                ends[length] = number
        chain: list[tuple[int, int]] = []
        at = ends[-1] if ends else -1
        while at >= 0:
            chain.append(pairs[at])
            at = before[at]
        return chain[::-1]

    def _myers(self, i: int, end: int, j: int, stop: int) -> None:
        """The shortest edit script of a stretch, found by going as far as possible on each diagonal."""
        a, b = self._a, self._b
        n, m = end - i, stop - j
        reach = {1: 0}
        trace: list[dict[int, int]] = []
        for step in range(min(n + m, MAX_STEPS) + 1):
            trace.append(dict(reach))
            self._work -= len(reach)
            for k in range(-step, step + 1, 2):
                start = x = reach[k + 1] if _down(reach, k, step) else reach[k - 1] + 1
                y = x - k
                while x < n and y < m and a[i + x] == b[j + y]:
                    x += 1
                    y += 1
                self._work -= 1 + x - start
                reach[k] = x
                if x >= n and y >= m:
                    self._walk_back(trace, i, j, n, m)
                    return
            if self._work < 0:
                return

    def _walk_back(self, trace: list[dict[int, int]], i: int, j: int, x: int, y: int) -> None:
        for step in range(len(trace) - 1, -1, -1):
            reach = trace[step]
            k = x - y
            came = k + 1 if _down(reach, k, step) else k - 1
            from_x = reach[came] if step else 0
            from_y = from_x - came if step else 0
            run = min(x - from_x, y - from_y) if step else x
            if run:
                self._found.append((i + x - run, j + y - run, run))
            x, y = from_x, from_y


def _down(reach: dict[int, int], k: int, step: int) -> bool:
    return k == -step or (k != step and reach[k - 1] < reach[k + 1])


def _joined(blocks: list[Block]) -> list[Block]:
    joined: list[Block] = []
    for i, j, n in blocks:
        if joined and (last := joined[-1])[0] + last[2] == i and last[1] + last[2] == j:
            joined[-1] = last[0], last[1], last[2] + n
        else:
            joined.append((i, j, n))
    return joined
