"""The notes as a tree of generated files: `PATH.annotations.json` for each file on which notes stand."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping

import msgspec

from lighthouse.annotations.standings import Placed
from lighthouse.annotations.told import told
from lighthouse.paths import MAX_NAME, ProjectPath, to_json
from lighthouse.shadow import FILE, FOLDER, Entry, merkle
from lighthouse.shadow.tree import Tree

SUFFIX = b".annotations.json"
_KEPT_BYTES = 16 * 1024 * 1024


class Notes:
    """A tree of files with notes; it never changes."""

    def __init__(self, mtime_ns: int, folders: Mapping[ProjectPath, Mapping[bytes, Entry]]) -> None:
        self.mtime_ns = mtime_ns
        self._folders = folders
        self.root = merkle.encode(self.children(()).values())[0]

    def lookup(self, path: ProjectPath) -> Entry | None:
        """The entry at `path`, or None."""
        if not path:
            return Entry(b"", FOLDER, 0o755, 0, self.mtime_ns, self.root)
        return self.children(path[:-1]).get(path[-1])

    def children(self, path: ProjectPath) -> Mapping[bytes, Entry]:
        """The entries of the folder at `path`."""
        return self._folders.get(path, merkle.EMPTY)


class NotesView:
    """The present tree of notes and its contents, for the mount's `shadows/`."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Tree], None]] = []
        self._tree = Notes(0, {})
        self._contents: dict[bytes, bytes] = {}
        # Contents of trees before: who opened a file may still read it.
        self._former: OrderedDict[bytes, bytes] = OrderedDict()

    @property
    def tree(self) -> Tree:
        """The tree as it is now."""
        return self._tree

    def add_listener(self, callback: Callable[[Tree], None]) -> None:
        """Call `callback` on the event loop with each new tree, once it is the present one."""
        self._listeners.append(callback)

    def read_cached(self, content: bytes, offset: int, size: int) -> bytes | None:
        """Up to `size` bytes of a content of this view; None for one of something else."""
        data = self._contents.get(content)
        if data is None:
            data = self._former.get(content)
        return None if data is None else data[offset : offset + size]

    def show(self, built: "tuple[Notes, dict[bytes, bytes]]") -> None:
        """Make what `build` made the present tree; on the event loop."""
        tree, contents = built
        if tree.root == self._tree.root:
            return
        for digest, data in self._contents.items():
            if digest not in contents:
                self._former[digest] = data
        while sum(map(len, self._former.values())) > _KEPT_BYTES:
            self._former.popitem(last=False)
        self._tree, self._contents = tree, contents
        for listener in self._listeners:
            listener(tree)

    def build(self, placed: Iterable[Placed], mtime_ns: int) -> "tuple[Notes, dict[bytes, bytes]]":
        """The tree of these notes and its contents; what is unchanged keeps its time. On any thread."""
        by_path: dict[ProjectPath, list[Placed]] = {}
        for one in placed:
            by_path.setdefault(one.standing.path, []).append(one)
        folders: dict[ProjectPath, dict[bytes, Entry]] = {(): {}}
        for path in by_path:
            for depth in range(len(path)):
                folders.setdefault(path[:depth], {})
        contents: dict[bytes, bytes] = {}
        for path, notes in sorted(by_path.items()):
            data = _content(path, notes)
            name = _name(path, folders)
            digest = hashlib.sha256(data).digest()
            contents[digest] = data
            before = self._tree.lookup((*path[:-1], name))
            when = mtime_ns if before is None else before.mtime_ns
            if before is not None and before.hash != digest:
                when = time.time_ns()
            folders[path[:-1]][name] = Entry(name, FILE, 0o644, len(data), when, digest)
        for path in sorted(folders, key=len, reverse=True):
            if path:
                entries = folders[path]
                when = max(entry.mtime_ns for entry in entries.values())
                digest = merkle.encode(entries.values())[0]
                folders[path[:-1]][path[-1]] = Entry(path[-1], FOLDER, 0o755, 0, when, digest)
        top = max((entry.mtime_ns for entry in folders[()].values()), default=mtime_ns)
        return Notes(top, folders), contents


def _content(path: ProjectPath, notes: list[Placed]) -> bytes:
    notes.sort(key=lambda one: (one.standing.lines or (0, 0), one.note.seq))
    value = {**to_json(path), "annotations": [told(one) for one in notes]}
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def _name(path: ProjectPath, folders: Mapping[ProjectPath, Mapping[bytes, Entry]]) -> bytes:
    """The file's name; cut where it would be longer than a name may be, `~` where a folder has it already."""
    name = path[-1]
    if len(name) + len(SUFFIX) > MAX_NAME:
        name = name[:180] + b"~" + hashlib.sha256(name).hexdigest()[:16].encode()
    name += SUFFIX
    while (*path[:-1], name) in folders or name in folders[path[:-1]]:
        name += b"~"
    return name
