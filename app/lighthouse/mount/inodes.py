"""What stands behind an inode number: the common ground of captured files, fixed folders, made text."""

import errno
from collections.abc import Mapping
from itertools import count
from typing import Any

from pyfuse3 import EntryAttributes, FUSEError

from lighthouse.mount.attributes import Owner

# Numbers below are for what the mount itself puts beside the project.
FIRST_FREE = 64
ROOT = 1


class Inode:
    """Something the kernel may know by number.

    `lookups` is the kernel's count: each answer to a look-up and each entry of a listing adds one, forget
    takes them back, and at nought `unused` is called.
    """

    __slots__ = ("lookups", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self.lookups = 0

    def attributes(self, owner: Owner) -> EntryAttributes:
        """What stat shows of it now."""
        raise NotImplementedError

    def extended(self) -> dict[bytes, bytes]:
        """Its extended attributes."""
        return {}

    def unused(self) -> None:
        """The kernel knows it no more."""

    def above(self) -> int:
        """Of a folder the number of the one that it is in."""
        return ROOT

    async def find(self, name: bytes) -> "Inode | None":
        """Of a folder what is called `name` in it. Its count is the caller's to raise, before any wait."""
        raise FUSEError(errno.ENOTDIR)

    async def members(self) -> Mapping[bytes, Any]:
        """Of a folder its names, each with what `member` wants to know of it."""
        raise FUSEError(errno.ENOTDIR)

    async def member(self, name: bytes, known: Any) -> "Inode | None":
        """Of a folder what `members` has just told of; None if it went meanwhile."""
        raise FUSEError(errno.ENOTDIR)

    async def read(self, offset: int, size: int) -> bytes:
        """Of a file up to `size` bytes, fewer only at its end."""
        raise FUSEError(errno.EINVAL)

    async def target(self) -> bytes:
        """Where a symbolic link leads."""
        raise FUSEError(errno.EINVAL)


class Inodes:
    """Every inode that the kernel may know, by number. Numbers are never used twice in a session."""

    def __init__(self) -> None:
        self.known: dict[int, Inode] = {}
        self._numbers = count(FIRST_FREE)

    def next(self) -> int:
        """A number of its own for a new inode."""
        return next(self._numbers)

    def forget(self, number: int, lookups: int) -> None:
        """The kernel takes back `lookups` counts."""
        inode = self.known.get(number)
        if inode is not None:
            inode.lookups -= lookups
            if inode.lookups <= 0:
                inode.unused()
