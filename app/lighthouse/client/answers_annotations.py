"""The shapes of notes that follow the code."""

from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["info", "warning", "error", "critical"]


@dataclass(frozen=True)
class MadeAt:
    """Where a note was made, in version `seq`."""

    path: str
    seq: int
    lines: tuple[int, int] | None = None
    path_b64: str | None = None


@dataclass(frozen=True)
class Annotation:
    """A note and where it stands; `anchor` is what it is found by.

    `status`: same, moved, edited, or orphaned: not found, told where it stood last, in version `last_seq`.
    """

    id: str
    status: str
    path: str
    confidence: float
    severity: str
    category: str
    text: str
    agent_id: str
    created_at: str
    seq: int
    made: MadeAt
    anchor: dict[str, Any]
    lines: tuple[int, int] | None = None
    symbol: str | None = None
    last_seq: int | None = None
    path_b64: str | None = None


@dataclass(frozen=True)
class AnnotationMade:
    """A note, and where it stands in version `seq`."""

    seq: int
    annotation: Annotation


@dataclass(frozen=True)
class AnnotationList:
    """Notes as they stand in version `seq`; `total` counts those of other pages too."""

    seq: int
    total: int
    annotations: list[Annotation]


@dataclass(frozen=True)
class AnnotationEnded:
    """The event `seq` ended the note: `ending` is withdrawn or resolved."""

    id: str
    ending: str
    reason: str
    agent_id: str
    at: str
    seq: int
