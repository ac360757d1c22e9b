"""The wire forms of collaborations and pair sessions."""

from typing import Annotated

import msgspec

from lighthouse.annotations import Target
from lighthouse.bridge.problems import Rejected
from lighthouse.bridge.schemas import Request, Word
from lighthouse.collaboration import Collaboration, Kind, Reference, State, Suggestion, Verdict

MAX_TEXT = 8000

Agent = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Topic = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TEXT)]
Reason = Annotated[str, msgspec.Meta(max_length=1000)]
Id = Annotated[str, msgspec.Meta(min_length=2, max_length=20)]
Path = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
Paths = Annotated[tuple[Path, ...], msgspec.Meta(max_length=20)]
Idle = Annotated[int, msgspec.Meta(ge=60, le=86400)]
Line = Annotated[int, msgspec.Meta(ge=1, le=2**31)]
Wait = Annotated[float, msgspec.Meta(ge=0, le=600)]
Cursor = Annotated[str, msgspec.Meta(min_length=1, max_length=30)]


class Anchor(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A file, lines of it from 1, or a declaration by its name or dotted path."""

    path: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
    line: Line | None = None
    end_line: Line | None = None
    symbol: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)] | None = None


class Pointing(Request, kw_only=True):
    """Points to an open proposal or to an anchor, on which the text becomes a note; not to both."""

    text: Text
    proposal: Word | None = None
    anchor: Anchor | None = None
    idempotency_key: Word | None = None

    def reference(self) -> Reference | None:
        """What is pointed to. Raises Rejected (422) for two things."""
        if self.proposal is not None and self.anchor is not None:
            raise Rejected(422, "a proposal and an anchor are given", "give one of them")
        if self.anchor is None:
            return self.proposal
        anchor = self.anchor
        return Target(anchor.path, anchor.line, anchor.end_line, anchor.symbol)


class Standing(msgspec.Struct):
    """How a session stands after its event `seq`. All that is known of it is in its record."""

    id: str
    kind: Kind
    state: State
    members: list[str]
    invited: list[str]
    ends_at: str
    seq: int


def standing(session: Collaboration) -> Standing:
    """How it stands now."""
    return Standing(
        session.id,
        session.kind,
        session.state,
        session.members,
        [] if session.ended else session.invited,
        session.ends_at,
        session.last_seq,
    )


class CollaborationStart(Request, rename={"asked": "with"}):
    """`with` are asked to join; `paths` say what it is about. It ends when nothing happens for so long."""

    topic: Topic
    asked: Annotated[list[Agent], msgspec.Meta(min_length=1, max_length=15)]
    paths: Paths = ()
    idle_seconds: Idle = 3600
    idempotency_key: Word | None = None


class CollaborationJoin(Request):
    pass


class CollaborationSay(Pointing):
    pass


class CollaborationEnd(Request):
    reason: Reason = ""


class PairRequest(Request):
    """`to` is asked to be the partner; `paths` say what it is about."""

    to: Agent
    goal: Topic
    paths: Paths = ()
    idle_seconds: Idle = 3600
    idempotency_key: Word | None = None


class PairAccept(Request):
    id: Id


class PairDecline(Request):
    id: Id
    reason: Reason = ""


class PairSuggest(Pointing, kw_only=True):
    id: Id


class PairSuggested(msgspec.Struct):
    """The suggestion, and the session it is in."""

    suggestion: Suggestion
    collaboration: Standing


class PairReview(Request):
    id: Id
    suggestion: Id
    verdict: Verdict
    comment: Annotated[str, msgspec.Meta(max_length=MAX_TEXT)] = ""


class PairComplete(Request):
    id: Id
    summary: Text


class RecordQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`wait_seconds` waits while there is nothing after the cursor."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 100
    cursor: Cursor | None = None
    wait_seconds: Wait = 0.0


class CollaborationQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`mine`: the caller is in it or asked; `awaiting`: something is for the caller to do. `wait_seconds`
    waits while there is none."""

    ended: bool = False
    mine: bool = False
    awaiting: bool = False
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 50
    cursor: Cursor | None = None
    wait_seconds: Wait = 0.0


class CollaborationList(msgspec.Struct):
    """`next_cursor` is null on the last page."""

    collaborations: list[Collaboration]
    next_cursor: str | None
