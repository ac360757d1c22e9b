"""What the mount itself puts beside the project: its folders, and files whose content is made or grows."""

import time
from collections.abc import Callable, Mapping
from typing import Protocol

from pyfuse3 import EntryAttributes

from lighthouse.mount.attributes import FOLDER_MODE, GENERATED_MODE, KEEP, ROOT_KEEP, Owner
from lighthouse.mount.inodes import ROOT, Inode, Inodes

CURRENT = 2
STREAMS = 3
DEBUG = 4
HISTORY = 5
SHADOWS = 6
CONTEXT = 7
PROPOSALS = 8


class Content(Protocol):
    """What a file of the mount's own holds. It may grow, and then says so by its size.

    `inode` is set to the number of its inode, when it gets one.
    """

    inode: int | None

    @property
    def size(self) -> int:
        """Bytes in it now."""
        ...

    @property
    def mtime_ns(self) -> int:
        """When it changed last."""
        ...

    def read(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes from `offset`; fewer only at the end."""
        ...


# What somebody who looks for a file finds now: the same object as long as it is the same file.
Source = Callable[[], Content]


class OwnFile(Inode):
    """One content of a file of the mount's own; the kernel asks for its size before it uses its cache."""

    __slots__ = ("_inodes", "content")

    def __init__(self, inodes: Inodes, content: Content) -> None:
        super().__init__(inodes.next())
        self.content = content
        content.inode = self.number
        self._inodes = inodes
        inodes.known[self.number] = self

    def attributes(self, owner: Owner) -> EntryAttributes:
        size, mtime_ns = self.content.size, self.content.mtime_ns
        return owner.attributes(self.number, GENERATED_MODE, size, mtime_ns, keep=0.0, keep_name=0.0)

    async def read(self, offset: int, size: int) -> bytes:
        return self.content.read(offset, size)

    def unused(self) -> None:
        self._inodes.known.pop(self.number, None)


class FixedFolder(Inode):
    """A folder whose names never change. Each leads to an inode that is always there, or to a source.

    A source that gives another content gives another inode, as captured files do: so what the kernel caches
    is never of two contents, and who has opened one reads that to its end.
    """

    __slots__ = ("_files", "_inodes", "_members", "_mtime_ns")

    def __init__(self, number: int, members: Mapping[bytes, Inode | Source], inodes: Inodes) -> None:
        super().__init__(number)
        self._members = members
        self._inodes = inodes
        self._files: dict[bytes, OwnFile] = {}
        self._mtime_ns = time.time_ns()
        inodes.known[number] = self

    def attributes(self, owner: Owner) -> EntryAttributes:
        keep = ROOT_KEEP if self.number == ROOT else KEEP
        return owner.attributes(self.number, FOLDER_MODE, 0, self._mtime_ns, keep=keep)

    async def find(self, name: bytes) -> Inode | None:
        found = self._members.get(name)
        return found if found is None or isinstance(found, Inode) else self._file(name, found)

    async def members(self) -> Mapping[bytes, Inode | Source]:
        return self._members

    async def member(self, name: bytes, known: Inode | Source) -> Inode | None:
        return await self.find(name)

    def _file(self, name: bytes, source: Source) -> OwnFile:
        content = source()
        file = self._files.get(name)
        if file is None or file.content is not content or file.number not in self._inodes.known:
            file = self._files[name] = OwnFile(self._inodes, content)
        return file
