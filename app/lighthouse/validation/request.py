"""A tool call that was judged: decided at once, or a request that waits for somebody's answer."""

from datetime import datetime
from typing import Any, Literal, get_args

import msgspec

from lighthouse.events import Event
from lighthouse.leases import Touch
from lighthouse.policy.verdict import Decision, Tier
from lighthouse.validation.facts import Fact, Needs

State = Literal["decided", "pending", "resolved"]
Word = Literal["approve", "deny"]
How = Literal["person", "expert", "quorum", "timeout", "lease"]
HOWS: tuple[How, ...] = get_args(How)


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What somebody said to a request. `speciality` is an expert's."""

    agent_id: str
    verdict: Word
    reason: str
    role: str
    at: str
    speciality: str | None = None


class Resolution(msgspec.Struct, frozen=True):
    """How a request ended: by whom, when, and why."""

    seq: int
    by: str
    at: str
    decision: Decision
    reason: str
    how: How
    waited_seconds: float


class Outcome(msgspec.Struct, frozen=True):
    """What is answered to a tool call. `latency_us` is what the judging took."""

    id: str
    decision: Decision
    reason: str
    rule: str
    tier: Tier
    suggestion: str
    latency_us: int
    state: State


class Validation(msgspec.Struct, kw_only=True):
    """A judged call with all that is known of it. Only this room changes it.

    `decision` and `reason` are those in force now, `policy_reason` is what the policies said. Times are
    RFC 3339. Without `expires_at` it was decided at once.
    """

    id: str
    seq: int
    agent_id: str
    asked_at: str
    tool_name: str
    tool_input: dict[str, Any]
    cwd: str
    decision: Decision
    reason: str
    policy_reason: str
    rule: str
    tier: Tier
    suggestion: str = ""
    policy: str = ""
    by: Literal["policy", "rule", "lease"] = "policy"
    latency_us: int = 0
    programs: list[str] = []
    facts: list[Fact] = []
    facts_left_out: int = 0
    needs: Needs | None = None
    touches: list[Touch] = []
    diff: str | None = None
    context: dict[str, Any] | None = None
    expires_at: str | None = None
    experts_until: str | None = None
    asked: list[str] = []
    specialities: dict[str, str] = {}
    quorum: int | None = None
    digest: str = ""
    answers: list[Answer] = []
    resolution: Resolution | None = None

    @property
    def state(self) -> State:
        """Decided at once, waiting, or answered."""
        if self.expires_at is None:
            return "decided"
        return "pending" if self.resolution is None else "resolved"

    @property
    def deadline(self) -> float:
        """When a person's time ends, in seconds since 1970."""
        return seconds(self.expires_at) if self.expires_at is not None else 0.0

    @property
    def experts_deadline(self) -> float:
        """When the experts' time ends."""
        return seconds(self.experts_until) if self.experts_until is not None else 0.0

    def outcome(self) -> Outcome:
        """The answer to the call as it stands."""
        return Outcome(
            self.id,
            self.decision,
            self.reason,
            self.rule,
            self.tier,
            self.suggestion,
            self.latency_us,
            self.state,
        )

    def take(self, event: Event) -> None:
        """Take over a later event about this request. After the first that resolves it nothing counts."""
        if self.resolution is not None:
            return
        told = event.value
        if event.type == ANSWERED:
            self.answers.append(
                Answer(
                    event.agent_id,
                    told["verdict"],
                    told["reason"],
                    told["role"],
                    event.ts,
                    told.get("speciality"),
                )
            )
        elif event.type == HANDED_ON:
            self.asked += [one for one in told["asked"] if one not in self.asked]
            self.specialities |= told["specialities"]
        elif event.type == RESOLVED:
            self.resolution = Resolution(
                event.seq,
                event.agent_id,
                event.ts,
                told["decision"],
                told["reason"],
                told["how"],
                told["waited_seconds"],
            )
            self.decision, self.reason = self.resolution.decision, self.resolution.reason
            # What stands against it in spite of an approval has a name of its own.
            self.rule = told.get("rule", self.rule)
            self.suggestion = told.get("suggestion", self.suggestion)


STREAM = "validations"
VERDICTS = "verdicts"
REQUESTED = "validation.requested"
ANSWERED = "validation.answered"
RESOLVED = "validation.resolved"
HANDED_ON = "validation.handed_on"
REREAD = "validation.reread"


def from_event(event: Event) -> Validation:
    """The validation that a `verdict.*` or a `validation.requested` event began."""
    told = event.value
    return msgspec.convert(
        told
        | {
            "id": f"v{event.seq}",
            "seq": event.seq,
            "agent_id": event.agent_id,
            "asked_at": event.ts,
            "policy_reason": told["reason"],
        },
        Validation,
    )


def seconds(moment: str) -> float:
    """An RFC 3339 time in seconds since 1970."""
    return datetime.fromisoformat(moment).timestamp()
