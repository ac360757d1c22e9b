"""The wire forms of questions between agents, and of their answers."""

from typing import Annotated, Any

import msgspec

from lighthouse.bridge.schemas import Request, Word
from lighthouse.elicitation import Action, Question

MAX_SECONDS = 86400

Wait = Annotated[float, msgspec.Meta(ge=0, le=600)]

QuestionId = Annotated[str, msgspec.Meta(min_length=2, max_length=20)]
QuestionReason = Annotated[str, msgspec.Meta(max_length=1000)]


class ElicitationCreate(Request):
    """A question to another agent. `schema` is a JSON Schema that its answer has to fit."""

    to: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    message: Annotated[str, msgspec.Meta(min_length=1, max_length=8000)]
    schema: dict[str, Any]
    timeout_seconds: Annotated[int, msgspec.Meta(ge=1, le=MAX_SECONDS)] = 300
    idempotency_key: Word | None = None
    wait_seconds: Wait = 0.0


class ElicitationRespond(Request):
    """`content` goes with `accept`, a `reason` with `decline`."""

    id: QuestionId
    action: Action
    content: Any = msgspec.UNSET
    reason: QuestionReason = ""


class ElicitationStatus(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    wait_seconds: Wait = 0.0


class ElicitationPending(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`wait_seconds` waits while there is none."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 50
    cursor: Annotated[str, msgspec.Meta(min_length=1, max_length=30)] | None = None
    wait_seconds: Wait = 0.0


class QuestionList(msgspec.Struct):
    """`next_cursor` is null on the last page."""

    questions: list[Question]
    next_cursor: str | None
