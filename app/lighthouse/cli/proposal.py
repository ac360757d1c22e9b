"""`lighthouse proposal`: writable copies of the project, what they change, and how they end."""

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from lighthouse.cli.asking import ask
from lighthouse.cli.options import AsJson, Url
from lighthouse.cli.output import note, print_json, print_line, print_table

if TYPE_CHECKING:
    from lighthouse.client.answers_proposals import Proposal, ProposalFile, ProposalStanding, ShownProposal

LETTERS = {"created": "A", "modified": "M", "deleted": "D", "renamed": "R", "mode": "M"}

Name = Annotated[str, typer.Argument(metavar="NAME", help="The proposal.")]

app = typer.Typer(help="Writable copies of the project, to be looked at and applied.", no_args_is_help=True)


@app.command()
def create(
    name: Name,
    base: Annotated[
        str | None,
        typer.Option("--base", metavar="MOMENT", help="The version to begin with [else the present]."),
    ] = None,
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help="What it is about.")] = "",
    uid: Annotated[
        int | None,
        typer.Option("--uid", metavar="N", min=0, help="The user whose edits are yours [else your own]."),
    ] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Make a proposal and print where to edit it."""
    user = os.getuid() if uid is None else uid
    made = ask(url, lambda bridge: bridge.create_proposal(name, base=base, title=title, uid=user))
    if as_json:
        print_json(made)
    else:
        print_line(made.path or f"{made.name}, on version {made.base}; this bridge has no mount")


@app.command("list")
def list_(
    everything: Annotated[bool, typer.Option("--all", "-a", help="Those that have ended too.")] = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List the open proposals."""
    found = ask(url, lambda bridge: bridge.proposals(None if everything else "open"))
    if as_json:
        print_json(found)
        return
    columns = ("name", "state", "by", "base", "behind", "entries", "title")
    print_table(columns, [_row(proposal) for proposal in found])


@app.command()
def show(name: Name, url: Url = None, as_json: AsJson = False) -> None:
    """Show a proposal and the files that it changes."""
    found = ask(url, lambda bridge: bridge.proposal(name))
    if as_json:
        print_json(found)
        return
    print_table(("", ""), _details(found))
    for file in found.files:
        print_line(_file(file))
    if found.total > len(found.files):
        note(f"and {found.total - len(found.files)} files more")


@app.command()
def diff(name: Name, url: Url = None, as_json: AsJson = False) -> None:
    """Print what a proposal changes as a patch: `lighthouse proposal diff NAME | git apply`."""
    patch = ask(url, lambda bridge: bridge.proposal_patch(name))
    if as_json:
        print_json({"name": name, "patch": patch.decode("utf-8", "backslashreplace")})
    else:
        sys.stdout.buffer.write(patch)
        sys.stdout.buffer.flush()


@app.command()
def rebase(name: Name, url: Url = None, as_json: AsJson = False) -> None:
    """Put a proposal on the present version, merged with what the project changed."""
    _tell(ask(url, lambda bridge: bridge.rebase_proposal(name)), as_json)


@app.command()
def withdraw(
    name: Name,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")] = "",
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """End a proposal that shall not be applied. Its patch is kept."""
    _tell(ask(url, lambda bridge: bridge.withdraw_proposal(name, reason)), as_json)


@app.command()
def applied(name: Name, url: Url = None, as_json: AsJson = False) -> None:
    """Mark a proposal as applied. A project that matches it is noticed without this."""
    _tell(ask(url, lambda bridge: bridge.mark_proposal_applied(name)), as_json)


def _tell(proposal: "ProposalStanding", as_json: bool) -> None:
    if as_json:
        print_json(proposal)
    elif proposal.state == "open":
        print_line(f"{proposal.name} is on version {proposal.base}")
    else:
        print_line(f"{proposal.name} is {proposal.state}")


def _maker(proposal: "Proposal") -> str:
    return proposal.agent_id or f"uid {proposal.uid}"


def _row(proposal: "Proposal") -> tuple[object, ...]:
    shown = proposal.name, proposal.state, _maker(proposal), proposal.base
    return *shown, proposal.behind, proposal.entries, proposal.title


def _details(found: "ShownProposal") -> list[tuple[str, str]]:
    proposal = found.proposal
    rows = [
        ("proposal", f"{proposal.name}, {proposal.state}"),
        ("title", proposal.title),
        ("by", f"{_maker(proposal)}, {proposal.created_at}"),
        ("base", f"version {proposal.base}, {proposal.behind} behind"),
        ("folder", proposal.path or ""),
        ("changes by user", ", ".join(f"{uid}: {count}" for uid, count in proposal.writers.items())),
        ("files", str(found.total)),
    ]
    if proposal.ended_at is not None:
        rows.append(("ended", f"{proposal.ended_at} by {proposal.ended_by} {proposal.reason or ''}".rstrip()))
    return [row for row in rows if row[1]]


def _file(file: "ProposalFile") -> str:
    old = f"{file.old_path} -> " if file.old_path is not None else ""
    modes = f"  ({file.old_mode} -> {file.mode})" if file.op == "mode" else ""
    by = f"  by uid {file.uid}" if file.uid is not None else ""
    return f"{LETTERS[file.op]} {old}{file.path}{modes}{by}"
