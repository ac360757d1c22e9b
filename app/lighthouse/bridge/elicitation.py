"""/elicitation: questions from agent to agent, answered in the shape that they ask for."""

from typing import TYPE_CHECKING

from lighthouse.bridge import long_poll
from lighthouse.bridge.call import Answer, Call, Route
from lighthouse.bridge.cursors import cursor, place
from lighthouse.bridge.elicitation_schemas import (
    ElicitationCreate,
    ElicitationPending,
    ElicitationRespond,
    ElicitationStatus,
    QuestionList,
)
from lighthouse.bridge.problems import Rejected
from lighthouse.elicitation import Question, Questions
from lighthouse.sessions import NotAllowed

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge


async def create(bridge: "Bridge", call: Call) -> Question:
    """Ask another agent, and wait for the answer as long as asked."""
    asked: ElicitationCreate = call.body
    room = questions(bridge)
    question = await room.ask(
        call.caller.agent_id,
        asked.to,
        asked.message,
        asked.schema,
        asked.timeout_seconds,
        asked.idempotency_key,
    )
    return await _at_its_end(bridge, call, question, asked.wait_seconds)


async def pending(bridge: "Bridge", call: Call) -> QuestionList:
    """The questions that wait for the caller, the oldest first, after waiting while there is none."""
    asked: ElicitationPending = call.query
    room, caller = questions(bridge), call.caller.agent_id
    after = place(asked.cursor) or 0

    def look() -> list[Question]:
        return [one for one in room.pending(caller) if one.seq > after]

    known = await long_poll.found(
        bridge, call, asked.wait_seconds, look, lambda seconds: room.news(caller, seconds)
    )
    page = known[: asked.limit]
    return QuestionList(page, cursor(page[-1].seq) if len(known) > len(page) else None)


async def respond(bridge: "Bridge", call: Call) -> Question:
    """Answer a question, or decline it; on disk before it is answered."""
    said: ElicitationRespond = call.body
    try:
        return await questions(bridge).answer(
            said.id, call.caller.agent_id, said.action, said.content, said.reason
        )
    except NotAllowed as error:
        bridge.audit.rejected(403, error.message, call.request.path, call.peer, call.caller.agent_id)
        raise


async def status(bridge: "Bridge", call: Call) -> Question:
    """What became of a question."""
    asked: ElicitationStatus = call.query
    question = await questions(bridge).get(call.request.match_info["id"])
    return await _at_its_end(bridge, call, question, asked.wait_seconds)


async def _at_its_end(bridge: "Bridge", call: Call, question: Question, wait_seconds: float) -> Question:
    room = questions(bridge)

    def look() -> list[Question]:
        return [] if question.state == "pending" else [question]

    await long_poll.found(bridge, call, wait_seconds, look, lambda seconds: room.get(question.id, seconds))
    return question


def questions(bridge: "Bridge") -> Questions:
    """The room; raises Rejected (503) while the bridge starts."""
    if bridge.questions is None:
        raise Rejected(503, "the questions are not known yet", "try again in a moment")
    return bridge.questions


ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/elicitation/create",
        "elicitation_create",
        "Ask another agent a question whose answer has to fit a JSON Schema, and wait for it",
        create,
        {200: Answer("The question as it is now", Question)},
        permission="elicitation.write",
        body=ElicitationCreate,
        errors=(409, 507),
    ),
    Route(
        "GET",
        "/elicitation/pending",
        "elicitation_pending",
        "The questions that wait for the caller, the oldest first",
        pending,
        {200: Answer("A page of questions", QuestionList)},
        permission="events.read",
        query=ElicitationPending,
    ),
    Route(
        "POST",
        "/elicitation/respond",
        "elicitation_respond",
        "Answer a question, or decline to",
        respond,
        {200: Answer("The question as it is now", Question)},
        permission="elicitation.write",
        body=ElicitationRespond,
        errors=(404, 409, 507),
    ),
    Route(
        "GET",
        "/elicitation/status/{id}",
        "elicitation_status",
        "What became of a question, after waiting for its end",
        status,
        {200: Answer("The question as it is now", Question)},
        permission="events.read",
        query=ElicitationStatus,
        errors=(404,),
        path_parameters={"id": "the question's id"},
    ),
)
