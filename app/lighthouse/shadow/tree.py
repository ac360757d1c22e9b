"""What a tree of entries is to those who look into it, whatever it was made from."""

from collections.abc import Mapping
from typing import Protocol

from lighthouse.paths import ProjectPath
from lighthouse.shadow.entry import Entry


class Tree(Protocol):
    """A folder with all beneath it, that never changes: a version, a proposal's files, a package.

    Trees with equal `root` are equal. `mtime_ns` is what the root folder shows as its time.
    """

    @property
    def root(self) -> bytes:
        """Hash of the root folder."""
        ...

    @property
    def mtime_ns(self) -> int:
        """When it came to be, in nanoseconds since 1970."""
        ...

    def lookup(self, path: ProjectPath) -> Entry | None:
        """The entry at `path`, or None; `()` is the root folder. Links on the way are not followed."""
        ...

    def children(self, path: ProjectPath) -> Mapping[bytes, Entry]:
        """The entries of the folder at `path` by name; empty where there is no folder."""
        ...
