"""Does what a plan says, in an order that works, and tells what could not be done."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from lighthouse.cli.restoring.disk import Changed, Disk
from lighthouse.cli.restoring.entries import Now, Then
from lighthouse.cli.restoring.plan import Left, Plan
from lighthouse.paths import ProjectPath

Stored = Callable[[bytes], Path]
"""Where the content of that hash lies, fetched and checked."""


def carry_out(plan: Plan, disk: Disk, stored: Stored) -> tuple[set[ProjectPath], list[Left]]:
    """The paths that are now as planned, and what was not possible. A failure does not keep the rest back."""
    done: set[ProjectPath] = set()
    failed: dict[ProjectPath, Left] = {}

    def take(path: ProjectPath, act: Callable[[], None]) -> None:
        try:
            act()
        except Changed:
            failed[path] = Left(path, "it changed meanwhile and was left alone", fault=True)
        except OSError as error:
            failed[path] = Left(path, f"the system refused ({error.strerror})", fault=True)
        else:
            done.add(path)

    # Files first, then folders from the deepest up; what is to be a file again may be a folder as yet.
    for path, now in _to_delete(plan):
        if now.kind != "folder":
            take(path, partial(disk.remove, path, now))
        elif _removed(disk, path, now):
            done.add(path)
    for step in plan.steps:
        if step.op in ("create", "replace") and step.then is not None:
            take(step.path, partial(_place, disk, step.path, step.then, step.now, stored))
    for path, then in _modes(plan):
        take(path, partial(disk.set_mode, path, then.mode, then.kind))
    return done - failed.keys(), list(failed.values())


def _to_delete(plan: Plan) -> Iterator[tuple[ProjectPath, Now]]:
    gone = [(step.path, step.now) for step in plan.steps if step.op == "delete" and step.now is not None]
    yield from (one for one in gone if one[1].kind != "folder")
    yield from (one for one in reversed(gone) if one[1].kind == "folder")


def _removed(disk: Disk, path: ProjectPath, now: Now) -> bool:
    """Whether a folder could be removed: one that still holds something, ignored files say, stays."""
    try:
        disk.remove(path, now)
    except (Changed, OSError):
        return False
    return True


def _place(disk: Disk, path: ProjectPath, then: Then, now: Now | None, stored: Stored) -> None:
    if now is not None and "folder" in (now.kind, then.kind):
        disk.remove(path, now)
        now = None
    if then.kind == "folder":
        disk.make_folder(path)
    elif then.kind == "symlink":
        disk.put(path, then, None, now)
    else:
        with stored(then.hash).open("rb") as content:
            disk.put(path, then, content, now)


def _modes(plan: Plan) -> list[tuple[ProjectPath, Then]]:
    """Modes that are to be set at the end, the deepest first: a closed folder could not be written into."""
    return [
        (step.path, step.then)
        for step in reversed(plan.steps)
        if step.then is not None and (step.op == "mode" or step.then.kind == "folder")
    ]
