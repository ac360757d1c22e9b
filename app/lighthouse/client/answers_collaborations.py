"""The answers about collaborations and pair sessions."""

from dataclasses import dataclass, field
from typing import Any, Literal

from lighthouse.client.answers_annotations import Annotation

CollaborationKind = Literal["collaboration", "pair"]
CollaborationState = Literal["open", "requested", "active", "declined", "completed", "closed"]
Opinion = Literal["accept", "change", "reject"]


@dataclass(frozen=True)
class CollaborationStanding:
    """How a session stands after its event `seq`; `invited` have not answered. It ends at `ends_at`, unless
    something happens before."""

    id: str
    kind: CollaborationKind
    state: CollaborationState
    members: list[str]
    invited: list[str]
    ends_at: str
    seq: int


@dataclass(frozen=True)
class Suggestion:
    """A proposal as it was after its event `proposal_seq`, or a note; `verdict` is there once it has one."""

    id: str
    agent_id: str
    at: str
    seq: int
    proposal: str | None = None
    proposal_seq: int | None = None
    note: str | None = None
    verdict: Opinion | None = None


@dataclass(frozen=True)
class Suggested:
    """A suggestion that was made, and how its session stands."""

    suggestion: Suggestion
    collaboration: CollaborationStanding


@dataclass(frozen=True)
class Collaboration:
    """A session of several agents or a pair. `asked` were invited, `left` are gone or declined.

    `how` a closed one ended: closed, empty, idle, lifetime. Of a completed one `reason` is the summary.
    """

    id: str
    kind: CollaborationKind
    state: CollaborationState
    topic: str
    agent_id: str
    asked: list[str]
    members: list[str]
    left: list[str]
    paths: list[str]
    idle_seconds: int
    started_at: str
    ends_at: str
    seq: int
    last_seq: int
    events: int
    open_suggestions: int
    suggestions: list[Suggestion] = field(default_factory=list)
    ended_at: str | None = None
    ended_by: str | None = None
    how: str | None = None
    reason: str = ""


@dataclass(frozen=True)
class CollaborationEntry:
    """One event of a record, with the `patch` (`patch_b64`: not UTF-8) or the `note` it points to, as they
    were then; `lost`: these cannot be read any more."""

    seq: int
    at: str
    type: str
    agent_id: str
    data: dict[str, Any]
    patch: str | None = None
    patch_b64: str | None = None
    note: Annotation | None = None
    lost: bool = False


@dataclass(frozen=True)
class CollaborationRecord:
    """A page of what happened; `next_cursor` is None when there is no more as yet."""

    collaboration: Collaboration
    entries: list[CollaborationEntry]
    next_cursor: str | None


@dataclass(frozen=True)
class CollaborationPage:
    """Sessions without their suggestions."""

    collaborations: list[Collaboration]
    next_cursor: str | None
