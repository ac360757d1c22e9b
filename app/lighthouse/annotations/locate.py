"""Where a place of one document stands in another: within its declaration, else wherever its text went."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lighthouse.annotations.align import Mapped, Window, map_rows
from lighthouse.annotations.document import Document
from lighthouse.annotations.match import Matching
from lighthouse.annotations.syntax import Unit
from lighthouse.annotations.text import words

if TYPE_CHECKING:
    from lighthouse.annotations.anchor import Anchor

_TELLING_WORDS, _TELLING_LETTERS = 3, 10


@dataclass(frozen=True, slots=True)
class Spot:
    """Rows of a document that a note is on. With `unit` it is on that declaration: all of it, or its head."""

    first: int
    last: int
    unit: Unit | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Where a spot is: rows, the declaration it is on or in, `exact` content, same place or `moved`."""

    first: int
    last: int
    unit: Unit | None
    exact: bool
    moved: bool
    confidence: float


def locate(spot: Spot, matching: Matching) -> Found | None:
    """The spot in the newer document of `matching`; None where nothing is sure enough."""
    old, new = matching.old, matching.new
    around = spot.unit or old.outline.innermost(spot.first, spot.last)
    if around is None:
        return _better(_in_window(spot, matching, None, None), _elsewhere(spot, old, new))
    counterpart = matching.pairs.get(around)
    if counterpart is None:
        if _lost(new):
            return _in_window(spot, matching, None, None)
        return None if spot.unit is not None else _elsewhere(spot, old, new)
    if spot.unit is not None:
        return _declaration(spot, matching, counterpart)
    return _better(_in_window(spot, matching, around, counterpart), _elsewhere(spot, old, new))


def _better(within: Found | None, elsewhere: Found | None) -> Found | None:
    """What is left in its place, unless that is little and the very text went elsewhere."""
    if within is None or (elsewhere is not None and within.confidence < elsewhere.confidence):
        return elsewhere
    return within


def _declaration(spot: Spot, matching: Matching, now: Unit) -> Found:
    """A note on a declaration: on all of it, or on the row of its name."""
    was = spot.unit
    assert was is not None  # noqa: S101 - the caller asked
    exact = matching.old.tokens(was) == matching.new.tokens(now)
    whole = (spot.first, spot.last) == (was.first, was.last)
    offset = spot.first - was.head
    first = now.first if whole else min(max(now.head + offset, now.first), now.last)
    last = now.last if whole else min(first + spot.last - spot.first, now.last)
    sure = 1.0 if exact else 0.5 + 0.45 * matching.similarity(was, now)
    return Found(first, last, now, exact, matching.moved(was), round(sure, 2))


def _in_window(spot: Spot, matching: Matching, was: Unit | None, now: Unit | None) -> Found | None:
    """A note on rows within a declaration that was paired, or on rows of a file outside of all."""
    old, new = matching.old.text, matching.new.text
    here = (was.first, was.last) if was is not None else (0, len(old.rows) - 1)
    there = (now.first, now.last) if now is not None else (0, len(new.rows) - 1)
    mapped = map_rows(old, new, here, there, spot.first, spot.last)
    if mapped is None:
        return None
    unit = now and matching.new.outline.innermost(mapped.first, mapped.last)
    moved = was is not None and matching.moved(was)
    return Found(mapped.first, mapped.last, unit, mapped.exact and mapped.near, moved, _sure(mapped))


def _sure(mapped: Mapped) -> float:
    if mapped.exact:
        return 1.0 if mapped.near else 0.9
    return round(0.3 + 0.55 * mapped.share, 2)


def _elsewhere(spot: Spot, old: Document, new: Document) -> Found | None:
    """The spot's tokens, one after the other, where they stand once in either document."""
    wanted = old.text.between(spot.first, spot.last)
    if not telling(wanted) or len(old.text.runs(wanted)) != 1:
        return None
    places = new.text.runs(wanted)
    return run_at(new, places[0], len(wanted), 0.75) if len(places) == 1 else None


def run_at(document: Document, start: int, size: int, confidence: float) -> Found:
    """The rows of the `size` tokens from `start` on, as a place that something moved to."""
    rows: Window = document.text.row_of[start], document.text.row_of[start + size - 1]
    return Found(*rows, document.outline.innermost(*rows), True, True, confidence)


def telling(tokens: list[str]) -> bool:
    """Whether a text says enough to be recognised by itself."""
    said = words(tokens)
    return len(said) >= _TELLING_WORDS and sum(map(len, said)) >= _TELLING_LETTERS


def in_text(anchor: "Anchor", new: Document) -> Found | None:
    """By what the anchor itself keeps, for an older version whose contents are no longer stored."""
    rows = [*anchor.before, *anchor.text.split("\n"), *anchor.after]
    old = Document(b"", "\n".join(rows).encode("utf-8", "replace"))
    first = len(anchor.before)
    last = len(rows) - len(anchor.after) - 1
    return _elsewhere(Spot(first, last), old, new)


def _lost(document: Document) -> bool:
    """Whether the parser could not make sense of the document, so that its declarations say little."""
    return bool(document.outline.broken) or not document.outline.roots
