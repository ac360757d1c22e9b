"""Trees in memory, made from a mapping, and the same files in a real folder."""

import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from lighthouse.paths import ProjectPath, to_bytes
from lighthouse.shadow import FILE, FOLDER, LINK, Entry, Kind, Snapshot, merkle
from lighthouse.shadow.entry import Mark

Leaves = Mapping[ProjectPath, tuple[Kind, int, bytes]]
"""Kind, mode and content (of a link its target) of every file and link."""


class Memory:
    """Contents and folders by hash."""

    def __init__(self) -> None:
        self.contents: dict[bytes, bytes] = {}
        self.folders: dict[bytes, Mapping[bytes, Entry]] = {}
        self.bytes_read = 0

    def tree(self, leaves: Leaves, marks: Mapping[ProjectPath, Mark] | None = None) -> Snapshot:
        """The tree of these leaves."""
        root = self._folder(dict(leaves), (), marks or {})
        return Snapshot(0, root, 0, load=self.folders.__getitem__)

    def read(self, entry: Entry, offset: int, size: int) -> bytes:
        """A piece of a content."""
        self.bytes_read += size
        return self.contents[entry.hash][offset : offset + size]

    def _folder(self, leaves: Leaves, at: ProjectPath, marks: Mapping[ProjectPath, Mark]) -> bytes:
        entries: list[Entry] = []
        below: dict[bytes, dict[ProjectPath, tuple[Kind, int, bytes]]] = {}
        for path, (kind, mode, content) in leaves.items():
            if len(path) > 1:
                below.setdefault(path[0], {})[path[1:]] = kind, mode, content
                continue
            digest = hashlib.sha256(content).digest()
            self.contents[digest] = content
            mark = marks.get((*at, *path))
            entries.append(Entry(path[0], kind, mode, len(content), 0, digest, mark))
        for name, inner in below.items():
            entries.append(Entry(name, FOLDER, 0o755, 0, 0, self._folder(inner, (*at, name), marks)))
        tree_hash, _ = merkle.encode(entries)
        self.folders[tree_hash] = {entry.name: entry for entry in sorted(entries, key=lambda one: one.name)}
        return tree_hash


def write(folder: Path, leaves: Leaves) -> None:
    """Make these files in `folder`."""
    for path, (kind, mode, content) in leaves.items():
        place = folder / os.fsdecode(to_bytes(path))
        place.parent.mkdir(parents=True, exist_ok=True)
        if kind == LINK:
            place.symlink_to(os.fsdecode(content))
        else:
            place.write_bytes(content)
            place.chmod(mode)


def found(folder: Path) -> dict[ProjectPath, tuple[Kind, bool, bytes]]:
    """Every file and link in `folder`: kind, whether it is executable, and content."""
    there: dict[ProjectPath, tuple[Kind, bool, bytes]] = {}
    for where, folders, names in os.walk(folder):
        for name in [*names, *folders]:
            place = Path(where, name)
            path = tuple(os.fsencode(part) for part in place.relative_to(folder).parts)
            mode = place.lstat().st_mode
            if stat.S_ISLNK(mode):
                there[path] = LINK, False, os.fsencode(place.readlink())
            elif stat.S_ISREG(mode):
                there[path] = FILE, bool(mode & 0o100), place.read_bytes()
    return there
