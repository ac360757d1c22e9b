"""/task, /tasks and /expert/delegate: work that agents give to each other."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from lighthouse.bridge import long_poll
from lighthouse.bridge.call import Answer, Call, Route
from lighthouse.bridge.cursors import cursor, place
from lighthouse.bridge.problems import Rejected
from lighthouse.bridge.task_schemas import (
    ExpertDelegate,
    TaskCancel,
    TaskClaim,
    TaskComplete,
    TaskDispatch,
    TaskFail,
    TaskList,
    TaskPending,
    TaskProgress,
    TaskQuery,
    TasksQuery,
)
from lighthouse.sessions import NotAllowed, Role
from lighthouse.tasks import Capability, Task, Tasks

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge

PAGE_BYTES = 1024 * 1024


async def dispatch(bridge: "Bridge", call: Call) -> Task:
    """Have something done; answered once it is on disk, and after waiting for its end where asked to."""
    asked: TaskDispatch = call.body
    to = asked.to if isinstance(asked.to, str) else asked.to.capability
    return await _dispatched(bridge, call, asked, to)


async def delegate(bridge: "Bridge", call: Call) -> Task:
    """The same, for the experts who fit."""
    asked: ExpertDelegate = call.body
    return await _dispatched(bridge, call, asked, asked.needs)


async def _dispatched(
    bridge: "Bridge", call: Call, asked: TaskDispatch | ExpertDelegate, to: str | Capability
) -> Task:
    room = tasks(bridge)
    task = await room.dispatch(
        call.caller.agent_id,
        asked.title,
        asked.body,
        to,
        lease_seconds=asked.lease_seconds,
        retries=asked.retries,
        deadline_seconds=asked.deadline_seconds,
        idempotency_key=asked.idempotency_key,
    )
    return await room.get(task.id, asked.wait_seconds)


async def pending(bridge: "Bridge", call: Call) -> TaskList:
    """What nobody has, the oldest first, after waiting while there is nothing. Who looks is there."""
    asked: TaskPending = call.query
    room, caller = tasks(bridge), call.caller.agent_id
    after = place(asked.cursor) or 0

    def look() -> list[Task]:
        _heard(bridge, call)
        return [task for task in room.pending(caller if asked.mine else None) if task.seq > after]

    known = await long_poll.found(
        bridge, call, asked.wait_seconds, look, lambda seconds: room.news(caller, seconds)
    )
    return _page(known, asked.limit)


async def listed(bridge: "Bridge", call: Call) -> TaskList:
    """Those that are open and the last that ended, the latest first."""
    asked: TasksQuery = call.query
    before = place(asked.cursor)
    known = (
        task
        for task in tasks(bridge).all()
        if (before is None or task.seq < before)
        and (asked.state in (None, task.state) or (asked.state == "open" and not task.ended))
        and (asked.agent is None or asked.agent in (task.agent_id, task.holder, task.to, *task.offered))
    )
    return _page(known, asked.limit)


async def show(bridge: "Bridge", call: Call) -> Task:
    """A task, after waiting for its end or for news of it."""
    asked: TaskQuery = call.query
    return await tasks(bridge).get(_id(call), asked.wait_seconds, asked.after)


async def claim(bridge: "Bridge", call: Call) -> Task:
    """Take a task."""
    asked: TaskClaim = call.body
    caller, stays = call.caller, call.caller.role in (Role.OPERATOR, Role.ADMIN)
    _heard(bridge, call)
    try:
        return await tasks(bridge).claim(_id(call), caller.agent_id, asked.idempotency_key, stays=stays)
    except NotAllowed as error:
        raise _refused(bridge, call, error) from None


async def progress(bridge: "Bridge", call: Call) -> Task:
    """Say how far it is; the lease begins anew."""
    said: TaskProgress = call.body
    _heard(bridge, call)
    return await tasks(bridge).progress(_id(call), call.caller.agent_id, said.note, said.percent)


async def complete(bridge: "Bridge", call: Call) -> Task:
    """It is done."""
    said: TaskComplete = call.body
    return await tasks(bridge).complete(_id(call), call.caller.agent_id, said.result)


async def fail(bridge: "Bridge", call: Call) -> Task:
    """It cannot be done, or not by this agent."""
    said: TaskFail = call.body
    return await tasks(bridge).fail(_id(call), call.caller.agent_id, said.reason, retry=said.retry)


async def cancel(bridge: "Bridge", call: Call) -> Task:
    """It need not be done."""
    said: TaskCancel = call.body
    try:
        return await tasks(bridge).cancel(_id(call), call.caller, said.reason)
    except NotAllowed as error:
        raise _refused(bridge, call, error) from None


def tasks(bridge: "Bridge") -> Tasks:
    """The room; raises Rejected (503) while the bridge starts."""
    if bridge.tasks is None:
        raise Rejected(503, "the tasks are not known yet", "try again in a moment")
    return bridge.tasks


def _heard(bridge: "Bridge", call: Call) -> None:
    """An expert who looks for work, or does some, is there."""
    if bridge.experts is not None:
        bridge.experts.heard(call.caller.agent_id)


def _id(call: Call) -> str:
    return call.request.match_info["id"]


def _refused(bridge: "Bridge", call: Call, error: NotAllowed) -> NotAllowed:
    bridge.audit.rejected(403, error.message, call.request.path, call.peer, call.caller.agent_id)
    return error


def _page(known: Iterable[Task], limit: int) -> TaskList:
    """As many as may be in one answer, in their order."""
    page: list[Task] = []
    size = 0
    for task in known:
        size += len(msgspec.json.encode(task))
        if len(page) == limit or (page and size > PAGE_BYTES):
            return TaskList(page, cursor(page[-1].seq))
        page.append(task)
    return TaskList(page, None)


_NOW = {200: Answer("The task as it is now", Task)}
_OF_TASK = {"id": "the task's id"}

ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/task/dispatch",
        "task_dispatch",
        "Have something done by an agent, or by whoever has a capability",
        dispatch,
        _NOW,
        permission="task.write",
        body=TaskDispatch,
        errors=(409, 507),
    ),
    Route(
        "GET",
        "/task/pending",
        "task_pending",
        "The tasks that nobody has, or of them those that the caller may claim",
        pending,
        {200: Answer("A page of tasks", TaskList)},
        permission="events.read",
        query=TaskPending,
    ),
    Route(
        "GET",
        "/task/{id}",
        "task",
        "A task, after waiting for its end or for news of it",
        show,
        _NOW,
        permission="events.read",
        query=TaskQuery,
        errors=(404,),
        path_parameters=_OF_TASK,
    ),
    Route(
        "GET",
        "/tasks",
        "tasks",
        "The tasks that are open, and the last that ended",
        listed,
        {200: Answer("A page of tasks", TaskList)},
        permission="events.read",
        query=TasksQuery,
    ),
    Route(
        "POST",
        "/task/{id}/claim",
        "task_claim",
        "Take a task, for as long as its lease",
        claim,
        _NOW,
        permission="task.write",
        body=TaskClaim,
        body_optional=True,
        errors=(404, 409, 507),
        path_parameters=_OF_TASK,
    ),
    Route(
        "POST",
        "/task/{id}/progress",
        "task_progress",
        "Say how far a task is, which renews its lease",
        progress,
        _NOW,
        permission="task.write",
        body=TaskProgress,
        body_optional=True,
        errors=(404, 409, 507),
        path_parameters=_OF_TASK,
    ),
    Route(
        "POST",
        "/task/{id}/complete",
        "task_complete",
        "Say that a task is done, and with which result",
        complete,
        _NOW,
        permission="task.write",
        body=TaskComplete,
        body_optional=True,
        errors=(404, 409, 507),
        path_parameters=_OF_TASK,
    ),
    Route(
        "POST",
        "/task/{id}/fail",
        "task_fail",
        "Say that a task cannot be done, or give it back for another to try",
        fail,
        _NOW,
        permission="task.write",
        body=TaskFail,
        errors=(404, 409, 507),
        path_parameters=_OF_TASK,
    ),
    Route(
        "POST",
        "/task/{id}/cancel",
        "task_cancel",
        "End a task that need not be done",
        cancel,
        _NOW,
        permission="task.write",
        body=TaskCancel,
        body_optional=True,
        errors=(404, 409, 507),
        path_parameters=_OF_TASK,
    ),
    Route(
        "POST",
        "/expert/delegate",
        "expert_delegate",
        "Have something done by the expert who fits best",
        delegate,
        _NOW,
        permission="task.write",
        body=ExpertDelegate,
        errors=(409, 507),
    ),
)
