"""Who may answer a request, and what an answer does to it."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from lighthouse.events import Draft
from lighthouse.events.event import timestamp
from lighthouse.policy.verdict import Decision, Verdict
from lighthouse.sessions import Identity, NotAllowed, Permission, allows
from lighthouse.validation import quorum
from lighthouse.validation.errors import AlreadyAnswered, AlreadyResolved, BadAnswer
from lighthouse.validation.facts import Needs
from lighthouse.validation.journal import draft
from lighthouse.validation.remembered import REMEMBERED, Memory, Remember
from lighthouse.validation.request import ANSWERED, RESOLVED, Answer, How, Validation, Word, seconds

MAX_REASON = 1000


def check_reason(reason: str) -> None:
    """Raise BadAnswer where nothing is said, or too much."""
    if not 1 <= len(reason) <= MAX_REASON:
        raise BadAnswer("an answer has a reason", f"say why, in 1 to {MAX_REASON} characters")


def check_role(by: Identity, permission: Permission) -> None:
    """Raise NotAllowed unless the role may."""
    if not allows(by.role, permission):
        raise NotAllowed(f"the role {by.role} lacks {permission}", "ask with a token that may")


def check_answer(validation: Validation, by: Identity, now: float) -> None:
    """Raise unless this one may answer at all now."""
    check_role(by, "validation.answer")
    if by.agent_id == validation.agent_id:
        raise NotAllowed("whoever asks may not answer", "let somebody else decide")
    if validation.resolution is not None or now >= validation.deadline:
        raise over(validation)
    if any(answer.agent_id == by.agent_id for answer in validation.answers):
        raise AlreadyAnswered(f"you answered {validation.id} already", "the first answer counts")


def speciality(validation: Validation, by: Identity, known: str | None, now: float) -> str:
    """What an expert answers as. Raises where its answer does not count.

    `known` is what it knows, where it could be asked now.
    """
    known = known or validation.specialities.get(by.agent_id)
    if known is None:
        raise NotAllowed(
            f"you are no expert for {validation.id}",
            f"register with POST /expert/register for what it needs ({_told(validation.needs)})",
        )
    if now >= validation.experts_deadline:
        raise AlreadyResolved(f"the experts' time for {validation.id} is over", "a person decides now")
    return known


def drafts(
    validation: Validation,
    by: Identity,
    answer: Answer,
    denied: Verdict | None,
    memory: Memory,
    remember: Remember | None,
    now: float,
) -> list[Draft]:
    """All that the answer does, to be stored together. Raises NotAllowed, BadAnswer, TooManyRules.

    `denied` is what stands against the call now, whoever approves it.
    """
    said: dict[str, Any] = {
        "id": validation.id,
        "verdict": answer.verdict,
        "reason": answer.reason,
        "role": answer.role,
    }
    if answer.speciality is not None:
        said["speciality"] = answer.speciality
    found = [draft(ANSWERED, said), *ending(validation, by, [*validation.answers, answer], denied)]
    if remember is not None:
        # Whoever may write rules decides alone.
        check_role(by, "rule.write")
        decision: Decision = "allow" if answer.verdict == "approve" else "deny"
        until = moment(now + remember.seconds)
        data = memory.rule(validation, remember, decision, answer.reason, until, now)
        found.append(draft(REMEMBERED, data))
    return found


def ending(
    validation: Validation, by: Identity, answers: Sequence[Answer], denied: Verdict | None = None
) -> list[Draft]:
    """The event that ends the request, where the answers, of which `by` gave the last, decide it."""
    decided = quorum.decided(answers, validation.quorum or 1)
    if decided is None:
        return []
    decision, how = decided
    if decision == "allow" and denied is not None:
        told = f"{by.agent_id} approved, but {denied.reason}"
        draft = resolving(validation, "deny", told, "lease", len(answers))
        draft.data.update(rule=denied.rule, suggestion=denied.suggestion)
        return [draft]
    told = f"{by.agent_id} {'approved' if decision == 'allow' else 'denied'}: {answers[-1].reason}"
    return [resolving(validation, decision, told, how, len(answers))]


def answered(by: Identity, verdict: Word, reason: str, known: str | None) -> Answer:
    """An answer that is about to be stored."""
    return Answer(by.agent_id, verdict, reason, by.role.value, "", known)


def resolving(validation: Validation, decision: Decision, reason: str, how: How, answers: int) -> Draft:
    """The event that ends a request."""
    data = {
        "id": validation.id,
        "decision": decision,
        "reason": reason,
        "how": how,
        "answers": answers,
        "waited_seconds": round(max(0.0, time.time() - seconds(validation.asked_at)), 3),
    }
    return draft(RESOLVED, data)


def over(validation: Validation) -> AlreadyResolved:
    """Why nothing can be answered any more."""
    if validation.state == "pending":
        return AlreadyResolved(f"the time for {validation.id} is over", "nothing can be answered any more")
    return AlreadyResolved(
        f"{validation.id} is decided already: {validation.decision}", "see GET /validate/{id} for how"
    )


def moment(at: float) -> str:
    """Seconds since 1970 as RFC 3339."""
    return timestamp(datetime.fromtimestamp(at, UTC))


def _told(needs: Needs | None) -> str:
    if needs is None:
        return "anything"
    told = [
        f"{name} {', '.join(words)}"
        for name, words in (("languages", needs.languages), ("risks", needs.risks))
        if words
    ]
    return "; ".join(told) or "anything"
