"""An anchor: what a note is on, told in enough ways to find it again after the file has changed."""

import hashlib
from typing import Literal

import msgspec

from lighthouse.annotations.document import Document
from lighthouse.annotations.errors import BadAnnotation
from lighthouse.annotations.languages import language_of
from lighthouse.annotations.locate import Spot
from lighthouse.annotations.syntax import Unit

MAX_TEXT = 4096
MAX_ROW = 400
CONTEXT_ROWS = 3

On = Literal["file", "declaration", "lines"]


class Ancestor(msgspec.Struct, frozen=True):
    """A declaration around the place: its node's kind, its name, and which one it is among its siblings."""

    kind: str
    name: str
    index: int


class Anchor(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a note is on: `lines` (first and last, from 1) of the file with this `content`.

    `nodes` is the way through the syntax tree, the declaration the note is on or in last; `kind` and `name`
    are of the anchored node. `context` is the hash of the tokens of that declaration (of text: of the rows
    around too); `text`, `before` and `after` are the rows themselves.
    """

    on: On
    content: str
    lines: tuple[int, int] | None = None
    language: str | None = None
    nodes: tuple[Ancestor, ...] = ()
    kind: str | None = None
    name: str | None = None
    context: str = ""
    text: str = ""
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    @property
    def symbol(self) -> str | None:
        """The names on the way, joined by dots."""
        return ".".join(node.name for node in self.nodes) or None


def anchor_to_file(name: bytes, content: bytes) -> Anchor:
    """For a note on a file as a whole, of whatever kind."""
    language = language_of(name)
    return Anchor("file", content.hex(), language=language.name if language is not None else None)


def anchor_to_symbol(document: Document, content: bytes, symbol: str) -> Anchor:
    """For a note on a declaration, by its name or dotted path. Raises BadAnnotation unless it is one."""
    units = list(document.outline.walk())
    found = [unit for unit in units if unit.symbol == symbol]
    found = found or [unit for unit in units if unit.symbol.endswith(f".{symbol}")]
    if len(found) != 1:
        many = f"{len(found)} declarations are" if found else "no declaration is"
        raise BadAnnotation(f"{many} named {symbol} there", "name it with what is around it, or give a line")
    return _anchor(document, content, Spot(found[0].first, found[0].last, found[0]))


def anchor_to_lines(document: Document, content: bytes, first: int, last: int) -> Anchor:
    """For a note on lines, from 1; on a declaration's first line it is on that. Raises BadAnnotation."""
    count = len(document.text.rows)
    if not 1 <= first <= last <= count:
        raise BadAnnotation(f"the file has no lines {first} to {last}", f"it has {count}")
    if not any(document.text.keys[first - 1 : last]):
        raise BadAnnotation("there is nothing on these lines", "give a line that says something")
    return _anchor(document, content, spot_of(document, first - 1, last - 1))


def spot_of(document: Document, first: int, last: int) -> Spot:
    """The rows as a spot: on a declaration that begins or is named there, and is no longer than they are or
    told by its first line; else the bare rows."""
    unit = document.outline.innermost(first, last)
    while unit is not None and not document.outline.is_broken(unit.first, unit.last):
        if unit.first <= first <= unit.head and (first == last or last == unit.last):
            return Spot(first, last, unit)
        unit = unit.parent
    return Spot(first, last)


def spot(anchor: Anchor, document: Document) -> Spot:
    """The anchor's place in the document it was made in."""
    first, last = anchor.lines or (1, len(document.text.rows))
    return spot_of(document, first - 1, last - 1)


def _anchor(document: Document, content: bytes, spot: Spot) -> Anchor:
    text = document.text
    around = spot.unit or document.outline.innermost(spot.first, spot.last)
    before = text.rows[max(0, spot.first - CONTEXT_ROWS) : spot.first]
    after = text.rows[spot.last + 1 : spot.last + 1 + CONTEXT_ROWS]
    low = around.first if around is not None else max(0, spot.first - CONTEXT_ROWS)
    high = around.last if around is not None else min(len(text.rows) - 1, spot.last + CONTEXT_ROWS)
    context = hashlib.sha256("\0".join(text.between(low, high)).encode()).hexdigest()
    return Anchor(
        "declaration" if spot.unit is not None else "lines",
        content.hex(),
        (spot.first + 1, spot.last + 1),
        document.language.name if document.language is not None else None,
        tuple(_ancestor(unit) for unit in (around.chain() if around is not None else ())),
        spot.unit.kind if spot.unit is not None else document.node_kind(spot.first, spot.last),
        spot.unit.name if spot.unit is not None else None,
        context,
        text.lines(spot.first, spot.last)[:MAX_TEXT],
        tuple(row[:MAX_ROW] for row in before),
        tuple(row[:MAX_ROW] for row in after),
    )


def _ancestor(unit: Unit) -> Ancestor:
    return Ancestor(unit.kind, unit.name, unit.index)
