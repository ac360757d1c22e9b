"""Verdicts on tool calls: asking for one, and answering what others asked."""

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from mcp.server.mcpserver.tools import Tool
from pydantic import Field

from lighthouse.client.answers_validations import Validation
from lighthouse.mcp.link import Link
from lighthouse.mcp.tool import ADDS, READS, tool

MAX_BYTES = 64 * 1024
"""Requests beyond this many bytes of JSON are left for the next call; one may be larger by itself."""

THERE_SECONDS = 300
"""A model thinks for long between two looks at what waits."""

Wait = Annotated[float, Field(ge=0, le=600, description="Wait so long for an answer.")]

# What a model has use for to ask with and to answer by.
_ASKED = ("id", "decision", "reason", "rule", "tier", "suggestion")
_SHOWN = (
    "id",
    "agent_id",
    "tool_name",
    "tool_input",
    "cwd",
    "tier",
    "reason",
    "facts",
    "facts_left_out",
    "diff",
    "context",
    "asked",
    "answers",
    "quorum",
    "expires_at",
)


def tools(link: Link) -> list[Tool]:
    """The tools, their calls going over `link`."""

    async def lighthouse_validate_command(
        command: Annotated[str, Field(description="For Bash; else '' and `input`.")] = "",
        tool: str = "Bash",
        input: dict[str, Any] | None = None,
        cwd: str | None = None,
        wait_seconds: Wait = 0,
    ) -> dict[str, Any]:
        """Whether a tool call may be made: allow, deny, or escalate. Ask again to wait on."""
        fields = {"command": command} if input is None else input
        async with link.bridge() as bridge:
            # The adapter is started where the agent's own programs are.
            where = cwd or str(Path.cwd())
            verdict = await bridge.validate(tool, fields, cwd=where, wait_seconds=wait_seconds)
        return _picked(verdict, _ASKED)

    async def lighthouse_pending_validations(
        wait_seconds: Annotated[float, Field(ge=0, le=600, description="While there is none.")] = 0,
    ) -> dict[str, Any]:
        """Others' calls that wait for an answer. As an expert keep asking: it shows that you are there."""
        async with link.bridge() as bridge:
            page = await bridge.approvals(answerable=True, wait_seconds=wait_seconds)
        return _bounded(page.approvals)

    async def lighthouse_answer_validation(
        id: str, verdict: Literal["approve", "deny"], reason: str
    ) -> dict[str, Any]:
        """Answer one, for good. If you do not understand all that it does, deny and say why."""
        async with link.bridge() as bridge:
            found = await bridge.answer_validation(id, verdict, reason)
        return _picked(found, ("id", "state", "decision", "how"))

    async def lighthouse_register_expert(
        speciality: Annotated[str, Field(description="A word, like security.")],
        languages: list[str] | None = None,
        paths: Annotated[list[str] | None, Field(description="Globs.")] = None,
        risks: Annotated[list[str] | None, Field(description="Acts or tiers.")] = None,
    ) -> dict[str, Any]:
        """Be asked about the calls that this covers; a list left out is no limit."""
        async with link.bridge() as bridge:
            made = await bridge.register_expert(
                speciality,
                languages=languages or (),
                paths=paths or (),
                risks=risks or (),
                ttl_seconds=THERE_SECONDS,
            )
        return _picked(made, ("agent_id", "speciality", "languages", "paths", "risks", "ttl_seconds"))

    return [
        tool(lighthouse_validate_command, ADDS),
        tool(lighthouse_pending_validations, READS),
        tool(lighthouse_answer_validation, ADDS),
        tool(lighthouse_register_expert, ADDS),
    ]


def _picked(answer: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """Those fields of the answer that say anything."""
    return {name: value for name in names if (value := getattr(answer, name)) not in (None, "", 0, [])}


def _bounded(waiting: list[Validation]) -> dict[str, Any]:
    shown: list[dict[str, Any]] = []
    room = MAX_BYTES
    for one in waiting:
        picked = msgspec.to_builtins(_picked(one, _SHOWN))
        room -= len(msgspec.json.encode(picked))
        if shown and room < 0:
            return {"waiting": shown, "left_out": len(waiting) - len(shown)}
        shown.append(picked)
    return {"waiting": shown}
