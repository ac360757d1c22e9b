"""Agents at work together: collaborations of several, pair sessions of two, and what happened in them."""

import uuid
from dataclasses import replace
from typing import Annotated, Any, Literal

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from pydantic import Field
from typing_extensions import TypedDict

from lighthouse.client import answers_collaborations as answers
from lighthouse.mcp.link import Link
from lighthouse.mcp.shapes import fitting, picked
from lighthouse.mcp.tool import ADDS, READS, Seq, Wait, tool

MAX_PATCH = 16 * 1024

Proposal = Annotated[str | None, Field(description="Points to it, or to a path.")]


class Standing(TypedDict, total=False):
    id: str
    state: str
    members: list[str]
    invited: list[str]


class Pair(Standing, total=False):
    suggestion: str


class Session(TypedDict, total=False):
    id: str
    kind: str
    state: str
    topic: str
    agent_id: str
    members: list[str]
    asked: list[str]
    paths: list[str]
    suggestions: list[dict[str, Any]]
    ends_at: str
    reason: str


class Entry(TypedDict, total=False):
    seq: int
    at: str
    type: str
    agent_id: str
    data: dict[str, Any]
    patch: str
    note: dict[str, Any]
    lost: bool


class Sessions(TypedDict, total=False):
    sessions: list[Session]
    entries: list[Entry]
    more: bool


def tools(link: Link) -> list[Tool]:
    """The tools, their calls going over `link`."""

    async def lighthouse_start_collaboration(
        topic: str, agents: list[str], paths: list[str] | None = None
    ) -> Standing:
        """Ask others to work on something together."""
        async with link.bridge() as bridge:
            begun = await bridge.start_collaboration(topic, agents, paths=paths or (), idempotency_key=_key())
        return picked(begun, Standing)

    async def lighthouse_collaborate(
        id: str,
        action: Literal["join", "say", "leave", "close"],
        text: str = "",
        proposal: Proposal = None,
        path: str | None = None,
        line: int | None = None,
    ) -> Standing:
        """Take part in a session; leaving before joining declines."""
        async with link.bridge() as bridge:
            match action:
                case "join":
                    now = await bridge.join_collaboration(id)
                case "say":
                    now = await bridge.say(
                        id, text, proposal=proposal, path=path, line=line, idempotency_key=_key()
                    )
                case "leave":
                    now = await bridge.leave_collaboration(id, text)
                case "close":
                    now = await bridge.close_collaboration(id, text)
        return picked(now, Standing)

    async def lighthouse_pair(
        action: Literal["request", "accept", "decline", "suggest", "review", "complete"],
        id: str = "",
        to: Annotated[str, Field(description="To request.")] = "",
        text: Annotated[str, Field(description="Goal, suggestion, comment, summary.")] = "",
        proposal: Proposal = None,
        path: str | None = None,
        line: int | None = None,
        suggestion: str = "",
        verdict: Literal["accept", "change", "reject"] | None = None,
    ) -> Pair:
        """Two at one piece of work: what the one suggests the other reviews."""
        async with link.bridge() as bridge:
            match action:
                case "request":
                    paths = () if path is None else (path,)
                    now = await bridge.request_pair(to, text, paths=paths, idempotency_key=_key())
                case "accept":
                    now = await bridge.accept_pair(id)
                case "decline":
                    now = await bridge.decline_pair(id, text)
                case "suggest":
                    made = await bridge.suggest(
                        id, text, proposal=proposal, path=path, line=line, idempotency_key=_key()
                    )
                    return {**picked(made.collaboration, Pair), "suggestion": made.suggestion.id}
                case "review":
                    if verdict is None:
                        raise ToolError("a review has a verdict: accept, change or reject")
                    now = await bridge.review_suggestion(id, suggestion, verdict, text)
                case "complete":
                    now = await bridge.complete_pair(id, text)
        return picked(now, Pair)

    async def lighthouse_check_collaborations(
        context: Context[Any, Any],
        id: Annotated[str | None, Field(description="One; left out: where it is your turn.")] = None,
        after: Annotated[Seq, Field(description="The last entry that you have.")] = 0,
        wait_seconds: Wait = 0,
    ) -> Sessions:
        """Sessions of either kind, or what happened in one."""
        async with link.waiting(context, wait_seconds, "the others") as bridge:
            if id is None:
                page = await bridge.collaborations(awaiting=True, wait_seconds=wait_seconds)
                sessions = fitting(page.collaborations, Session)
                more = page.next_cursor is not None or len(sessions) < len(page.collaborations)
                return Sessions(sessions=sessions, more=more)
            record = await bridge.collaboration(id, after=after, wait_seconds=wait_seconds)
        entries = fitting([_bounded(entry) for entry in record.entries], Entry)
        more = record.next_cursor is not None or len(entries) < len(record.entries)
        return Sessions(sessions=[picked(record.collaboration, Session)], entries=entries, more=more)

    return [
        tool(lighthouse_start_collaboration, ADDS),
        tool(lighthouse_collaborate, ADDS),
        tool(lighthouse_pair, ADDS),
        tool(lighthouse_check_collaborations, READS),
    ]


def _key() -> str:
    # Sent again after a lost connection it is the same request.
    return f"mcp-{uuid.uuid4().hex}"


def _bounded(entry: answers.CollaborationEntry) -> answers.CollaborationEntry:
    if entry.patch is None or len(entry.patch) <= MAX_PATCH:
        return entry
    cut = f"{entry.patch[:MAX_PATCH]}\n… {len(entry.patch)} characters in all"
    return replace(entry, patch=cut)
