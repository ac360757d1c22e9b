"""/validate, /approvals, /approve and /rules: what a tool call may do, and who says so."""

from typing import TYPE_CHECKING

from lighthouse.bridge import long_poll
from lighthouse.bridge.call import Answer, Call, Route
from lighthouse.bridge.cursors import cursor, place
from lighthouse.bridge.problems import Rejected
from lighthouse.bridge.validation_schemas import (
    Approvals,
    ApprovalsQuery,
    Approve,
    RuleList,
    RuleRevoke,
    Validate,
    ValidationQuery,
    ValidationShown,
    Verdict,
    shown,
)
from lighthouse.policy import Call as ToolCall
from lighthouse.sessions import NotAllowed
from lighthouse.validation import Remember, Remembered, Validation, Validations

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge


async def validate(bridge: "Bridge", call: Call) -> Verdict:
    """The verdict on a tool call; on disk before it is answered."""
    asked: Validate = call.body
    caller = call.caller
    outcome = await validations(bridge).judge(
        ToolCall(asked.tool_name, asked.tool_input, asked.cwd, caller.agent_id, caller.role.value),
        wait_seconds=asked.wait_seconds,
    )
    bridge.metrics.verdict_seconds.observe(outcome.latency_us / 1e6)
    return Verdict(
        outcome.id,
        outcome.decision,
        outcome.reason,
        outcome.rule,
        outcome.tier,
        outcome.latency_us,
        outcome.suggestion,
    )


async def show(bridge: "Bridge", call: Call) -> ValidationShown:
    """What became of a call."""
    asked: ValidationQuery = call.query
    room = validations(bridge)
    found = await room.get(call.request.match_info["id"])

    def look() -> list[Validation]:
        return [] if found.state == "pending" else [found]

    await long_poll.found(bridge, call, asked.wait_seconds, look, lambda seconds: room.get(found.id, seconds))
    return shown(found)


async def approvals(bridge: "Bridge", call: Call) -> Approvals:
    """Requests that wait, the oldest first; or the last that ended, the latest first."""
    asked: ApprovalsQuery = call.query
    room = validations(bridge)
    # A place in the order: requests by their own number, ended ones by that of their end.
    after = place(asked.cursor)
    if asked.state == "pending":
        known = await _waiting(bridge, call, after or 0)
    elif asked.answerable or asked.wait_seconds:
        raise Rejected(422, "nothing is to be answered or waited for among what ended", "ask for pending")
    else:
        known = room.resolved()
        if after is not None:
            known = [one for one in known if one.resolution is not None and one.resolution.seq < after]
    page = known[: asked.limit]
    following = None
    if len(known) > len(page):
        last = page[-1]
        at = last.seq if asked.state == "pending" or last.resolution is None else last.resolution.seq
        following = cursor(at)
    return Approvals([shown(one) for one in page], following)


async def _waiting(bridge: "Bridge", call: Call, after: int) -> list[Validation]:
    """What waits, after waiting for it. An expert who looks is there, and as long as it waits."""
    asked: ApprovalsQuery = call.query
    room, caller = validations(bridge), call.caller

    def look() -> list[Validation]:
        if bridge.experts is not None:
            bridge.experts.heard(caller.agent_id)
        known = room.answerable(caller) if asked.answerable else room.pending()
        return [one for one in known if one.seq > after]

    return await long_poll.found(bridge, call, asked.wait_seconds, look, room.news)


async def approve(bridge: "Bridge", call: Call) -> ValidationShown:
    """An answer to a request; on disk before it is answered."""
    said: Approve = call.body
    remember = None
    if said.remember is not None:
        wish = said.remember
        remember = Remember(wish.scope, wish.seconds, wish.whom == "anyone")
    try:
        answered = await validations(bridge).answer(said.id, call.caller, said.verdict, said.reason, remember)
    except NotAllowed as error:
        bridge.audit.rejected(403, error.message, call.request.path, call.peer, call.caller.agent_id)
        raise
    return shown(answered)


async def rules(bridge: "Bridge", call: Call) -> RuleList:
    """The remembered rules in force, the oldest first."""
    return RuleList(validations(bridge).rules())


async def revoke(bridge: "Bridge", call: Call) -> Remembered:
    """End a remembered rule."""
    asked: RuleRevoke = call.body
    return await validations(bridge).revoke_rule(call.request.match_info["id"], call.caller, asked.reason)


def validations(bridge: "Bridge") -> Validations:
    """The room, once it is there."""
    if bridge.validations is None:
        raise Rejected(503, "the project is not captured yet", "try again in a moment")
    return bridge.validations


ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/validate",
        "validate",
        "Judge a tool call; where the policies leave it open, ask experts and people",
        validate,
        {200: Answer("The verdict", Verdict)},
        permission="validation.ask",
        body=Validate,
        errors=(507,),
    ),
    Route(
        "GET",
        "/validate/{id}",
        "validation",
        "What became of a judged call, after waiting for it",
        show,
        {200: Answer("The call with all that is known of it", ValidationShown)},
        permission="events.read",
        query=ValidationQuery,
        errors=(404,),
        path_parameters={"id": "the verdict's id"},
    ),
    Route(
        "GET",
        "/approvals",
        "approvals",
        "Requests that wait for an answer, or the last that ended",
        approvals,
        {200: Answer("A page of requests", Approvals)},
        permission="events.read",
        query=ApprovalsQuery,
    ),
    Route(
        "POST",
        "/approve",
        "approve",
        "Answer a request, and have the answer remembered",
        approve,
        {200: Answer("The request as it is now", ValidationShown)},
        permission="validation.answer",
        body=Approve,
        errors=(404, 409, 507),
    ),
    Route(
        "GET",
        "/rules",
        "rules",
        "The remembered rules in force, the oldest first",
        rules,
        {200: Answer("The rules", RuleList)},
        permission="events.read",
    ),
    Route(
        "POST",
        "/rules/{id}/revoke",
        "rule_revoke",
        "End a remembered rule",
        revoke,
        {200: Answer("The rule that held until now", Remembered)},
        permission="rule.write",
        body=RuleRevoke,
        body_optional=True,
        errors=(404, 507),
        path_parameters={"id": "the rule's id"},
    ),
)
