"""A note as the log has it: what was said about which place, by whom, and how it ended."""

import re
from typing import Any, Literal

import msgspec

from lighthouse.annotations.anchor import Anchor
from lighthouse.annotations.errors import BadAnnotation
from lighthouse.events import Event
from lighthouse.paths import ProjectPath, from_json, to_json

STREAM = "annotations"
ADDED = "annotation.added"
WITHDRAWN = "annotation.withdrawn"
RESOLVED = "annotation.resolved"

Severity = Literal["info", "warning", "error", "critical"]
Ending = Literal["withdrawn", "resolved"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error", "critical")

MAX_TEXT = 8 * 1024
MAX_REASON = 2000
_CATEGORY = re.compile(r"[a-z0-9][a-z0-9._-]{0,49}")


class Closed(msgspec.Struct, frozen=True):
    """How a note ended: who said so, when, in which event, and why."""

    ending: Ending
    reason: str
    agent_id: str
    at: str
    seq: int


class Note(msgspec.Struct, frozen=True):
    """A note, made by event `seq` at `at` on version `version`, whose tree is `root`."""

    id: str
    path: ProjectPath
    anchor: Anchor
    severity: Severity
    category: str
    text: str
    agent_id: str
    version: int
    root: bytes
    seq: int
    at: str
    closed: Closed | None = None

    def as_of(self, seq: int | None, ts: str | None) -> "Note | None":
        """The note as it was after event `seq`, or at the time `ts`; None before it was made."""
        if _after(self.seq, self.at, seq, ts):
            return None
        if self.closed is not None and _after(self.closed.seq, self.closed.at, seq, ts):
            return msgspec.structs.replace(self, closed=None)
        return self


def _after(event_seq: int, event_ts: str, seq: int | None, ts: str | None) -> bool:
    return (seq is not None and event_seq > seq) or (ts is not None and event_ts > ts)


def check(text: str, category: str) -> None:
    """Raise BadAnnotation unless these can be a note's."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if not text.strip() or size > MAX_TEXT:
        raise BadAnnotation(f"the text has {size} bytes", f"say something, in at most {MAX_TEXT}")
    if not _CATEGORY.fullmatch(category):
        raise BadAnnotation("the category is not a short name", "a-z, 0-9 and . _ -, at most 50")


def check_reason(reason: str) -> None:
    """Raise BadAnnotation for a reason that is too long."""
    if len(reason) > MAX_REASON:
        raise BadAnnotation(f"the reason has {len(reason)} characters", f"at most {MAX_REASON} are kept")


def to_data(note: Note) -> dict[str, Any]:
    """The data of the event that makes a note."""
    return {
        "id": note.id,
        **to_json(note.path),
        "anchor": msgspec.to_builtins(note.anchor),
        "severity": note.severity,
        "category": note.category,
        "text": note.text,
        "seq": note.version,
        "root": note.root.hex(),
    }


def from_event(event: Event) -> Note:
    """The note that an `annotation.added` event made."""
    data = event.value
    return Note(
        data["id"],
        from_json(data),
        msgspec.convert(data["anchor"], Anchor),
        data["severity"],
        data["category"],
        data["text"],
        event.agent_id,
        data["seq"],
        bytes.fromhex(data["root"]),
        event.seq,
        event.ts,
    )
