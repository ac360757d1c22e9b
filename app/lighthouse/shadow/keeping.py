"""Puts contents and trees of others than the scan into the content store: proposals, packages, notes."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from lighthouse.paths import BadPath, ProjectPath, to_bytes
from lighthouse.shadow import files, merkle
from lighthouse.shadow.contents import ContentStore
from lighthouse.shadow.entry import FOLDER, Entry, Kind

Leaf = tuple[Kind, int, bytes, int, int]
"""`(kind, mode, hash, size, mtime_ns)` of an entry; of a folder, hash and size are not looked at."""

FOLDER_MODE = 0o755


class _Growing:
    """A folder while its tree is put together."""

    __slots__ = ("entries", "folders", "leaf")

    def __init__(self) -> None:
        self.leaf: Leaf | None = None
        self.entries: list[Entry] = []
        self.folders: dict[bytes, _Growing] = {}


def keep_file(store: ContentStore, path: Path) -> tuple[bytes, int]:
    """Hash and size of the regular file at `path`, its content stored; a link is not followed.

    Raises OSError, also for a file that does not stop changing.
    """
    fd = os.open(path, files.FLAGS)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(f"{path} is no regular file")
        found = files.read_whole(fd, store)
    finally:
        os.close(fd)
    if found is None:
        raise OSError(f"{path} does not stop changing")
    return found


def keep_tree(store: ContentStore, entries: Mapping[ProjectPath, Leaf]) -> bytes:
    """The root hash of the tree of all `entries`, whose contents are stored already.

    Folders on the way that are not named themselves have mode 0755 and the latest time beneath them.
    Raises BadPath where a path leads through what is no folder.
    """
    root = _Growing()
    for path, leaf in entries.items():
        if not path:
            raise BadPath("the root is no entry of its own tree", "name what is beneath it")
        folder = root
        for name in path[:-1] if leaf[0] != FOLDER else path:
            folder = folder.folders.setdefault(name, _Growing())
        if leaf[0] == FOLDER:
            folder.leaf = leaf
        else:
            kind, mode, digest, size, mtime_ns = leaf
            folder.entries.append(Entry(path[-1], kind, mode, size, mtime_ns, digest))
    return _finish(store, root, ())[0]


def _finish(store: ContentStore, folder: _Growing, path: ProjectPath) -> tuple[bytes, int]:
    """Store the folder and all beneath; its hash, and the latest time in it."""
    taken = {entry.name for entry in folder.entries}
    for name, below in folder.folders.items():
        if name in taken:
            raise BadPath(
                f"{to_bytes((*path, name)).decode('utf-8', 'replace')} is a file and a folder",
                "name it as one of them",
            )
        tree_hash, latest = _finish(store, below, (*path, name))
        mode, mtime_ns = (FOLDER_MODE, latest) if below.leaf is None else (below.leaf[1], below.leaf[4])
        folder.entries.append(Entry(name, FOLDER, mode, 0, mtime_ns, tree_hash))
    tree_hash, packed = merkle.encode(folder.entries)
    store.add_tree(tree_hash, packed)
    return tree_hash, max((entry.mtime_ns for entry in folder.entries), default=0)
