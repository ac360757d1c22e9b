"""A proposal's changes put on another version of the project, file by file, or the list of what cannot be."""

import asyncio
from collections.abc import Iterator
from typing import NamedTuple

from lighthouse.paths import ProjectPath, to_bytes
from lighthouse.proposals import edit as edits
from lighthouse.proposals.applied import same
from lighthouse.proposals.edit import Edit
from lighthouse.proposals.errors import ProposalConflict
from lighthouse.proposals.merge import merge
from lighthouse.shadow import FILE, FOLDER, Entry, Shadow
from lighthouse.shadow.diff import Change, leaves
from lighthouse.shadow.tree import Tree

# A larger file that both sides changed is told as a conflict.
MAX_MERGED = 4 * 1024 * 1024
MAX_TOLD = 20
EXECUTABLE = 0o100


class Trees(NamedTuple):
    """`base` became `mine` in the proposal and `present` in the project."""

    base: Tree
    mine: Tree
    present: Tree


class Rebase:
    """Gathers what shall lie where in `present`; `merged` gives the edits, or raises ProposalConflict."""

    def __init__(self, shadow: Shadow, trees: Trees, at_ns: int) -> None:
        self._shadow = shadow
        self._base, self._mine, self._present = trees
        self._at_ns = at_ns
        self._wanted: dict[ProjectPath, Entry | None] = {}
        self._conflicts: list[ProjectPath] = []

    async def merged(self, changes: list[Change]) -> list[Edit]:
        """The edits that make `present` hold the proposal's changes too."""
        for change in changes:
            await self._take(change)
        self._take_folders()
        self._check_places()
        if self._conflicts:
            named = [to_bytes(path).decode("utf-8", "replace") for path in sorted(set(self._conflicts))]
            more = f" and {len(named) - MAX_TOLD} more" if len(named) > MAX_TOLD else ""
            raise ProposalConflict(
                f"the project changed too: {', '.join(named[:MAX_TOLD])}{more}",
                "nothing was changed; bring these files to the project's state, or make a new proposal",
            )
        return list(self._edits())

    async def _take(self, change: Change) -> None:
        source = change.old_path or change.path
        theirs = self._present.lookup(source) if change.old is not None else None
        if change.new is None:
            if theirs is None or (theirs.kind == FOLDER):
                return
            if same(theirs, change.old):
                self._wanted[source] = None
            else:
                self._conflicts.append(source)
            return
        if change.old is None or change.old_path is not None:
            there = self._present.lookup(change.path)
            if same(there, change.new) and (change.old is None or theirs is None):
                return
            if there is not None and not self._given_up(change.path, there):
                self._conflicts.append(change.path)
                return
        if change.old is None:
            self._wanted[change.path] = change.new
            return
        result = None if theirs is None else await self._three_way(change.old, change.new, theirs)
        if result is None:
            self._conflicts.append(source)
            return
        if change.old_path is not None:
            self._wanted.setdefault(source, None)
        if change.old_path is not None or not same(result, theirs):
            self._wanted[change.path] = result

    def _given_up(self, path: ProjectPath, there: Entry) -> bool:
        """Whether what the project has at `path` is what the proposal took away from there."""
        return all(self._mine_gave_up(below, entry) for below, entry in leaves(self._present, path, there))

    def _mine_gave_up(self, path: ProjectPath, entry: Entry) -> bool:
        return same(self._base.lookup(path), entry) and not same(self._mine.lookup(path), entry)

    async def _three_way(self, old: Entry, new: Entry, theirs: Entry) -> Entry | None:
        if same(theirs, old):
            return new
        if same(theirs, new) or same(new, old):
            return theirs
        if not old.kind == new.kind == theirs.kind == FILE or old.mark or new.mark or theirs.mark:
            return None
        mode = theirs.mode
        if (new.mode ^ old.mode) & EXECUTABLE:
            mode = new.mode
        if new.hash in (old.hash, theirs.hash):
            return _with(theirs, mode, self._at_ns)
        if theirs.hash == old.hash:
            return _with(new, mode, new.mtime_ns)
        if max(old.size, new.size, theirs.size) > MAX_MERGED:
            return None
        text = await asyncio.to_thread(self._merge, old, new, theirs)
        if text is None:
            return None
        return Entry(new.name, FILE, mode, len(text), self._at_ns, await self._shadow.keep(text))

    def _merge(self, old: Entry, new: Entry, theirs: Entry) -> bytes | None:
        texts = [self._shadow.read(entry.hash, 0, entry.size) for entry in (old, new, theirs)]
        return None if any(b"\0" in text for text in texts) else merge(*texts)

    def _take_folders(self) -> None:
        """Folders are no changes of a patch, but the empty ones among them are somebody's work too."""
        for path in _folders(self._mine, self._base):
            there = self._present.lookup(path)
            if there is None:
                self._wanted[path] = self._mine.lookup(path)
            elif there.kind != FOLDER and path not in self._wanted:
                self._conflicts.append(path)
        for path in reversed(list(_folders(self._base, self._mine))):
            there = self._present.lookup(path)
            if there is None or there.kind != FOLDER or path in self._wanted:
                continue
            if all(self._wanted.get((*path, name), there) is None for name in self._present.children(path)):
                self._wanted[path] = None

    def _check_places(self) -> None:
        """Nothing can lie in what is no folder, nor take a folder's place that stays."""
        for path, entry in list(self._wanted.items()):
            if entry is None:
                continue
            for length in range(1, len(path)):
                above = self._wanted.get(path[:length], self._present.lookup(path[:length]))
                if above is not None and above.kind != FOLDER:
                    self._conflicts.append(path)

    def _edits(self) -> Iterator[Edit]:
        gone = [path for path, entry in self._wanted.items() if entry is None]
        for path in sorted(gone, key=len, reverse=True):
            there = self._present.lookup(path)
            if there is not None:
                yield edits.removed(path, there.kind, self._at_ns)
        made: set[ProjectPath] = set()
        for path, entry in sorted(self._wanted.items()):
            if entry is None:
                continue
            yield from self._ways(path, made)
            yield from self._put(path, entry, made)

    def _ways(self, path: ProjectPath, made: set[ProjectPath]) -> Iterator[Edit]:
        for length in range(1, len(path)):
            above = path[:length]
            if above not in made and (
                self._present.lookup(above) is None or self._wanted.get(above, False) is None
            ):
                made.add(above)
                yield edits.created(above, FOLDER, 0o755, None, self._at_ns, self._at_ns)

    def _put(self, path: ProjectPath, entry: Entry, made: set[ProjectPath]) -> Iterator[Edit]:
        there = self._present.lookup(path)
        content = (entry.hash, entry.size)
        if entry.kind == FOLDER:
            if path not in made:
                made.add(path)
                yield edits.created(path, FOLDER, entry.mode, None, self._at_ns, entry.mtime_ns)
        elif there is not None and there.kind == entry.kind == FILE:
            yield edits.put(path, entry.mode, content, self._at_ns, entry.mtime_ns)
        else:
            if there is not None and self._wanted.get(path) is not None and there.kind != FOLDER:
                yield edits.removed(path, there.kind, self._at_ns)
            yield edits.created(path, entry.kind, entry.mode, content, self._at_ns, entry.mtime_ns)


def _with(entry: Entry, mode: int, mtime_ns: int) -> Entry:
    return Entry(entry.name, entry.kind, mode, entry.size, mtime_ns, entry.hash, entry.mark)


def _folders(tree: Tree, other: Tree, path: ProjectPath = ()) -> Iterator[ProjectPath]:
    """The folders of `tree` that `other` has not, outer ones first; equal subtrees are not looked into."""
    there = other.children(path)
    for name, entry in tree.children(path).items():
        if entry.kind != FOLDER:
            continue
        twin = there.get(name)
        if twin is not None and twin.kind == FOLDER and twin.hash == entry.hash:
            continue
        if twin is None or twin.kind != FOLDER:
            yield (*path, name)
        yield from _folders(tree, other, (*path, name))
