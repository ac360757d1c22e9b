"""A task as its events tell it: whom it is for, who has it, how far it is, and how it ended."""

from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from lighthouse.events import Event
from lighthouse.events.event import timestamp

STREAM = "tasks"
DISPATCHED = "task.dispatched"
OFFERED = "task.offered"
CLAIMED = "task.claimed"
PROGRESSED = "task.progressed"
RETURNED = "task.returned"
COMPLETED = "task.completed"
FAILED = "task.failed"
CANCELLED = "task.cancelled"
# An agent took the letter about the end.
SEEN = "task.seen"
# Stored only to make certain what of an append that failed is on disk.
REREAD = "task.reread"

ENDS = (COMPLETED, FAILED, CANCELLED)
# Of what holders say the latest is kept in memory, all of it in the log.
KEPT_NOTES = 20
KEPT_NOTES_CHARACTERS = 8000

State = Literal["pending", "claimed", "completed", "failed", "cancelled"]
How = Literal["holder", "gone", "lease", "deadline"]
"""Why a task failed or came back: its holder said so, was gone, let the lease end; or its time was over."""


class Capability(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What an expert has to be able to do. An empty field asks for nothing.

    `languages` are those of the work (one of them is enough), `paths` what it touches, from the project's
    root, `risks` the actions it needs. A `speciality` is one that the expert names as its own.
    """

    speciality: str = ""
    languages: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()


class Note(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a holder said on the way."""

    at: str
    agent_id: str
    note: str = ""
    percent: float | None = None


class Task(msgspec.Struct, omit_defaults=True):
    """`agent_id` wants it done by `to`, or by whoever has the `capability`. `attempt` is counted from 1.

    `offered` are the agents who were told of this attempt, `tried` those who had it before. `holder` is who
    has it, until `lease_until`, or who had it when it ended. `changed_seq` is its latest event.
    """

    id: str
    state: State
    agent_id: str
    title: str
    body: str
    lease_seconds: int
    retries: int
    dispatched_at: str
    expires_at: str
    seq: int
    changed_seq: int
    attempt: int
    # Since when this attempt can be claimed: its letters are news after that of the attempt before.
    open_seq: int
    to: str = ""
    capability: Capability | None = None
    offered: list[str] = []
    offered_at: str = ""
    tried: list[str] = []
    holder: str = ""
    claimed_at: str = ""
    lease_until: str = ""
    percent: float | None = None
    notes: list[Note] = []
    ended_at: str = ""
    ended_by: str = ""
    result: Any = msgspec.UNSET
    reason: str = ""
    how: How | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing happens to it any more."""
        return self.state not in ("pending", "claimed")

    @property
    def carriers(self) -> list[str]:
        """Whose load it is: the holder's, or while nobody has it theirs who were told of it."""
        if self.state == "claimed":
            return [self.holder]
        return self.offered if self.state == "pending" else []

    def take(self, event: Event) -> None:
        """What happened to it. After its end nothing does."""
        if self.ended or event.type not in _STEPS:
            return
        self.changed_seq = event.seq
        _STEPS[event.type](self, event, event.value)


def _offered(task: Task, event: Event, said: dict[str, Any]) -> None:
    task.offered = [*task.offered, *(agent for agent in said["to"] if agent not in task.offered)]
    task.offered_at = event.ts


def _claimed(task: Task, event: Event, said: dict[str, Any]) -> None:
    task.state, task.holder, task.claimed_at = "claimed", event.agent_id, event.ts
    task.lease_until = _later(event.ts, task.lease_seconds)


def _progressed(task: Task, event: Event, said: dict[str, Any]) -> None:
    task.lease_until = _later(event.ts, task.lease_seconds)
    task.percent = said.get("percent", task.percent)
    note = Note(event.ts, event.agent_id, said.get("note", ""), said.get("percent"))
    notes = [*task.notes, note][-KEPT_NOTES:]
    while sum(len(one.note) for one in notes) > KEPT_NOTES_CHARACTERS:
        notes = notes[1:]
    task.notes = notes


def _returned(task: Task, event: Event, said: dict[str, Any]) -> None:
    task.tried = [*(agent for agent in task.tried if agent != task.holder), task.holder]
    task.state, task.attempt, task.open_seq = "pending", task.attempt + 1, event.seq
    task.offered, task.offered_at = [task.to] if task.to else [], ""
    task.how, task.reason = said["how"], said.get("reason", "")
    task.holder = task.claimed_at = task.lease_until = ""
    task.percent = None


def _ended(task: Task, event: Event, said: dict[str, Any]) -> None:
    task.state = _STATES[event.type]
    task.ended_at, task.ended_by, task.lease_until = event.ts, event.agent_id, ""
    task.reason, task.how = said.get("reason", ""), said.get("how")
    if event.type == COMPLETED:
        task.result = said["result"]


_STATES: dict[str, State] = {COMPLETED: "completed", FAILED: "failed", CANCELLED: "cancelled"}
_STEPS = {
    OFFERED: _offered,
    CLAIMED: _claimed,
    PROGRESSED: _progressed,
    RETURNED: _returned,
    COMPLETED: _ended,
    FAILED: _ended,
    CANCELLED: _ended,
}


def from_event(event: Event) -> Task:
    """The task that this event dispatches."""
    said = event.value
    capability = msgspec.convert(said["capability"], Capability) if "capability" in said else None
    to = said.get("to", "")
    return Task(
        id=f"t{event.seq}",
        state="pending",
        agent_id=event.agent_id,
        title=said["title"],
        body=said["body"],
        to=to,
        capability=capability,
        offered=[to] if to else [],
        lease_seconds=said["lease_seconds"],
        retries=said["retries"],
        dispatched_at=event.ts,
        # Not in the event: the same task dispatched again must be the same event.
        expires_at=_later(event.ts, said["deadline_seconds"]),
        seq=event.seq,
        changed_seq=event.seq,
        attempt=1,
        open_seq=event.seq,
    )


def seconds(moment: str) -> float:
    """A moment of an event in seconds since 1970."""
    return datetime.fromisoformat(moment).timestamp()


def _later(moment: str, by: float) -> str:
    return timestamp(datetime.fromisoformat(moment) + timedelta(seconds=by))
