"""Who decides: one expert, two of different specialities where much is at stake, or a person alone."""

from collections.abc import Mapping, Sequence

from lighthouse.policy.verdict import TIERS, Decision, Tier
from lighthouse.sessions import Role
from lighthouse.validation.request import Answer, How

PERSONS = frozenset((Role.OPERATOR, Role.ADMIN))


def needed(tier: Tier) -> int:
    """How many experts have to approve."""
    return 2 if TIERS[tier] >= TIERS["high"] else 1


def chosen(fitting: Mapping[str, str], most: int) -> dict[str, str]:
    """The experts to ask, of those who fit (the best first, with their specialities).

    Where there are two specialities at all, two are among them: else no quorum could come together.
    """
    first = dict(list(fitting.items())[:most])
    if len(set(first.values())) == 1:
        other = next((one for one in fitting.items() if one[1] not in first.values()), None)
        if other is not None:
            first.popitem()
            first |= {other[0]: other[1]}
    return first


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
