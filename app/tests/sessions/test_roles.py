"""Who may do what, spelled out, so that a change of the table is seen here."""

import pytest

from lighthouse.sessions import Role, allows
from lighthouse.sessions.roles import PERMISSIONS

READS = {"status.read", "events.read", "shadow.read", "metrics.read", "session.create"}
WRITES = {
    "events.write",
    "shadow.update",
    "snapshot.write",
    "annotation.write",
    "proposal.write",
    "context.write",
    "validation.ask",
    "lease.write",
    "elicitation.write",
    "task.write",
    "collaboration.write",
    "message.write",
}
JUDGES = WRITES | {"validation.answer", "expert.register"}
RULES = {
    "lease.any",
    "session.revoke_any",
    "context.remove_any",
    "annotation.withdraw_any",
    "collaboration.any",
    "task.cancel_any",
    "rule.write",
    "console.use",
}


@pytest.mark.parametrize(
    ("role", "more"),
    [
        (Role.OBSERVER, set()),
        (Role.AGENT, WRITES),
        (Role.EXPERT, JUDGES),
        (Role.OPERATOR, JUDGES | RULES),
        (Role.ADMIN, JUDGES | RULES),
    ],
)
def test_what_a_role_may(role: Role, more: set[str]) -> None:
    assert PERMISSIONS[role] == READS | more


def test_an_observer_does_not_write() -> None:
    assert not allows(Role.OBSERVER, "events.write")
    assert allows(Role.AGENT, "events.write")
