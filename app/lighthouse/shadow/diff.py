"""What differs between two trees, file by file, as git tells it: what was moved is one change and not two."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from lighthouse.paths import ProjectPath
from lighthouse.shadow.entry import FOLDER, Entry
from lighthouse.shadow.renames import Read, pair
from lighthouse.shadow.tree import Tree

ChangeOp = Literal["created", "modified", "deleted", "renamed", "mode"]


@dataclass(frozen=True, slots=True)
class Change:
    """One file or link that differs; `old` and `new` are its entries, None where there was or is none.

    `modified`: the content, perhaps the mode too. `renamed`: from `old_path`; `similarity` (per cent) is
    below 100 where it changed on the way. `mode`: nothing but permission bits. What changed its kind is
    listed twice, `deleted` and then `created`. Folders and times are not told.
    """

    path: ProjectPath
    op: ChangeOp
    old: Entry | None
    new: Entry | None
    old_path: ProjectPath | None = None
    similarity: int = 100


def changes(old: Tree, new: Tree, read: Read | None = None, *, under: ProjectPath = ()) -> list[Change]:
    """Everything that differs at and beneath `under`, in the order of the paths.

    Files of equal content are taken as renamed, and with `read` similar ones too, as far as `renames` looks.
    Raises ContentMissing where a tree is not whole.
    """
    if old.root == new.root and old.root:
        return []
    found = list(_compared(old, new, under, old.lookup(under), new.lookup(under)))
    gone = {one.path: one.old for one in found if one.op == "deleted" and one.old is not None}
    come = {one.path: one.new for one in found if one.op == "created" and one.new is not None}
    for path in gone.keys() & come.keys():
        del gone[path], come[path]
    moved = {pairing.new_path: pairing for pairing in pair(gone, come, read)}
    left = {pairing.old_path for pairing in moved.values()}
    listed = [one for one in found if not (one.op == "deleted" and one.path in left)]
    for place, change in enumerate(listed):
        if change.op == "created" and (pairing := moved.get(change.path)) is not None:
            before = gone[pairing.old_path]
            listed[place] = Change(
                change.path, "renamed", before, change.new, pairing.old_path, pairing.similarity
            )
    listed.sort(key=lambda change: change.path)
    return listed


def _compared(
    old: Tree, new: Tree, path: ProjectPath, before: Entry | None, after: Entry | None
) -> Iterator[Change]:
    if before is not None and after is not None and before.kind == after.kind:
        if before.kind == FOLDER:
            yield from _folders(old, new, path, before, after)
        elif before.hash != after.hash or before.mark != after.mark:
            yield Change(path, "modified", before, after)
        elif before.mode != after.mode:
            yield Change(path, "mode", before, after)
        return
    if before is not None:
        yield from (Change(place, "deleted", entry, None) for place, entry in leaves(old, path, before))
    if after is not None:
        yield from (Change(place, "created", None, entry) for place, entry in leaves(new, path, after))


def _folders(old: Tree, new: Tree, path: ProjectPath, before: Entry, after: Entry) -> Iterator[Change]:
    if before.hash == after.hash and before.hash:
        return
    were, are = old.children(path), new.children(path)
    for name in sorted(were.keys() | are.keys()):
        yield from _compared(old, new, (*path, name), were.get(name), are.get(name))


def leaves(tree: Tree, path: ProjectPath, entry: Entry) -> Iterator[tuple[ProjectPath, Entry]]:
    """The files and links at and beneath `path`."""
    if entry.kind != FOLDER:
        yield path, entry
        return
    for name, below in sorted(tree.children(path).items()):
        yield from leaves(tree, (*path, name), below)
