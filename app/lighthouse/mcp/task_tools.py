"""Work that agents give to each other: giving it, taking it, and saying how it went."""

import uuid
from typing import Annotated, Any, Literal

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from pydantic import Field
from typing_extensions import TypedDict

from lighthouse.client import answers_tasks as answers
from lighthouse.mcp.link import Link
from lighthouse.mcp.shapes import Page, paged, picked
from lighthouse.mcp.tool import ADDS, READS, Json, Wait, tool


class Standing(TypedDict, total=False):
    id: str
    state: str
    offered: list[str]
    lease_until: str
    result: Json
    reason: str


class Task(TypedDict, total=False):
    id: str
    state: str
    agent_id: str
    title: str
    body: str
    to: str
    attempt: int
    holder: str
    lease_until: str
    percent: float
    notes: list[dict[str, Any]]
    result: Json
    reason: str


class Tasks(TypedDict, total=False):
    tasks: list[Task]
    next_cursor: str


def tools(link: Link) -> list[Tool]:
    """The tools, their calls going over `link`."""

    async def lighthouse_dispatch_task(
        title: str,
        to: Annotated[str, Field(description="An agent.")],
        body: str = "",
        idempotency_key: str | None = None,
    ) -> Standing:
        """Have another agent do something; lighthouse_check_tasks waits for its end."""
        async with link.bridge() as bridge:
            task = await bridge.dispatch_task(
                title,
                body,
                to=to,
                idempotency_key=idempotency_key or _key(),
            )
        return _standing(task)

    async def lighthouse_delegate_to_expert(
        title: str,
        body: str = "",
        speciality: str = "",
        languages: list[str] | None = None,
        paths: list[str] | None = None,
        risks: list[str] | None = None,
        idempotency_key: str | None = None,
    ) -> Standing:
        """The same for the expert who fits best; if it goes away, the next one gets it."""
        needs = answers.Capability(speciality, languages or [], paths or [], risks or [])
        async with link.bridge() as bridge:
            task = await bridge.delegate(
                title,
                body,
                needs=needs,
                idempotency_key=idempotency_key or _key(),
            )
        return _standing(task)

    async def lighthouse_check_tasks(
        context: Context[Any, Any],
        id: Annotated[str | None, Field(description="One; left out: those that you may claim.")] = None,
        wait_seconds: Wait = 0,
        cursor: str | None = None,
    ) -> Tasks:
        """Tasks for you, or what became of one."""
        async with link.waiting(context, wait_seconds, "a task" if id is None else "its end") as bridge:
            if id is not None:
                one = await bridge.task(id, wait_seconds=wait_seconds)
                return {"tasks": [picked(one, Task, *_always(one))]}

            async def fetch(limit: int) -> Page:
                page = await bridge.pending_tasks(limit=limit, cursor=cursor, wait_seconds=wait_seconds)
                return page.tasks, page.next_cursor

            shown, following = await paged(fetch, Task)
        return Tasks(tasks=shown, **following)

    async def lighthouse_change_task(
        id: str,
        action: Literal["claim", "progress", "complete", "fail", "give_back", "cancel"],
        note: Annotated[str, Field(description="How far, or why.")] = "",
        percent: Annotated[float | None, Field(ge=0, le=100)] = None,
        result: dict[str, Any] | None = None,
    ) -> Standing:
        """Take a task and keep it by telling progress before its lease_until; end it; cancel your own."""
        async with link.bridge() as bridge:
            match action:
                case "claim":
                    task = await bridge.claim_task(id, idempotency_key=_key())
                case "progress":
                    task = await bridge.progress_task(id, note, percent=percent)
                case "complete":
                    task = await bridge.complete_task(id, result)
                case "fail" | "give_back":
                    task = await bridge.fail_task(id, note, retry=action == "give_back")
                case "cancel":
                    task = await bridge.cancel_task(id, note)
        return _standing(task)

    return [
        tool(lighthouse_dispatch_task, ADDS),
        tool(lighthouse_delegate_to_expert, ADDS),
        tool(lighthouse_check_tasks, READS),
        tool(lighthouse_change_task, ADDS),
    ]


def _key() -> str:
    # Sent again after a lost connection it is the same request.
    return f"mcp-{uuid.uuid4().hex}"


def _standing(task: answers.Task) -> Standing:
    return picked(task, Standing, *_always(task))


def _always(task: answers.Task) -> list[str]:
    # Also a result that is false, nothing or empty is one.
    return ["result"] * (task.state == "completed" and task.result is not None)
