"""`lighthouse restore`: makes files what they were, as the user who calls it, after showing the changes."""

import os
import socket
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lighthouse.cli.asking import client
from lighthouse.cli.options import AsJson, Url
from lighthouse.cli.output import fail, note, print_json, print_line, progress
from lighthouse.cli.versions import MOMENT, print_patch

if TYPE_CHECKING:
    from lighthouse.cli.restoring.plan import Left, Plan
    from lighthouse.client.client import Client
    from lighthouse.paths import ProjectPath

MOST_LISTED = 500
MOST_SHOWN = 20


def restore(
    moment: Annotated[str, typer.Argument(help=f"What to go back to: {MOMENT}.")],
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="[PATH]...", help="Only these files and folders.")
    ] = None,
    project: Annotated[
        Path | None,
        typer.Option("--project", metavar="DIR", help="The project's folder [else the one you are in]."),
    ] = None,
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete what was not there then; ignored files stay.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Only show what would be done.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Make files of the project what they were at a moment. Shows the changes first, and asks."""
    import asyncio

    if as_json and not (yes or dry_run):
        raise typer.BadParameter("--json asks nothing: give --yes or --dry-run too")
    asyncio.run(
        _restore(moment, paths or [], project, url, delete=delete, dry_run=dry_run, yes=yes, as_json=as_json)
    )


async def _restore(
    moment: str,
    named: list[Path],
    given: Path | None,
    url: str | None,
    *,
    delete: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    from lighthouse.cli.restoring.carry_out import carry_out
    from lighthouse.cli.restoring.contents import Contents
    from lighthouse.cli.restoring.disk import Disk
    from lighthouse.cli.restoring.entries import by_path
    from lighthouse.cli.restoring.plan import make_plan
    from lighthouse.cli.restoring.project import beneath, find, require_known
    from lighthouse.shadow.patch import unified

    here = Path.cwd()
    async with client(url) as bridge:
        seq, entries = await bridge.tree(at=moment)
        then = by_path(entries)
        # What was saved a moment ago is captured before anything is overwritten.
        current = by_path((await bridge.tree(at=(await bridge.update_shadow()).seq))[1])
        folder = find(given, current, here)
        wanted = beneath(folder, named, here)
        require_known(wanted, then, current)
        with closing(Disk(folder)) as disk, TemporaryDirectory(prefix="lighthouse-restore-") as scratch:
            with progress("comparing") as show:
                plan = make_plan(then, current, disk, wanted, delete=delete, show=show)
            contents = Contents(Path(scratch), disk)
            with progress("fetching") as show:
                await contents.fetch(bridge, seq, plan.steps, show)
            if not as_json:
                print_patch(unified(contents.changes(plan.steps), contents.read))
                _explain(plan)
            told = Told(str(folder), moment, seq, _steps(plan), plan.kept, _left(plan.left))
            if dry_run or not plan.steps:
                _end(told, plan.left, as_json=as_json)
                return
            if not yes:
                _ask(told)
            # In the log before it is done: who restored what is known even if we are killed on the way.
            started = await _record(bridge, "restore.started", _started(told))
            done, failed = carry_out(plan, disk, contents.stored)
        for one in failed if not as_json else ():
            note(f"{_text(one.path)} was not restored: {one.reason}")
        told.done, told.left = len(done), told.left + _left(failed)
        told.after = (await bridge.update_shadow()).seq
        finished = {
            "started": started,
            "done": told.done,
            "left": told.left[:MOST_LISTED],
            "version": told.after,
        }
        await _record(bridge, "restore.finished", finished)
        _end(told, [*plan.left, *failed], as_json=as_json)


@dataclass
class Told:
    """What --json prints. `done` and `after`, the version afterwards, are null where nothing was written."""

    project: str
    moment: str
    version: int
    steps: list[dict[str, str]]
    kept: int
    left: list[dict[str, str]]
    done: int | None = None
    after: int | None = None


def _steps(plan: "Plan") -> list[dict[str, str]]:
    return [{"op": step.op, "path": _text(step.path)} for step in plan.steps]


def _left(left: "list[Left]") -> list[dict[str, str]]:
    return [{"path": _text(one.path), "reason": one.reason} for one in left]


def _explain(plan: "Plan") -> None:
    """What a patch does not show."""
    folders = [s for s in plan.steps if "folder" in (s.then and s.then.kind, s.now and s.now.kind)]
    for step in folders[:MOST_SHOWN]:
        note(f"{step.op} folder {_text(step.path)}")
    if len(folders) > MOST_SHOWN:
        note(f"and {len(folders) - MOST_SHOWN} more folders: see --json")
    for left in plan.left[:MOST_SHOWN]:
        note(f"{_text(left.path)} is left alone: {left.reason}")
    if len(plan.left) > MOST_SHOWN:
        note(f"and {len(plan.left) - MOST_SHOWN} more are left alone: see --json")
    if plan.kept:
        what = "file that was" if plan.kept == 1 else "files that were"
        note(f"{plan.kept} {what} not there then: --delete takes away what is captured")


def _ask(told: Told) -> None:
    if not sys.stdin.isatty():
        fail("nothing was restored: there is no terminal to ask on: look at --dry-run, then give --yes")
    version = (
        f"version {told.version}" if told.moment.isdigit() else f"{told.moment} (version {told.version})"
    )
    if not typer.confirm(f"Restore {len(told.steps)} paths in {told.project} to {version}?", err=True):
        fail("nothing was restored: you said no")


def _started(told: Told) -> dict[str, Any]:
    return {
        "moment": told.moment,
        "version": told.version,
        "project": told.project,
        "host": socket.gethostname(),
        "uid": os.getuid(),
        "steps": told.steps[:MOST_LISTED],
        "total": len(told.steps),
    }


async def _record(bridge: "Client", type: str, data: dict[str, Any]) -> int:
    from lighthouse.client.answers import NewEvent

    return (await bridge.store_event(NewEvent(type, data, "restore"))).seq


def _end(told: Told, left: "list[Left]", *, as_json: bool) -> None:
    faults = sum(one.fault for one in left)
    if as_json:
        print_json(told)
    elif told.done is not None:
        print_line(f"{told.done} of {len(told.steps)} paths restored to version {told.version}")
    elif not told.steps:
        print_line(f"nothing to restore: the files are as in version {told.version}")
    if faults:
        fail(f"{faults} paths could not be made what they were: see above, or --json")


def _text(path: "ProjectPath") -> str:
    return b"/".join(path).decode("utf-8", "replace")
