"""The roles, and in one table what each of them may do."""

import enum
from typing import Literal

Permission = Literal[
    "status.read",
    "events.read",
    "events.write",
    "shadow.read",
    "session.create",
    "session.revoke_any",
    "metrics.read",
    "shadow.update",
    "snapshot.write",
    "annotation.write",
    "proposal.write",
    "context.write",
    "context.remove_any",
    "annotation.withdraw_any",
    "validation.ask",
    "validation.answer",
    "expert.register",
    "collaboration.write",
    "collaboration.any",
    "elicitation.write",
    "task.write",
    "task.cancel_any",
    "rule.write",
    "console.use",
    "lease.write",
    "lease.any",
    "message.write",
]


class Role(enum.StrEnum):
    """`agent` is a builder, `operator` a human, `admin` whoever runs the installation."""

    OBSERVER = "observer"
    AGENT = "agent"
    EXPERT = "expert"
    OPERATOR = "operator"
    ADMIN = "admin"


_READS: frozenset[Permission] = frozenset(
    ("status.read", "events.read", "shadow.read", "metrics.read", "session.create")
)
_WRITES: frozenset[Permission] = _READS | {
    "events.write",
    "shadow.update",
    "snapshot.write",
    "annotation.write",
    "proposal.write",
    "context.write",
    "validation.ask",
    "collaboration.write",
    "elicitation.write",
    "lease.write",
    "task.write",
    "message.write",
}
_JUDGES: frozenset[Permission] = _WRITES | {"validation.answer", "expert.register"}
_RULES: frozenset[Permission] = _JUDGES | {
    "session.revoke_any",
    "context.remove_any",
    "annotation.withdraw_any",
    "collaboration.any",
    "task.cancel_any",
    "rule.write",
    "console.use",
    "lease.any",
}

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.OBSERVER: _READS,
    Role.AGENT: _WRITES,
    Role.EXPERT: _JUDGES,
    Role.OPERATOR: _RULES,
    Role.ADMIN: _RULES,
}


def allows(role: Role, permission: Permission) -> bool:
    """Whether `role` may do what `permission` names."""
    return permission in PERMISSIONS[role]
