"""Decides what has to be done so that the files on disk are as at a moment; touches nothing.

Only what the bridge has captured as it is may be overwritten or deleted: nobody's work is lost, it can be
restored in its turn. What the bridge does not capture, ignored files above all, is left alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from lighthouse.cli.output import Progress
from lighthouse.cli.restoring.disk import Changed, Disk
from lighthouse.cli.restoring.entries import Now, Then
from lighthouse.paths import ProjectPath

Op = Literal["create", "replace", "mode", "delete"]
Versions = Mapping[ProjectPath, Then]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. `then`: what shall stand there (None: nothing); `now`: what does (None: nothing)."""

    path: ProjectPath
    op: Op
    then: Then | None
    now: Now | None


@dataclass(frozen=True, slots=True)
class Left:
    """A path that cannot be made what it was. `fault`: it should have been."""

    path: ProjectPath
    reason: str
    fault: bool


@dataclass(slots=True)
class Plan:
    """`kept` counts files that were not there then and stay, because nobody asked to delete them."""

    steps: list[Step] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    kept: int = 0


def make_plan(
    then: Versions,
    current: Versions,
    disk: Disk,
    wanted: Iterable[ProjectPath],
    *,
    delete: bool,
    show: Progress | None = None,
) -> Plan:
    """What leads from the disk to `then`, at and beneath the `wanted` paths.

    `current` is what the bridge has captured of the disk now. Raises OSError.
    """
    roots = list(wanted)
    plan = Plan()
    known = sorted(then.keys() | current.keys())
    for count, path in enumerate(known):
        if show is not None and count % 100 == 0:
            show(count, len(known))
        if not any(path[: len(root)] == root for root in roots):
            continue
        try:
            now = disk.look(path)
        except (PermissionError, Changed):
            plan.left.append(Left(path, "it cannot be read: see to its permissions", fault=True))
            continue
        if path in then:
            _bring_back(plan, path, then[path], current.get(path), now, delete=delete)
        elif now is not None:
            _take_away(plan, path, current[path], now, delete=delete)
    return plan


def _bring_back(
    plan: Plan, path: ProjectPath, then: Then, captured: Then | None, now: Now | None, *, delete: bool
) -> None:
    if then.mark is not None:
        if now is None or captured is None or captured.hash != then.hash:
            plan.left.append(Left(path, "its content was not captured at that moment", fault=False))
    elif now is None:
        plan.steps.append(Step(path, "create", then, None))
    elif (now.kind, now.hash) == (then.kind, then.hash) or now.kind == then.kind == "folder":
        if now.mode != then.mode and then.kind != "symlink":
            _if_captured(plan, Step(path, "mode", then, now), captured)
    elif now.kind == "folder" and not delete:
        plan.left.append(Left(path, "a folder is in its place: --delete takes it away", fault=True))
    else:
        _if_captured(plan, Step(path, "replace", then, now), captured)


def _take_away(plan: Plan, path: ProjectPath, captured: Then, now: Now, *, delete: bool) -> None:
    if delete:
        _if_captured(plan, Step(path, "delete", None, now), captured)
    elif now.kind != "folder":
        plan.kept += 1


def _if_captured(plan: Plan, step: Step, captured: Then | None) -> None:
    """Take the step unless it would destroy what exists nowhere else."""
    now = step.now
    if captured is None:
        plan.left.append(Left(step.path, "it is ignored at present", fault=False))
    elif step.op == "mode" or (now is not None and now.kind == captured.kind == "folder"):
        plan.steps.append(step)
    elif now is None or captured.mark is not None or (now.kind, now.hash) != (captured.kind, captured.hash):
        plan.left.append(Left(step.path, "it is not captured as it is now, and would be lost", fault=True))
    else:
        plan.steps.append(step)
