"""The answers about tasks."""

from dataclasses import dataclass, field
from typing import Any, Literal

TaskState = Literal["pending", "claimed", "completed", "failed", "cancelled"]
TaskHow = Literal["holder", "gone", "lease", "deadline"]


@dataclass(frozen=True)
class Capability:
    """What an expert has to be able to do; an empty field asks for nothing.

    `languages` are those of the work, of which one is enough, `paths` what it touches, from the project's
    root, `risks` the actions it needs, `speciality` what the expert names as its own.
    """

    speciality: str = ""
    languages: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    risks: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class TaskNote:
    """What a holder said on the way."""

    at: str
    agent_id: str
    note: str = ""
    percent: float | None = None


@dataclass(frozen=True)
class Task:
    """`agent_id` wants it done by `to`, or by whoever has the `capability`. `attempt` is counted from 1.

    `offered` are the agents who were told of this attempt, `tried` those who had it before. `holder` has it
    until `lease_until`, or had it when it ended. `how` says why it failed, or came back: its holder said so,
    was gone, let the lease end, or its time was over. `changed_seq` is its latest event.
    """

    id: str
    state: TaskState
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
    open_seq: int
    to: str = ""
    capability: Capability | None = None
    offered: list[str] = field(default_factory=list)
    offered_at: str = ""
    tried: list[str] = field(default_factory=list)
    holder: str = ""
    claimed_at: str = ""
    lease_until: str = ""
    percent: float | None = None
    notes: list[TaskNote] = field(default_factory=list)
    ended_at: str = ""
    ended_by: str = ""
    result: Any = None
    reason: str = ""
    how: TaskHow | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing happens to it any more."""
        return self.state not in ("pending", "claimed")


@dataclass(frozen=True)
class TaskPage:
    """`next_cursor` is None on the last page."""

    tasks: list[Task]
    next_cursor: str | None
