"""What is answered to a tool call, and what it rests on."""

from typing import Literal

import msgspec

Decision = Literal["allow", "deny", "escalate"]
Tier = Literal["low", "medium", "high", "critical"]
WEIGHT: dict[str, int] = {"allow": 0, "escalate": 1, "deny": 2}
TIERS: dict[str, int] = {"low": 0, "medium": 1, "high": 2, "critical": 3}


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """A decision with its reason, the rule that made it, and what would be safer."""

    decision: Decision
    reason: str
    rule: str
    tier: Tier
    suggestion: str = ""
