"""A collaboration of several agents or a pair session of two, as its events tell it."""

from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from lighthouse.events import Event
from lighthouse.events.event import timestamp

STREAM = "collaborations"
STARTED, REQUESTED = "collaboration.started", "pair.requested"
# What was acknowledged of its letters, and what makes certain which appends are on disk: no part of a record.
DELIVERED, REREAD = "collaboration.delivered", "collaboration.reread"

# However much happens in it, it ends after so long.
LIFE_SECONDS = 7 * 86400

Kind = Literal["collaboration", "pair"]
State = Literal["open", "requested", "active", "declined", "completed", "closed"]
Verdict = Literal["accept", "change", "reject"]
How = Literal["closed", "empty", "idle", "lifetime"]

ENDS: frozenset[str] = frozenset(("declined", "completed", "closed"))


class Suggestion(msgspec.Struct, omit_defaults=True):
    """Made by event `seq`: a proposal as it was after its event `proposal_seq`, or a note on an anchor."""

    id: str
    agent_id: str
    at: str
    seq: int
    proposal: str | None = None
    proposal_seq: int | None = None
    note: str | None = None
    verdict: Verdict | None = None


class Collaboration(msgspec.Struct, kw_only=True, omit_defaults=True):
    """`asked` were invited, `members` are in it, `left` are gone or declined. A pair's topic is its goal.

    It ends at `ends_at` unless something happens before. `seq` is its first event and `last_seq` its last.
    `how` and `reason` are there once it has ended; of a completed one the reason is the summary.
    """

    id: str
    kind: Kind
    state: State
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
    suggestions: list[Suggestion] = []
    ended_at: str | None = None
    ended_by: str | None = None
    how: How | None = None
    reason: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing can happen in it any more."""
        return self.state in ENDS

    @property
    def deadline(self) -> float:
        """When it ends by itself, in seconds since 1970."""
        return _seconds(self.ends_at)

    @property
    def outlived(self) -> bool:
        """Whether it is the bound on its life that it ends by."""
        return self.deadline >= _seconds(self.started_at) + LIFE_SECONDS

    @property
    def invited(self) -> list[str]:
        """Who was asked and has not answered."""
        return [one for one in self.asked if one not in self.members and one not in self.left]

    def awaits(self, agent_id: str) -> bool:
        """Whether something is for this agent to do: to answer an invitation, or to review a suggestion."""
        if self.ended:
            return False
        inside = agent_id in self.members
        waits = any(one.verdict is None and one.agent_id != agent_id for one in self.suggestions)
        return (inside and waits) or agent_id in self.invited

    def suggestion(self, suggestion_id: str) -> Suggestion | None:
        """The suggestion of that id."""
        return next((one for one in self.suggestions if one.id == suggestion_id), None)

    def short(self) -> "Collaboration":
        """The same without its suggestions, for lists and letters."""
        return msgspec.structs.replace(self, suggestions=[])

    def take(self, event: Event) -> bool:
        """Let a later event happen, in the order of the log; whether it was news. Nothing follows an end."""
        if self.ended or event.seq <= self.last_seq or event.type in (DELIVERED, REREAD):
            return False
        self.last_seq = event.seq
        self.events += 1
        self.ends_at = _ends_at(_seconds(self.started_at), _seconds(event.ts), self.idle_seconds)
        said = event.value
        match event.type.partition(".")[2]:
            case "joined":
                self._enter(event.agent_id)
            case "accepted":
                self._enter(event.agent_id)
                self.state = "active"
            case "left":
                self._leave(event.agent_id)
            case "suggested":
                self._suggest(event, said)
            case "reviewed":
                self._review(said)
            case "declined":
                self._leave(event.agent_id)
                self._end(event, "declined", said["reason"])
            case "completed":
                self._end(event, "completed", said["summary"])
            case "closed":
                self.how = said["how"]
                self._end(event, "closed", said["reason"])
        return True

    def expired(self) -> None:
        """Its time was over, and no event tells so."""
        self.state, self.how, self.ended_at = "closed", "idle", self.ends_at

    def _enter(self, agent_id: str) -> None:
        if agent_id in self.left:
            self.left.remove(agent_id)
        self.members.append(agent_id)

    def _leave(self, agent_id: str) -> None:
        if agent_id in self.members:
            self.members.remove(agent_id)
        self.left.append(agent_id)

    def _suggest(self, event: Event, said: dict[str, Any]) -> None:
        made = Suggestion(f"s{event.seq}", event.agent_id, event.ts, event.seq, note=said.get("note"))
        if (kept := said.get("proposal")) is not None:
            made.proposal, made.proposal_seq = kept["name"], kept["seq"]
        self.suggestions.append(made)
        self.open_suggestions += 1

    def _review(self, said: dict[str, Any]) -> None:
        suggestion = self.suggestion(said["suggestion"])
        if suggestion is not None:
            suggestion.verdict = said["verdict"]
            self.open_suggestions -= 1

    def _end(self, event: Event, state: State, reason: str) -> None:
        self.state, self.reason = state, reason
        self.ended_at, self.ended_by = event.ts, event.agent_id


def from_event(event: Event) -> Collaboration:
    """The collaboration or the pair session that this event began."""
    said = event.value
    pair = event.type == REQUESTED
    at = _seconds(event.ts)
    return Collaboration(
        id=f"c{event.seq}",
        kind="pair" if pair else "collaboration",
        state="requested" if pair else "open",
        topic=said["goal"] if pair else said["topic"],
        agent_id=event.agent_id,
        asked=[said["to"]] if pair else said["with"],
        members=[event.agent_id],
        left=[],
        paths=said["paths"],
        idle_seconds=said["idle_seconds"],
        started_at=event.ts,
        ends_at=_ends_at(at, at, said["idle_seconds"]),
        seq=event.seq,
        last_seq=event.seq,
        events=1,
        open_suggestions=0,
    )


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _ends_at(started: float, last: float, idle: int) -> str:
    return timestamp(datetime.fromtimestamp(min(last + idle, started + LIFE_SECONDS), UTC))
