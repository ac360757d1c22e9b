"""What differs between two versions, for listeners and for the event."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from lighthouse.paths import ProjectPath, to_json
from lighthouse.shadow.entry import FOLDER, Entry
from lighthouse.shadow.folder import Folder
from lighthouse.shadow.snapshot import Snapshot

Op = Literal["created", "modified", "deleted", "mode", "touched"]
KIND_NAMES = {"f": "file", "d": "folder", "l": "symlink"}

MAX_LISTED = 500
# An event holds at most 256 KiB; long names must not make the version impossible to record.
MAX_LISTED_BYTES = 160 * 1024


@dataclass(frozen=True, slots=True)
class TreeChange:
    """A new version has become the current one. `paths`: every entry that differs, with what happened to it.

    A created or deleted folder is followed by all beneath it. An entry that changed its kind is listed twice:
    `deleted`, then `created`. `touched`: only the modification time moved; folders are listed for that too.
    """

    seq: int
    old: Snapshot
    new: Snapshot
    paths: list[tuple[ProjectPath, Op]]


@dataclass(frozen=True, slots=True)
class Difference:
    """One entry that differs; `entry` is the new one, for `deleted` the old one."""

    path: ProjectPath
    op: Op
    entry: Entry


def differences(old: Folder, new: Folder, path: ProjectPath = ()) -> Iterator[Difference]:
    """Everything that differs between two folders; subtrees with equal hashes are not looked into."""
    if old.hash == new.hash:
        return
    for name, before in old.entries.items():
        after = new.entries.get(name)
        if after is None or after.kind != before.kind:
            yield from _all(before, old.folders.get(name), (*path, name), "deleted")
    for name, after in new.entries.items():
        here = (*path, name)
        was = old.entries.get(name)
        if was is None or was.kind != after.kind:
            yield from _all(after, new.folders.get(name), here, "created")
            continue
        if (op := _op(was, after)) is not None:
            yield Difference(here, op, after)
        if after.kind == FOLDER:
            yield from differences(old.folders[name], new.folders[name], here)


def _op(before: Entry, after: Entry) -> Op | None:
    if after.mark != before.mark or (after.kind != FOLDER and after.hash != before.hash):
        return "modified"
    if after.mode != before.mode:
        return "mode"
    return "touched" if after.mtime_ns != before.mtime_ns else None


def _all(entry: Entry, folder: Folder | None, path: ProjectPath, op: Op) -> Iterator[Difference]:
    yield Difference(path, op, entry)
    if folder is not None:
        for name, child in folder.entries.items():
            yield from _all(child, folder.folders.get(name), (*path, name), op)


def to_event(differences: list[Difference]) -> Mapping[str, Any]:
    """`{"changes": […], "truncated"?: n}`: what the event lists, bounded in number and in bytes.

    A folder whose time moved because its entries did is not listed beside them.
    """
    told = [found for found in differences if not (found.op == "touched" and found.entry.kind == FOLDER)]
    changes: list[dict[str, Any]] = []
    room = MAX_LISTED_BYTES
    for found in told[:MAX_LISTED]:
        change = _to_json(found)
        room -= len(msgspec.json.encode(change))
        if room < 0:
            break
        changes.append(change)
    left = len(told) - len(changes)
    return {"changes": changes} | ({"truncated": left} if left else {})


def _to_json(found: Difference) -> dict[str, Any]:
    entry = found.entry
    change: dict[str, Any] = {**to_json(found.path), "op": found.op, "kind": KIND_NAMES[entry.kind]}
    if found.op != "deleted" and entry.kind != FOLDER:
        change |= {"size": entry.size, "hash": entry.hex}
    if entry.mark is not None:
        change["mark"] = entry.mark
    return change
