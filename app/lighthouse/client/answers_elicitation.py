"""The answers about questions between agents."""

from dataclasses import dataclass, field
from typing import Any, Literal

QuestionState = Literal["pending", "accepted", "declined", "expired"]


@dataclass(frozen=True)
class Question:
    """`agent_id` asks `to`; `content`, the answer of one that was accepted, fits `schema`."""

    id: str
    state: QuestionState
    agent_id: str
    to: str
    message: str
    schema: dict[str, Any]
    asked_at: str
    expires_at: str
    seq: int
    ended_at: str | None = None
    ended_seq: int | None = None
    content: Any = None
    reason: str = ""


@dataclass(frozen=True)
class QuestionPage:
    """Questions, the oldest first; `next_cursor` fetches the next page and is null on the last."""

    questions: list[Question] = field(default_factory=list)
    next_cursor: str | None = None
