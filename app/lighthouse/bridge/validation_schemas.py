"""The wire forms of tool calls, their verdicts, answers and remembered rules."""

from typing import Annotated, Any, Literal

import msgspec

from lighthouse.bridge.schemas import Request
from lighthouse.policy.verdict import Decision, Tier
from lighthouse.validation import Answer, Fact, Needs, Remembered, Validation
from lighthouse.validation.request import How, State

MAX_TOOL, MAX_CWD = 200, 4096

Wait = Annotated[float, msgspec.Meta(ge=0, le=600)]
Id = Annotated[str, msgspec.Meta(min_length=2, max_length=20)]


class Validate(Request):
    """A tool call as the tool's host makes it. `cwd` is the folder it is made in, as the host names it."""

    tool_name: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TOOL)]
    tool_input: dict[str, Any]
    cwd: Annotated[str, msgspec.Meta(max_length=MAX_CWD)] = ""
    wait_seconds: Wait = 0.0


class Verdict(msgspec.Struct, omit_defaults=True):
    """`escalate` means that nobody has decided yet: ask for `id` again. `latency_us` is what judging took."""

    id: str
    decision: Decision
    reason: str
    rule: str
    tier: Tier
    latency_us: int
    suggestion: str = ""


class ValidationQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    wait_seconds: Wait = 0.0


class ValidationShown(msgspec.Struct, omit_defaults=True):
    """A judged call. `decision` and `reason` are those in force, `policy_reason` is what the policies said.

    From `facts` on the fields are those of a request to experts and people.
    """

    id: str
    state: State
    decision: Decision
    reason: str
    rule: str
    tier: Tier
    tool_name: str
    tool_input: dict[str, Any]
    cwd: str
    agent_id: str
    asked_at: str
    policy_reason: str
    programs: list[str]
    facts: list[Fact]
    answers: list[Answer]
    suggestion: str = ""
    facts_left_out: int = 0
    diff: str | None = None
    context: dict[str, Any] | None = None
    needs: Needs | None = None
    quorum: int | None = None
    asked: list[str] | None = None
    expires_at: str | None = None
    experts_until: str | None = None
    resolved_at: str | None = None
    resolved_by: str | None = None
    how: How | None = None
    waited_seconds: float | None = None


class ApprovalsQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Of pending requests `answerable` leaves those that the caller may answer now, and `wait_seconds` waits
    while there is none."""

    state: Literal["pending", "resolved"] = "pending"
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 50
    cursor: Annotated[str, msgspec.Meta(min_length=1, max_length=30)] | None = None
    answerable: bool = False
    wait_seconds: Wait = 0.0


class Approvals(msgspec.Struct):
    """`next_cursor` is null on the last page."""

    approvals: list[ValidationShown]
    next_cursor: str | None


class RememberWish(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`exact` is this very call, `similar` one of the same tool that does the same kinds of things."""

    scope: Literal["exact", "similar"]
    seconds: Annotated[int, msgspec.Meta(ge=60, le=2592000)] = 86400
    whom: Literal["asker", "anyone"] = msgspec.field(default="asker", name="for")


class Approve(Request):
    id: Id
    verdict: Literal["approve", "deny"]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    remember: RememberWish | None = None


class RuleList(msgspec.Struct):
    rules: list[Remembered]


class RuleRevoke(Request):
    reason: Annotated[str, msgspec.Meta(max_length=1000)] = ""


def shown(validation: Validation) -> ValidationShown:
    """A validation as it goes over the wire."""
    resolution = validation.resolution
    asked = None if validation.expires_at is None else validation.asked
    return ValidationShown(
        id=validation.id,
        state=validation.state,
        decision=validation.decision,
        reason=validation.reason,
        rule=validation.rule,
        tier=validation.tier,
        tool_name=validation.tool_name,
        tool_input=validation.tool_input,
        cwd=validation.cwd,
        agent_id=validation.agent_id,
        asked_at=validation.asked_at,
        policy_reason=validation.policy_reason,
        programs=validation.programs,
        facts=validation.facts,
        answers=validation.answers,
        suggestion=validation.suggestion,
        facts_left_out=validation.facts_left_out,
        diff=validation.diff,
        context=validation.context,
        needs=validation.needs,
        quorum=validation.quorum,
        asked=asked,
        expires_at=validation.expires_at,
        experts_until=validation.experts_until,
        resolved_at=None if resolution is None else resolution.at,
        resolved_by=None if resolution is None else resolution.by,
        how=None if resolution is None else resolution.how,
        waited_seconds=None if resolution is None else resolution.waited_seconds,
    )
