"""Who decides: one expert, two of different specialities where much is at stake, or a person alone."""

from collections.abc import Mapping, Sequence

from lighthouse.policy.verdict import TIERS, Decision, Tier
from lighthouse.sessions import Role
from lighthouse.validation.request import Answer, How

PERSONS = frozenset((Role.OPERATOR, Role.ADMIN))


def needed(tier: Tier) -> int:
    """How many experts have to approve."""
    return 2 if TIERS[tier] >= TIERS["high"] else 1


def chosen(experts: Mapping[str, str], quorum: int) -> dict[str, str]:
    """Whom to ask of experts and their specialities, the best first: of the best as many as have to approve,
    of different specialities as far as there are, and one more, for not everybody answers."""
    best_of: dict[str, str] = {}
    for expert, speciality in experts.items():
        best_of.setdefault(speciality, expert)
    needed = list(best_of.values())[:quorum]
    others = [expert for expert in experts if expert not in needed]
    return {expert: experts[expert] for expert in [*needed, *others][: quorum + 1]}


def decided(answers: Sequence[Answer], quorum: int) -> tuple[Decision, How] | None:
    """What the answers decide together, and how; None while that is open.

    A person's word is final. One expert's deny denies; approvals of one speciality count once.
    """
    for answer in answers:
        if answer.role in PERSONS:
            return ("allow" if answer.verdict == "approve" else "deny"), "person"
    if any(answer.verdict == "deny" for answer in answers):
        return "deny", "expert"
    approving = {answer.speciality for answer in answers}
    if len(approving) < quorum:
        return None
    return "allow", "quorum" if quorum > 1 else "expert"
