"""`lighthouse approvals`, `approve` and `deny`: what waits for a person, and the person's answer."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lighthouse.cli.approval_shown import show_list, show_one
from lighthouse.cli.asking import ask
from lighthouse.cli.options import AsJson, Url
from lighthouse.cli.output import note, print_json, print_line
from lighthouse.cli.token import seconds

if TYPE_CHECKING:
    from lighthouse.client.answers_validations import (
        Approval,
        Remember,
        Validation,
    )
    from lighthouse.client.client import Client

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
        print_json(one) if as_json else show_one(one)
        return
    found, more = ask(url, lambda bridge: _pages(bridge, "resolved" if answered else "pending", limit))
    print_json(found) if as_json else show_list(found, answered=answered)
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
