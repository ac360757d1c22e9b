"""A question from one agent to another, as its events tell it."""

from datetime import datetime
from typing import Any, Literal

import msgspec

from lighthouse.events import Event
from lighthouse.events.event import timestamp

STREAM = "elicitation"
CREATED = "elicitation.created"
ANSWERED = "elicitation.answered"
EXPIRED = "elicitation.expired"
# Stored only to make certain what of an append that failed is on disk.
REREAD = "elicitation.reread"

Action = Literal["accept", "decline"]
State = Literal["pending", "accepted", "declined", "expired"]


class Question(msgspec.Struct, omit_defaults=True):
    """`agent_id` asks `to`. From `ended_at` on the fields are there once it has ended, `content` where it was
    accepted, and a `reason` where one was given for declining."""

    id: str
    state: State
    agent_id: str
    to: str
    message: str
    schema: dict[str, Any]
    asked_at: str
    expires_at: str
    seq: int
    ended_at: str | None = None
    ended_seq: int | None = None
    content: Any = msgspec.UNSET
    reason: str = ""

    @property
    def deadline(self) -> float:
        """When it ends, in seconds since 1970."""
        return seconds(self.expires_at)

    def take(self, event: Event) -> None:
        """What happened to it. The first end counts."""
        if self.state != "pending" or event.type not in (ANSWERED, EXPIRED):
            return
        self.ended_at, self.ended_seq = event.ts, event.seq
        if event.type == EXPIRED:
            self.state = "expired"
            return
        said = event.value
        if said["action"] == "accept":
            self.state, self.content = "accepted", said["content"]
        else:
            self.state, self.reason = "declined", said.get("reason", "")

    def ran_out(self) -> None:
        """Its time is over, and no event tells so."""
        if self.state == "pending":
            self.state, self.ended_at = "expired", self.expires_at


def seconds(moment: str) -> float:
    """An RFC 3339 time in seconds since 1970."""
    return datetime.fromisoformat(moment).timestamp()


def from_event(event: Event) -> Question:
    """The question that this event asks."""
    said = event.value
    asked = datetime.fromisoformat(event.ts)
    return Question(
        id=f"q{event.seq}",
        state="pending",
        agent_id=event.agent_id,
        to=said["to"],
        message=said["message"],
        schema=said["schema"],
        asked_at=event.ts,
        # Not in the event: the same question asked again must be the same event.
        expires_at=timestamp(
            datetime.fromtimestamp(asked.timestamp() + said["timeout_seconds"], asked.tzinfo)
        ),
        seq=event.seq,
    )
