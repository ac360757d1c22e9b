"""`lighthouse lease` and `leases`: paths that one agent alone may change for a time."""

from typing import TYPE_CHECKING, Annotated

import typer

from lighthouse.cli.asking import ask
from lighthouse.cli.options import AsJson, Url
from lighthouse.cli.output import note, print_json, print_line, print_table, shortened
from lighthouse.cli.token import seconds

if TYPE_CHECKING:
    from lighthouse.client.answers_leases import Lease
    from lighthouse.client.client import Client

MOST_SHOWN = 80

app = typer.Typer(help="Take, renew and end leases on paths.", rich_markup_mode=None)

Id = Annotated[str, typer.Argument(metavar="ID", help="The lease, as `lighthouse leases` lists it.")]
Why = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; others read it.")]
HowLong = Annotated[str, typer.Option("--ttl", metavar="TIME", help="For how long; 10s to 1d.")]


@app.callback()
def _lease() -> None:
    """Take, renew and end leases on paths."""


@app.command("take")
def take(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Files, folders or globs, from the project's root.")
    ],
    ttl: HowLong = "15m",
    reason: Why = "",
    wait: Annotated[
        str | None,
        typer.Option("--wait", metavar="TIME", help="Wait so long, at most 10m, while others hold some."),
    ] = None,
    stays: Annotated[
        bool, typer.Option("--stays", help="Keep it to its end though nobody hears of you; for operators.")
    ] = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Take all of the paths, or none: nobody else's calls may change them."""
    length, patience = seconds(ttl), 0 if wait is None else seconds(wait)
    found = ask(
        url,
        lambda bridge: bridge.take_lease(
            paths, seconds=length, reason=reason, wait_seconds=patience, stays=stays
        ),
    )
    _told(found, as_json=as_json)


@app.command("renew")
def renew(lease_id: Id, ttl: HowLong = "15m", url: Url = None, as_json: AsJson = False) -> None:
    """Hold a lease of yours for so long from now on."""
    length = seconds(ttl)
    _told(ask(url, lambda bridge: bridge.renew_lease(lease_id, seconds=length)), as_json=as_json)


@app.command("release")
def release(lease_id: Id, reason: Why = "", url: Url = None, as_json: AsJson = False) -> None:
    """End a lease of yours, or the wait for it."""
    _told(ask(url, lambda bridge: bridge.release_lease(lease_id, reason)), as_json=as_json)


@app.command("revoke")
def revoke(lease_id: Id, reason: Why = "", url: Url = None, as_json: AsJson = False) -> None:
    """End anybody's lease, as an operator."""
    _told(ask(url, lambda bridge: bridge.revoke_lease(lease_id, reason)), as_json=as_json)


def leases(
    path: Annotated[
        str | None, typer.Argument(metavar="[PATH]", help="Only those that cover some of this.")
    ] = None,
    agent: Annotated[str | None, typer.Option("--agent", metavar="ID", help="Only this agent's.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, metavar="N", help="At most so many.")] = 100,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List the leases that are held and waited for."""
    found, more = ask(url, lambda bridge: _pages(bridge, path, agent, limit))
    if as_json:
        print_json(found)
    else:
        print_table(("id", "state", "agent", "until", "paths", "reason"), [_row(lease) for lease in found])
    if more:
        note(f"there are more than {limit}: raise --limit")


def _told(lease: "Lease", *, as_json: bool) -> None:
    if as_json:
        print_json(lease)
    else:
        until = lease.expires_at if lease.state == "held" else lease.waits_until
        ends = f" until {until}" if until and lease.state in ("held", "waiting") else ""
        print_line(f"{lease.id} is {lease.state.replace('_', ' ')}{ends}: {' '.join(lease.paths)}")


def _row(lease: "Lease") -> tuple[str, ...]:
    until = (lease.expires_at if lease.state == "held" else lease.waits_until) or ""
    paths = shortened(" ".join(lease.paths), MOST_SHOWN)
    return lease.id, lease.state, lease.agent_id, until, paths, shortened(lease.reason, MOST_SHOWN)


async def _pages(
    bridge: "Client", path: str | None, agent: str | None, most: int
) -> "tuple[list[Lease], bool]":
    found: list[Lease] = []
    cursor = None
    while len(found) < most:
        page = await bridge.leases(path, agent_id=agent, limit=min(most - len(found), 200), cursor=cursor)
        found += page.leases
        if (cursor := page.next_cursor) is None:
            break
    return found, cursor is not None
