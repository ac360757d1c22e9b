"""The answers about tool calls: verdicts, what waits for somebody, remembered rules."""

from dataclasses import dataclass, field
from typing import Any, Literal

Decision = Literal["allow", "deny", "escalate"]
Tier = Literal["low", "medium", "high", "critical"]
Approval = Literal["approve", "deny"]
Scope = Literal["exact", "similar"]
Circle = Literal["asker", "anyone"]


@dataclass(frozen=True)
class Verdict:
    """What a tool call got. Of `escalate`, `id` finds the answer that somebody gives later."""

    id: str
    decision: Decision
    reason: str
    rule: str
    tier: Tier
    latency_us: int = 0
    suggestion: str = ""


@dataclass(frozen=True)
class ValidationAnswer:
    """What an expert or a person said to a request."""

    agent_id: str
    verdict: Approval
    reason: str
    role: str
    at: str | None = None
    speciality: str | None = None


@dataclass(frozen=True)
class ValidationNeeds:
    """Whom a request asks for."""

    languages: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    risks: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Validation:
    """A tool call with its verdict: `decided` by policy at once, `pending`, or `resolved` by somebody.

    `decision` and `reason` are those in force, `policy_reason` is what the policies said. `facts` are the
    acts of the call; `asked` the experts who were told, until `experts_until`; `quorum` how many of them have
    to approve. `how` it was resolved is person, expert, quorum or timeout.
    """

    id: str
    state: Literal["decided", "pending", "resolved"]
    decision: Decision
    reason: str
    rule: str
    tier: Tier
    tool_name: str
    tool_input: dict[str, Any]
    cwd: str
    agent_id: str
    asked_at: str
    policy_reason: str = ""
    programs: list[str] = field(default_factory=list)
    suggestion: str = ""
    facts: list[dict[str, Any]] = field(default_factory=list)
    facts_left_out: int = 0
    diff: str | None = None
    context: dict[str, Any] | None = None
    needs: ValidationNeeds | None = None
    quorum: int | None = None
    asked: list[str] = field(default_factory=list)
    answers: list[ValidationAnswer] = field(default_factory=list)
    expires_at: str | None = None
    experts_until: str | None = None
    resolved_at: str | None = None
    resolved_by: str | None = None
    how: str | None = None
    waited_seconds: float | None = None


@dataclass(frozen=True)
class ValidationPage:
    """Requests, the oldest first; `next_cursor` fetches the next page and is null on the last."""

    approvals: list[Validation]
    next_cursor: str | None = None


@dataclass(frozen=True)
class Remember:
    """Asks that an answer also counts for later calls: the same ones, or `similar` ones, for `seconds`."""

    scope: Scope
    seconds: int = 86_400
    circle: Circle = "asker"


@dataclass(frozen=True)
class RememberedRule:
    """An answer that counts for later calls, until `expires_at`; it was given to the request `from_id`.

    `agent_id` null is everybody. `what` is the call's command or input, cut where it is long.
    """

    id: str
    from_id: str
    scope: Scope
    decision: Literal["allow", "deny"]
    reason: str
    by: str
    agent_id: str | None
    tool_name: str
    what: str
    cwd: str
    tier: Tier
    created_at: str
    expires_at: str


@dataclass(frozen=True)
class RulePage:
    """Remembered rules that count, the oldest first."""

    rules: list[RememberedRule]
