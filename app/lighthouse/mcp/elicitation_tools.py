"""Typed questions between agents, under the names that agents know; and the way to the client's person."""

import uuid
from typing import Annotated, Any, Literal

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp_types import InputRequiredResult
from pydantic import Field
from typing_extensions import TypedDict

from lighthouse.client import answers_elicitation as answers
from lighthouse.client.errors import BridgeAway
from lighthouse.mcp import person
from lighthouse.mcp.link import Link
from lighthouse.mcp.shapes import Page, paged, picked
from lighthouse.mcp.tool import ADDS, READS, Json, Wait, tool


class Question(TypedDict, total=False):
    id: str
    state: str
    agent_id: str
    to: str
    message: str
    schema: dict[str, Any]
    expires_at: str
    content: Json
    reason: str


class Questions(TypedDict, total=False):
    questions: list[Question]
    next_cursor: str


class Answered(TypedDict, total=False):
    id: str
    state: str
    content: Json
    reason: str


def tools(link: Link) -> list[Tool]:
    """The tools, their calls going over `link`."""

    async def lighthouse_elicit_information(
        context: Context[Any, Any],
        to: Annotated[str, Field(description="An agent.")],
        message: str,
        schema: Annotated[dict[str, Any], Field(description="JSON Schema that the answer has to fit.")],
        timeout_seconds: Annotated[int, Field(ge=1, le=86400)] = 300,
        wait_seconds: Wait = 30,
    ) -> Answered:
        """Ask another agent; while it is pending, lighthouse_check_elicitations waits on."""
        async with link.waiting(context, wait_seconds, f"the answer of {to}") as bridge:
            asked = await bridge.ask_question(
                to,
                message,
                schema,
                timeout_seconds=timeout_seconds,
                # Sent again after a lost connection it is the same question.
                idempotency_key=f"mcp-{uuid.uuid4().hex}",
            )
            if wait_seconds == 0:
                return _answered(asked)
            try:
                return _answered(await bridge.question(asked.id, wait_seconds=wait_seconds))
            except BridgeAway as away:
                raise ToolError(f"{asked.id} is asked, but {away}") from away

    async def lighthouse_check_elicitations(
        context: Context[Any, Any],
        id: Annotated[str | None, Field(description="One; left out: those that wait for you.")] = None,
        wait_seconds: Wait = 0,
        cursor: str | None = None,
    ) -> Questions:
        """Questions to you, or what became of one."""
        what = "a question" if id is None else "its answer"
        async with link.waiting(context, wait_seconds, what) as bridge:
            if id is not None:
                one = await bridge.question(id, wait_seconds=wait_seconds)
                return {"questions": [{**picked(one, Question), **_answered(one)}]}

            async def fetch(limit: int) -> Page:
                page = await bridge.questions(limit=limit, cursor=cursor, wait_seconds=wait_seconds)
                return page.questions, page.next_cursor

            shown, following = await paged(fetch, Question)
        return Questions(questions=shown, **following)

    async def lighthouse_respond_to_elicitation(
        context: Context[Any, Any],
        id: str,
        action: Literal["accept", "decline", "ask_person"],
        content: Json = None,
        reason: str = "",
    ) -> Answered | InputRequiredResult:
        """Answer a question to you, decline it, or put it to the person at this client."""
        async with link.bridge() as bridge:
            if action == "accept":
                return _answered(await bridge.respond(id, content))
            if action == "decline":
                return _answered(await bridge.decline(id, reason))
            question = await bridge.question(id)
            if question.state != "pending":
                return _answered(question)
            own = await bridge.validate_session()
            if question.to != own.agent_id:
                raise ToolError(f"{id} is for {question.to}: no person here is to be asked")
            said = await person.ask(context, f"{question.agent_id} asks: {question.message}", question.schema)
            if isinstance(said, InputRequiredResult):
                return said
            if said.action == "accept":
                found = person.answer(question.schema, said.content)
                return _answered(await bridge.respond(id, found))
            if said.action == "decline":
                return _answered(await bridge.decline(id, reason or "the person declined"))
            raise ToolError(f"the person said nothing; {id} still waits for an answer")

    return [
        tool(lighthouse_elicit_information, ADDS),
        tool(lighthouse_check_elicitations, READS),
        tool(lighthouse_respond_to_elicitation, ADDS),
    ]


def _answered(question: answers.Question) -> Answered:
    # Also an answer that is false, nothing or empty is one.
    return picked(question, Answered, *["content"] * (question.state == "accepted"))
