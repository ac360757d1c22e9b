"""How requests look to a person: in a list, and one of them whole. What agents wrote cannot pass for ours."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lighthouse.cli.output import print_line, print_section, print_table, shortened

if TYPE_CHECKING:
    from lighthouse.client.answers_validations import Validation, ValidationAnswer

MOST_SHOWN = 80


def show_list(found: "list[Validation]", *, answered: bool) -> None:
    """A row for each."""
    now = datetime.now(UTC)
    columns = ("id", "agent", "call", "tier", "reason", "decided" if answered else "time left")
    print_table(columns, [_row(one, now) for one in found])


def _row(one: "Validation", now: datetime) -> tuple[str, ...]:
    last = _time_left(one, now) if one.state == "pending" else f"{one.decision} ({one.how})"
    call = shortened(_call(one), MOST_SHOWN)
    return one.id, one.agent_id, call, one.tier, shortened(one.reason, MOST_SHOWN), last


def show_one(found: "Validation") -> None:
    """All that whoever answers should know."""
    print_table(("", ""), [row for row in _details(found) if row[1]])
    print_section("call", _call(found))
    if found.facts:
        print_line("")
        print_table(("act", "place", "target", "decides", "rule"), [_fact(fact) for fact in found.facts])
    if found.facts_left_out:
        print_line(f"and {found.facts_left_out} acts more")
    if found.diff:
        print_section("diff", found.diff)
    if lately := _lately(found.context or {}):
        print_line("")
        print_table(("lately", "", "at"), lately)


def _details(found: "Validation") -> list[tuple[str, str]]:
    needs = found.needs
    return [
        ("request", f"{found.id}, {found.state}: {found.decision} ({found.tier})"),
        ("reason", found.reason),
        ("rule", found.rule),
        ("policy", found.policy_reason if found.policy_reason != found.reason else ""),
        ("safer", found.suggestion),
        ("by", f"{found.agent_id}, {found.asked_at}"),
        ("tool", found.tool_name),
        ("folder", found.cwd),
        ("time left", _time_left(found, datetime.now(UTC)) if found.state == "pending" else ""),
        ("needs", ", ".join([*needs.languages, *needs.risks]) if needs is not None else ""),
        ("asked", ", ".join(found.asked) or ("no expert who knows of it" if found.quorum else "")),
        ("approvals needed", f"{found.quorum} of experts, or a person's" if found.quorum else ""),
        ("no diff", (found.context or {}).get("no_diff", "")),
        *(("answer", _said(answer)) for answer in found.answers),
        ("resolved", f"{found.resolved_at} by {found.resolved_by} ({found.how})" if found.how else ""),
    ]


def _said(answer: "ValidationAnswer") -> str:
    speciality = f", {answer.speciality}" if answer.speciality else ""
    return f"{answer.verdict} by {answer.agent_id} ({answer.role}{speciality}): {answer.reason}"


def _fact(fact: dict[str, Any]) -> tuple[str, ...]:
    place = f"{fact.get('place', '')}{' (all of it)' if fact.get('recursive') else ''}"
    target = fact.get("target") or fact.get("detail") or ""
    return fact.get("action", ""), place, target, fact.get("decision", ""), fact.get("rule", "")


def _lately(context: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What happened to the files of the call, and what the asker's last calls got."""
    changes = [(one["op"], one["path"], one["at"]) for one in context.get("changes", ())]
    verdicts = [
        (one["decision"], shortened(f"{one['tool_name']}: {one['what']}", MOST_SHOWN), one["at"])
        for kind in ("verdicts", "requests")
        for one in context.get(kind, ())
    ]
    return changes + verdicts


def _call(one: "Validation") -> str:
    """What the tool would be given: a command as it is, the rest as JSON."""
    import msgspec

    if one.tool_name == "Bash" and isinstance(command := one.tool_input.get("command"), str):
        return command
    return f"{one.tool_name} {msgspec.json.encode(one.tool_input).decode()}"


def _time_left(found: "Validation", now: datetime) -> str:
    if found.expires_at is None:
        return ""
    left = int((datetime.fromisoformat(found.expires_at) - now).total_seconds())
    return f"{left // 60} min {left % 60} s" if left > 0 else "none"
