"""Rules that a person made by an answer: this very call, or calls like it, for a time."""

from typing import Any, Literal

import msgspec

from lighthouse.events import Event
from lighthouse.policy import Judgement, Verdict
from lighthouse.policy.verdict import TIERS, Decision, Tier
from lighthouse.validation.bounded import what
from lighthouse.validation.errors import BadAnswer, NoSuchRule, TooManyRules
from lighthouse.validation.facts import Fact, Kind, doubts
from lighthouse.validation.request import Validation, seconds

REMEMBERED = "validation.rule_remembered"
REVOKED = "validation.rule_revoked"
MAX_RULES = 1000
MAX_KINDS = 50
MAX_WHAT = 1000

Scope = Literal["exact", "similar"]


class Remember(msgspec.Struct, frozen=True):
    """How an answer is to be remembered."""

    scope: Scope
    seconds: float = 86400
    anyone: bool = False


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """A rule: who made it out of which request, for whom, what it decides, until when.

    `agent_id` None is everybody. `what` is the call's command or input, cut to some length. `digest` is the
    call's for an exact rule, `kinds` are the acts' for similar ones; no call of a graver tier than `tier` is
    decided by it.
    """

    id: str
    from_id: str
    scope: Scope
    decision: Decision
    reason: str
    by: str
    agent_id: str | None
    tool_name: str
    what: str
    cwd: str
    tier: Tier
    created_at: str
    expires_at: str
    digest: str
    kinds: tuple[Kind, ...] = ()

    @property
    def deadline(self) -> float:
        """When it ends, in seconds since 1970."""
        return seconds(self.expires_at)

    def verdict(self, tier: Tier) -> Verdict:
        """What it says to a call."""
        word = "allowed" if self.decision == "allow" else "denied"
        return Verdict(self.decision, f"{word} by {self.by}: {self.reason}", self.id, tier)

    def meets(self, agent_id: str, judged: Judgement, digest: str) -> bool:
        """Whether it decides on this call, which the policies escalate."""
        if self.agent_id not in (None, agent_id) or judged.facts.tool != self.tool_name:
            return False
        if TIERS[judged.verdict.tier] > TIERS[self.tier]:
            return False
        if self.scope == "exact":
            return digest == self.digest
        if judged.verdict.tier == "critical":
            return False
        kinds = doubts(judged)
        return bool(kinds) and kinds <= set(self.kinds) and not any(kind[0] == "uncertain" for kind in kinds)


class Memory:
    """The rules in force."""

    def __init__(self) -> None:
        self._rules: dict[str, Remembered] = {}

    def take(self, event: Event) -> None:
        """Take over an event that made or ended a rule."""
        told = event.value
        if event.type == REVOKED:
            self._rules.pop(told["id"], None)
            return
        told |= {"id": f"r{event.seq}", "by": event.agent_id, "created_at": event.ts}
        rule = msgspec.convert(told, Remembered)
        self._rules[rule.id] = rule

    def all(self, now: float) -> list[Remembered]:
        """Those whose time is not over, the oldest first."""
        for rule_id, rule in list(self._rules.items()):
            if rule.deadline <= now:
                del self._rules[rule_id]
        return list(self._rules.values())

    def get(self, rule_id: str, now: float) -> Remembered:
        """The rule in force of that id. Raises NoSuchRule."""
        rule = self._rules.get(rule_id)
        if rule is None or rule.deadline <= now:
            raise NoSuchRule(f"no rule {rule_id[:40]!r} is in force", "see GET /rules")
        return rule

    def find(self, agent_id: str, judged: Judgement, digest: str, now: float) -> Remembered | None:
        """The rule that decides on a call; of several a denying one."""
        found = [
            rule
            for rule in self._rules.values()
            if rule.meets(agent_id, judged, digest) and rule.deadline > now
        ]
        return min(found, key=lambda rule: rule.decision != "deny", default=None)

    def rule(
        self, validation: Validation, wish: Remember, decision: Decision, reason: str, until: str, now: float
    ) -> dict[str, Any]:
        """The data of the event that makes a rule out of an answer. Raises BadAnswer, TooManyRules."""
        if len(self.all(now)) >= MAX_RULES:
            raise TooManyRules(f"{MAX_RULES} rules are remembered", "revoke some of them")
        return {
            "from_id": validation.id,
            "scope": wish.scope,
            "decision": decision,
            "reason": reason,
            "agent_id": None if wish.anyone else validation.agent_id,
            "tool_name": validation.tool_name,
            "what": what(validation.tool_input, MAX_WHAT),
            "cwd": validation.cwd,
            "tier": validation.tier,
            "digest": validation.digest,
            "expires_at": until,
            "kinds": sorted(_similar(validation)) if wish.scope == "similar" else [],
        }


def _similar(validation: Validation) -> set[Kind]:
    """The kinds that a rule for similar calls allows. Raises BadAnswer where there can be none."""
    doubtful = [fact for fact in validation.facts if fact.decision != "allow"]
    if why := _why_not(validation, doubtful):
        raise BadAnswer(f"similar calls cannot be remembered: {why}", "remember exactly this one")
    kinds = {fact.kind for fact in doubtful}
    if len(kinds) > MAX_KINDS:
        raise BadAnswer(f"the call does more than {MAX_KINDS} kinds of things", "remember exactly this one")
    return kinds


def _why_not(validation: Validation, doubtful: list[Fact]) -> str | None:
    if validation.tier == "critical":
        return "too much is at stake"
    if validation.facts_left_out or not doubtful:
        return "not all that it does is known"
    if any(fact.action == "uncertain" for fact in doubtful):
        return "the call was not understood in full"
    return None
