"""Where rows of one text stand in another: patience diff over rows, Myers' diff over the tokens of a gap.

Bram Cohen's patience diff pairs the rows that occur once on either side, in the longest order that both
keep, so braces and blank rows align nothing by chance. Between two such pairs E. Myers, "An O(ND) difference
algorithm" (1986), pairs tokens, so that a statement is found again that a formatter spread over other rows.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from lighthouse.annotations.text import Text, words

_MAX_GAP_TOKENS = 6000
_MAX_DIFFERENCES = 500
_ENOUGH = 0.6
_PUNCTUATION = 0.2
_RENAMED = 0.6

Window = tuple[int, int]
"""A first and a last row, both included."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """Where rows went: `first` to `last`; `share` of their tokens found; `exact`: all are, and nothing else.

    `near`: the rows right before and after are as they were.
    """

    first: int
    last: int
    share: float
    exact: bool
    near: bool


def increasing(values: Sequence[int]) -> set[int]:
    """The places of a longest increasing subsequence of `values`."""
    tails: list[int] = []
    places: list[int] = []
    before: list[int] = []
    for place, value in enumerate(values):
        at = bisect_left(tails, value)
        before.append(places[at - 1] if at else -1)
        if at == len(tails):
            tails.append(value)
            places.append(place)
        else:
            tails[at], places[at] = value, place
    kept: set[int] = set()
    place = places[-1] if places else -1
    while place >= 0:
        kept.add(place)
        place = before[place]
    return kept


def paired_rows(old: Text, new: Text, here: Window, there: Window) -> dict[int, int]:
    """Rows of `here` and the equal rows of `there` they became, in one order."""
    pairs: dict[int, int] = {}
    windows = [(here, there)]
    while windows:
        (a0, a1), (b0, b1) = windows.pop()
        while a0 <= a1 and b0 <= b1 and old.keys[a0] == new.keys[b0]:
            pairs[a0] = b0
            a0, b0 = a0 + 1, b0 + 1
        while a0 <= a1 and b0 <= b1 and old.keys[a1] == new.keys[b1]:
            pairs[a1] = b1
            a1, b1 = a1 - 1, b1 - 1
        if a0 > a1 or b0 > b1:
            continue
        left, right = _once(old, a0, a1), _once(new, b0, b1)
        common = [(row, right[key]) for key, row in left.items() if key in right]
        kept = increasing([row for _, row in common])
        anchors = [common[place] for place in sorted(kept)]
        if not anchors:
            continue
        edges = [(a0 - 1, b0 - 1), *anchors, (a1 + 1, b1 + 1)]
        pairs.update(anchors)
        for (a, b), (c, d) in pairwise(edges):
            if a + 1 < c and b + 1 < d:
                windows.append(((a + 1, c - 1), (b + 1, d - 1)))
    return pairs


def map_rows(old: Text, new: Text, here: Window, there: Window, first: int, last: int) -> Mapped | None:
    """Where the rows `first` to `last` of `here` are in `there`; None where less than half of them is."""
    pairs = paired_rows(old, new, here, there)
    a, c = first - 1, last + 1
    while a >= here[0] and (a not in pairs or not old.keys[a]):
        a -= 1
    while c <= here[1] and (c not in pairs or not old.keys[c]):
        c += 1
    b = pairs[a] if a >= here[0] else there[0] - 1
    d = pairs[c] if c <= here[1] else there[1] + 1
    if b + 1 > d - 1 or first > last:
        return None
    old_start, old_end = old.span(a + 1, c - 1)
    new_start, new_end = new.span(b + 1, d - 1)
    if max(old_end - old_start, new_end - new_start) > _MAX_GAP_TOKENS:
        return None
    matched = common_tokens(old.tokens[old_start:old_end], new.tokens[new_start:new_end])
    if matched is None:
        return None
    start, end = old.span(first, last)
    places = {old_start + i: new_start + j for i, j in matched.items() if start <= old_start + i < end}
    places = _densest(places, max(10, end - start))
    if not places:
        return None
    share = _share(old, new, (start, end), places, _fresh(old, new, here, there))
    if share < _ENOUGH:
        return None
    low, high = min(places.values()), max(places.values()) + 1
    rows = new.row_of[low], new.row_of[high - 1]
    near = _near(old, new, there, here, (first, last), (low, high))
    whole = new.span(*rows)
    wanted = old.tokens[start:end]
    exact = wanted == new.tokens[slice(*whole)] or (near and wanted == new.tokens[low:high])
    return Mapped(*rows, share, exact, near)


def common_tokens(old: Sequence[str], new: Sequence[str]) -> dict[int, int] | None:
    """A longest common subsequence, places in `old` to places in `new`; None when too much differs."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    pairs = {place: place for place in range(head)}
    pairs.update({len(old) - 1 - place: len(new) - 1 - place for place in range(tail)})
    a, b = old[head : len(old) - tail], new[head : len(new) - tail]
    trace: list[dict[int, int]] = []
    reach = {1: 0}
    for differences in range(min(len(a) + len(b), _MAX_DIFFERENCES) + 1):
        trace.append(reach.copy())
        for k in range(-differences, differences + 1, 2):
            down = k == -differences or (k != differences and reach[k - 1] < reach[k + 1])
            x = reach[k + 1] if down else reach[k - 1] + 1
            while x < len(a) and x - k < len(b) and a[x] == b[x - k]:
                x += 1
            reach[k] = x
            if x >= len(a) and x - k >= len(b):
                pairs.update(_traced(trace, len(a), len(b), head))
                return pairs
    return None


def _traced(trace: list[dict[int, int]], x: int, y: int, head: int) -> dict[int, int]:
    """The way back through Myers' furthest reaching paths: every diagonal step is a pair."""
    pairs: dict[int, int] = {}
    for differences in range(len(trace) - 1, -1, -1):
        reach, k = trace[differences], x - y
        down = k == -differences or (k != differences and reach[k - 1] < reach[k + 1])
        before_k = k + 1 if down else k - 1
        before_x = reach[before_k] if differences else 0
        before_y = before_x - before_k if differences else 0
        while x > before_x and y > before_y:
            x, y = x - 1, y - 1
            pairs[head + x] = head + y
        x, y = before_x, before_y
    return pairs


def _once(text: Text, first: int, last: int) -> dict[str, int]:
    """The rows of a window that no other row of it equals, blank ones left out."""
    seen: dict[str, int] = {}
    for row in range(first, last + 1):
        key = text.keys[row]
        seen[key] = -1 if key in seen else row
    return {key: row for key, row in seen.items() if row >= 0 and key}


def _densest(places: dict[int, int], room: int) -> dict[int, int]:
    """Of the pairs the cluster with most of them: single tokens far away were paired by chance."""
    best: dict[int, int] = {}
    cluster: dict[int, int] = {}
    previous = None
    for place in sorted(places):
        if previous is not None and places[place] - previous > room:
            best, cluster = max(best, cluster, key=len), {}
        cluster[place] = previous = places[place]
    return max(best, cluster, key=len)


def _fresh(old: Text, new: Text, here: Window, there: Window) -> tuple[set[str], set[str]]:
    """The words that only the old and only the new window has: of these one may be the other's new name."""
    were, are = set(words(old.between(*here))), set(words(new.between(*there)))
    return were - are, are - were


def _share(
    old: Text, new: Text, span: Window, places: dict[int, int], fresh: tuple[set[str], set[str]]
) -> float:
    """How much of the old tokens was found, words counting more than punctuation.

    A word that is gone from the window and has in its place one that is new there counts in part, as the
    renamed identifier of a "type 2" clone (Baker 1995) does.
    """
    (start, end), (gone, come) = span, fresh
    total = found = 0.0
    for place in range(start, end):
        token = old.tokens[place]
        word = token[0].isalnum() or token[0] == "_"
        weight = 1.0 if word else _PUNCTUATION
        total += weight
        if place in places:
            found += weight
        elif token in gone:
            guess = _beside(places, place)
            if guess is not None and 0 <= guess < len(new.tokens) and new.tokens[guess] in come:
                found += weight * _RENAMED
    return found / total if total else 0.0


def _beside(places: dict[int, int], place: int) -> int | None:
    """Where a token would stand that keeps its distance to the nearest one that was found."""
    for distance in range(1, 4):
        if place - distance in places:
            return places[place - distance] + distance
        if place + distance in places:
            return places[place + distance] - distance
    return None


def _near(old: Text, new: Text, there: Window, here: Window, was: Window, now: tuple[int, int]) -> bool:
    """Whether the rows right beside `was` are right beside the tokens `now`, wherever a formatter broke them.

    Where there is none, or a blank one, the tokens have to begin or end a row.
    """
    low, high = now
    floor, ceiling = new.span(*there)
    above = old.between(was[0] - 1, was[0] - 1) if was[0] > here[0] else []
    below = old.between(was[1] + 1, was[1] + 1) if was[1] < here[1] else []
    if above and new.tokens[max(low - len(above), floor) : low] != above:
        return False
    if below and new.tokens[high : min(high + len(below), ceiling)] != below:
        return False
    starts_row = low == floor or new.row_of[low - 1] != new.row_of[low]
    ends_row = high == ceiling or new.row_of[high - 1] != new.row_of[high]
    return bool(above or starts_row) and bool(below or ends_row)
