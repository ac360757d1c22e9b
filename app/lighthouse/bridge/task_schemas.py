"""The wire forms of tasks, and of what is done to them."""

from typing import Annotated, Any, Literal

import msgspec

from lighthouse.bridge.schemas import Request, Word
from lighthouse.tasks import Capability, State, Task

Wait = Annotated[float, msgspec.Meta(ge=0, le=600)]
Title = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Body = Annotated[str, msgspec.Meta(max_length=32768)]
TaskText = Annotated[str, msgspec.Meta(max_length=2000)]
Lease = Annotated[int, msgspec.Meta(ge=60, le=86400)]
Retries = Annotated[int, msgspec.Meta(ge=0, le=10)]
Deadline = Annotated[int, msgspec.Meta(ge=60, le=30 * 86400)]
Cursor = Annotated[str, msgspec.Meta(min_length=1, max_length=30)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=100)]

WEEK = 7 * 86400


class ToCapability(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Whoever is able to do it."""

    capability: Capability


class _Dispatched(Request, kw_only=True):
    title: Title
    body: Body = ""
    idempotency_key: Word | None = None
    lease_seconds: Lease = 900
    retries: Retries = 2
    deadline_seconds: Deadline = WEEK
    wait_seconds: Wait = 0.0


class TaskDispatch(_Dispatched):
    """Something to be done by an agent, or by whoever has a capability."""

    to: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | ToCapability


class ExpertDelegate(_Dispatched):
    """Something to be done by the expert who fits `needs` best."""

    needs: Capability


class TaskClaim(Request):
    """Under the same key the same claim may be made again."""

    idempotency_key: Word | None = None


class TaskProgress(Request):
    note: TaskText = ""
    percent: Annotated[float, msgspec.Meta(ge=0, le=100)] | None = None


class TaskComplete(Request):
    result: Any = None


class TaskFail(Request):
    """With `retry` another may try it."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    retry: bool = False


class TaskCancel(Request):
    reason: TaskText = ""


class TaskQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """With `after`, a `changed_seq`, not the end is waited for but anything later."""

    wait_seconds: Wait = 0.0
    after: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | None = None


class TaskPending(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`mine` leaves those that the caller may claim, and `wait_seconds` waits while there is none."""

    mine: bool = False
    wait_seconds: Wait = 0.0
    limit: Limit = 50
    cursor: Cursor | None = None


class TasksQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`agent` is who dispatched it, or has it, or whom it is for."""

    state: State | Literal["open"] | None = None
    agent: Word | None = None
    limit: Limit = 50
    cursor: Cursor | None = None


class TaskList(msgspec.Struct):
    """`next_cursor` is null on the last page."""

    tasks: list[Task]
    next_cursor: str | None
