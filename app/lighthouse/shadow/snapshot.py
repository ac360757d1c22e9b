"""One version of the project, to look into. It never changes, and needs no files of the project."""

from collections.abc import Callable, Mapping

from lighthouse.paths import ProjectPath
from lighthouse.shadow import merkle
from lighthouse.shadow.entry import FOLDER, Entry
from lighthouse.shadow.folder import Folder

LoadTree = Callable[[bytes], Mapping[bytes, Entry]]


class Snapshot:
    """The tree at `seq`. The current one lies in memory; a past one loads its folders as they are asked for.

    `seq`: sequence number of the event that made it (0: nothing captured yet, or opened by root hash alone).
    `root`: hash of the root folder. `mtime_ns`: when it was captured; the root's entry shows it.
    """

    __slots__ = ("_folder", "_load", "mtime_ns", "root", "seq")

    def __init__(
        self, seq: int, root: bytes, mtime_ns: int, *, load: LoadTree, folder: Folder | None = None
    ) -> None:
        self.seq = seq
        self.root = root
        self.mtime_ns = mtime_ns
        self._load = load
        self._folder = folder

    def lookup(self, path: ProjectPath) -> Entry | None:
        """The entry at `path`, or None; `()` is the root folder. Links on the way are not followed."""
        if not path:
            return Entry(b"", FOLDER, 0o755, 0, self.mtime_ns, self.root)
        entries = self._entries(path[:-1])
        return None if entries is None else entries.get(path[-1])

    def children(self, path: ProjectPath) -> Mapping[bytes, Entry]:
        """The entries of the folder at `path`; empty where there is no folder. Treat it as read-only."""
        entries = self._entries(path)
        return merkle.EMPTY if entries is None else entries

    def _entries(self, path: ProjectPath) -> Mapping[bytes, Entry] | None:
        folder = self._folder
        if folder is not None:
            for name in path:
                folder = folder.folders.get(name)
                if folder is None:
                    return None
            return folder.entries
        entries = self._load(self.root)
        for name in path:
            entry = entries.get(name)
            if entry is None or entry.kind != FOLDER:
                return None
            entries = self._load(entry.hash)
        return entries

    def __repr__(self) -> str:
        return f"Snapshot(seq={self.seq}, root={self.root.hex()[:16]}…)"
