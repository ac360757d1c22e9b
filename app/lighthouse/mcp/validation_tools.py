"""Verdicts on tool calls: asking for one, and answering what others asked."""

from pathlib import Path
from typing import Annotated, Any, Literal

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from pydantic import Field
from typing_extensions import TypedDict

from lighthouse.mcp.link import Link
from lighthouse.mcp.shapes import fitting, picked
from lighthouse.mcp.tool import ADDS, READS, Wait, tool

THERE_SECONDS = 300
"""A model thinks for long between two looks at what waits."""


class Verdict(TypedDict, total=False):
    id: str
    decision: str
    reason: str
    rule: str
    tier: str
    suggestion: str


class Request(TypedDict, total=False):
    id: str
    agent_id: str
    tool_name: str
    tool_input: dict[str, Any]
    cwd: str
    tier: str
    reason: str
    facts: list[dict[str, Any]]
    facts_left_out: int
    diff: str
    context: dict[str, Any]
    asked: list[str]
    answers: list[dict[str, Any]]
    quorum: int
    expires_at: str


class Waiting(TypedDict, total=False):
    waiting: list[Request]
    left_out: int


class Decided(TypedDict, total=False):
    id: str
    state: str
    decision: str
    how: str


class Registered(TypedDict, total=False):
    agent_id: str
    ttl_seconds: float


def tools(link: Link) -> list[Tool]:
    """The tools, their calls going over `link`."""

    async def lighthouse_validate_command(
        context: Context[Any, Any],
        command: Annotated[str, Field(description="For Bash; else '' and `input`.")] = "",
        tool: str = "Bash",
        input: dict[str, Any] | None = None,
        cwd: str | None = None,
        wait_seconds: Wait = 0,
    ) -> Verdict:
        """Whether a tool call may be made: allow, deny, or escalate. Ask again to wait on."""
        fields = {"command": command} if input is None else input
        async with link.waiting(context, wait_seconds, "an answer") as bridge:
            # The adapter is started where the agent's own programs are.
            where = cwd or str(Path.cwd())
            verdict = await bridge.validate(tool, fields, cwd=where, wait_seconds=wait_seconds)
        return picked(verdict, Verdict)

    async def lighthouse_pending_validations(context: Context[Any, Any], wait_seconds: Wait = 0) -> Waiting:
        """Others' calls that wait for an answer. As an expert keep asking: it shows that you are there."""
        async with link.waiting(context, wait_seconds, "a request") as bridge:
            page = await bridge.approvals(answerable=True, wait_seconds=wait_seconds)
        shown = fitting(page.approvals, Request)
        left = len(page.approvals) - len(shown)
        return {"waiting": shown, "left_out": left} if left else {"waiting": shown}

    async def lighthouse_answer_validation(
        id: str, verdict: Literal["approve", "deny"], reason: str
    ) -> Decided:
        """Answer one, for good. If you do not understand all that it does, deny and say why."""
        async with link.bridge() as bridge:
            found = await bridge.answer_validation(id, verdict, reason)
        return picked(found, Decided)

    async def lighthouse_register_expert(
        speciality: Annotated[str, Field(description="A word, like security.")],
        languages: list[str] | None = None,
        paths: Annotated[list[str] | None, Field(description="Globs.")] = None,
        risks: Annotated[list[str] | None, Field(description="Acts or tiers.")] = None,
    ) -> Registered:
        """Be asked about the calls that this covers; a list left out is no limit."""
        async with link.bridge() as bridge:
            made = await bridge.register_expert(
                speciality,
                languages=languages or (),
                paths=paths or (),
                risks=risks or (),
                ttl_seconds=THERE_SECONDS,
            )
        return picked(made, Registered)

    return [
        tool(lighthouse_validate_command, ADDS),
        tool(lighthouse_pending_validations, READS),
        tool(lighthouse_answer_validation, ADDS),
        tool(lighthouse_register_expert, ADDS),
    ]
