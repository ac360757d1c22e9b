"""The current tree in memory: folders that never change, so a new version shares all that stayed the same."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from lighthouse.paths import ProjectPath
from lighthouse.shadow import merkle
from lighthouse.shadow.entry import FILE, FOLDER, TOO_LARGE, UNREADABLE, Entry
from lighthouse.shadow.ignore import Rules

Stamps = Mapping[bytes, bytes]


class Totals(NamedTuple):
    """Sums over all beneath a folder; `files` counts files and links, `bytes` what readers get of files."""

    files: int = 0
    bytes: int = 0
    unreadable: int = 0
    too_large: int = 0
    skipped: int = 0


class Folder:
    """A captured folder: its entries by name, its subfolders, and what the next scan wants to know.

    `stamps`: per file name, inode and change time as its content was read, where they prove it (see `files`).
    `rules`: the ignore rules in force for its entries. `skipped`: sockets, FIFOs and devices directly in it.
    """

    __slots__ = ("entries", "folders", "hash", "rules", "skipped", "stamps", "totals")

    def __init__(
        self,
        tree_hash: bytes,
        entries: Mapping[bytes, Entry],
        folders: Mapping[bytes, "Folder"],
        *,
        rules: Rules | None = None,
        stamps: Stamps | None = None,
        skipped: frozenset[bytes] = frozenset(),
    ) -> None:
        self.hash = tree_hash
        self.entries = entries
        self.folders = folders
        self.rules = rules
        self.stamps: Stamps = stamps or {}
        self.skipped = skipped
        self.totals = self._sum()

    def _sum(self) -> Totals:
        files = size = unreadable = too_large = 0
        skipped = len(self.skipped)
        for entry in self.entries.values():
            if entry.kind != FOLDER:
                files += 1
                if entry.kind == FILE:
                    size += entry.size
            if entry.mark is not None:
                unreadable += entry.mark == UNREADABLE
                too_large += entry.mark == TOO_LARGE
        for folder in self.folders.values():
            below = folder.totals
            files += below.files
            size += below.bytes
            unreadable += below.unreadable
            too_large += below.too_large
            skipped += below.skipped
        return Totals(files, size, unreadable, too_large, skipped)

    def marked(self, path: ProjectPath = ()) -> Iterator[tuple[ProjectPath, Entry]]:
        """Every marked entry beneath, without looking into folders that hold none."""
        for entry in self.entries.values():
            if entry.mark is not None:
                yield (*path, entry.name), entry
        for name, folder in self.folders.items():
            if folder.totals.unreadable or folder.totals.too_large:
                yield from folder.marked((*path, name))

    def walk(self, path: ProjectPath = ()) -> Iterator[tuple[ProjectPath, "Folder"]]:
        """This folder and every folder beneath, with their paths."""
        yield path, self
        for name, folder in self.folders.items():
            yield from folder.walk((*path, name))


NOTHING = Folder(merkle.EMPTY_HASH, {}, {})
"""The folder before anything is captured, and what stands for a folder that cannot be read."""
