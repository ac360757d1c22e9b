"""`lighthouse approvals`, `approve` and `deny`: what waits for a person, and the person's answer."""

import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from lighthouse.cli.asking import ask
from lighthouse.cli.options import AsJson, Url
from lighthouse.cli.output import note, print_json, print_line, print_table, printable_lines, shortened
from lighthouse.cli.token import seconds

if TYPE_CHECKING:
    from lighthouse.client.answers_validations import (
        Approval,
        Remember,
        Validation,
        ValidationAnswer,
    )
    from lighthouse.client.client import Client

MOST_SHOWN = 80
PAGE = 100
BY_HAND = "approved at the command line"

Id = Annotated[str, typer.Argument(metavar="ID", help="The request, as `lighthouse approvals` lists it.")]


class Scope(StrEnum):
    """What a remembered answer counts for."""

    EXACT = "exact"
    SIMILAR = "similar"


class Circle(StrEnum):
    """Whose calls it counts for."""

    ASKER = "asker"
    ANYONE = "anyone"


Remembered = Annotated[
    Scope | None,
    typer.Option("--remember", help="Answer later calls alike: the same ones, or like ones."),
]
Whose = Annotated[Circle, typer.Option("--for", help="With --remember: whose calls.")]
HowLong = Annotated[
    str, typer.Option("--ttl", metavar="TIME", help="With --remember: for how long; 1m to 30d.")
]


def approvals(
    validation_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Show all of this one instead.")
    ] = None,
    answered: Annotated[
        bool, typer.Option("--answered", help="Those that were answered or ran out of time instead.")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, metavar="N", help="At most so many.")] = 100,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List the tool calls that wait for an answer, or show one with its facts."""
    if validation_id is not None:
        one = ask(url, lambda bridge: bridge.validation(validation_id))
        print_json(one) if as_json else _show(one)
        return
    found, more = ask(url, lambda bridge: _pages(bridge, "resolved" if answered else "pending", limit))
    print_json(found) if as_json else _list(found, answered=answered)
    if more:
        note(f"there are more than {limit}: raise --limit")


def approve(
    validation_id: Id,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")] = BY_HAND,
    remember: Remembered = None,
    circle: Whose = Circle.ASKER,
    ttl: HowLong = "1d",
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Allow a tool call that waits for an answer."""
    _answer(url, validation_id, "approve", reason, _remember(remember, circle, ttl), as_json=as_json)


def deny(
    validation_id: Id,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; whoever asked reads it.")],
    remember: Remembered = None,
    circle: Whose = Circle.ASKER,
    ttl: HowLong = "1d",
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Refuse a tool call that waits for an answer."""
    _answer(url, validation_id, "deny", reason, _remember(remember, circle, ttl), as_json=as_json)


def _answer(
    url: str | None,
    validation_id: str,
    verdict: "Approval",
    reason: str,
    remember: "Remember | None",
    *,
    as_json: bool,
) -> None:
    found = ask(
        url, lambda bridge: bridge.answer_validation(validation_id, verdict, reason, remember=remember)
    )
    if as_json:
        print_json(found)
    elif found.state == "pending":
        print_line(f"{found.id} waits for another approval, of another speciality")
    else:
        print_line(f"{found.id} is {'allowed' if found.decision == 'allow' else 'denied'}")


def _remember(scope: Scope | None, circle: Circle, ttl: str) -> "Remember | None":
    if scope is None:
        return None
    from lighthouse.client.answers_validations import Remember

    return Remember(scope.value, seconds(ttl), circle.value)


async def _pages(
    bridge: "Client", state: "Literal['pending', 'resolved']", most: int
) -> "tuple[list[Validation], bool]":
    found: list[Validation] = []
    cursor = None
    while len(found) < most:
        page = await bridge.approvals(state, limit=min(most - len(found), PAGE), cursor=cursor)
        found += page.approvals
        if (cursor := page.next_cursor) is None:
            break
    return found, cursor is not None


def _list(found: "list[Validation]", *, answered: bool) -> None:
    now = datetime.now(UTC)
    columns = ("id", "agent", "call", "tier", "reason", "decided" if answered else "time left")
    print_table(columns, [_row(one, now) for one in found])


def _row(one: "Validation", now: datetime) -> tuple[str, ...]:
    last = _time_left(one, now) if one.state == "pending" else f"{one.decision} ({one.how})"
    call = shortened(_call(one), MOST_SHOWN)
    return one.id, one.agent_id, call, one.tier, shortened(one.reason, MOST_SHOWN), last


def _show(found: "Validation") -> None:
    print_table(("", ""), [row for row in _details(found) if row[1]])
    _section("call", _call(found))
    if found.facts:
        print_line("")
        print_table(("act", "place", "target", "decides", "rule"), [_fact(fact) for fact in found.facts])
    if found.facts_left_out:
        print_line(f"and {found.facts_left_out} acts more")
    if found.diff:
        _section("diff", found.diff)


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
        ("asked", ", ".join(found.asked)),
        ("approvals needed", f"{found.quorum} of experts, or a person's" if found.quorum else ""),
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


def _call(one: "Validation") -> str:
    """What the tool would be given: a command as it is, the rest as JSON."""
    import msgspec

    if one.tool_name == "Bash" and isinstance(command := one.tool_input.get("command"), str):
        return command
    return f"{one.tool_name} {msgspec.json.encode(one.tool_input).decode()}"


def _section(title: str, text: str) -> None:
    """Lines of whoever asked, each behind a bar, so that none can pass for ours."""
    print_line("")
    print_line(f"{title}:")
    for line in text.split("\n"):
        sys.stdout.write(f"  | {printable_lines(line)}\n")


def _time_left(found: "Validation", now: datetime) -> str:
    if found.expires_at is None:
        return ""
    left = int((datetime.fromisoformat(found.expires_at) - now).total_seconds())
    return f"{left // 60} min {left % 60} s" if left > 0 else "none"
