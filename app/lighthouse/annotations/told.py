"""A note as it is told to people and programs: what was said, and where it stands today."""

from typing import Literal

import msgspec

from lighthouse.annotations.anchor import Anchor
from lighthouse.annotations.note import Closed, Severity
from lighthouse.annotations.standings import Placed
from lighthouse.paths import to_json

Status = Literal["same", "moved", "edited", "orphaned"]


class Made(msgspec.Struct, omit_defaults=True, kw_only=True):
    """Where the note was made: version `seq` of the project."""

    path: str
    path_b64: str | None = None
    lines: tuple[int, int] | None = None
    seq: int


class Annotation(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A note. `path`, `lines` and `symbol` are where it stands; `confidence` is 0 to 1.

    `status`: `same` place and content; `moved`: the same content elsewhere; `edited`: it is there, and it or
    what is right beside it changed; `orphaned`: not found; it stood there last in version `last_seq`.
    """

    id: str
    status: Status
    path: str
    path_b64: str | None = None
    lines: tuple[int, int] | None = None
    symbol: str | None = None
    confidence: float
    last_seq: int | None = None
    severity: Severity
    category: str
    text: str
    agent_id: str
    created_at: str
    seq: int
    made: Made
    anchor: Anchor
    closed: Closed | None = None


def told(placed: Placed) -> Annotation:
    """The note and its place in this form."""
    note, standing = placed.note, placed.standing
    return Annotation(
        id=note.id,
        status=standing.status,
        **to_json(standing.path),
        lines=standing.lines,
        symbol=standing.symbol,
        confidence=standing.confidence,
        last_seq=placed.last_seq,
        severity=note.severity,
        category=note.category,
        text=note.text,
        agent_id=note.agent_id,
        created_at=note.at,
        seq=note.seq,
        made=Made(**to_json(note.path), lines=note.anchor.lines, seq=note.version),
        anchor=note.anchor,
        closed=note.closed,
    )
