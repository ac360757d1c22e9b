"""The answers to the kernel: the tree of the mount, read-only."""

import errno
import functools
import logging
import os
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar

import pyfuse3
from pyfuse3 import (
    EntryAttributes,
    FileHandleT,
    FileInfo,
    FileNameT,
    FlagT,
    FUSEError,
    InodeT,
    ReaddirToken,
    RequestContext,
    StatvfsData,
    XAttrNameT,
)

from lighthouse.mount.attributes import FOLDER_MODE, Owner
from lighthouse.mount.inodes import Inode, Inodes
from lighthouse.mount.listing import Listings
from lighthouse.mount.readonly import ReadOnlyOperations, refuse
from lighthouse.paths import MAX_NAME

log = logging.getLogger(__name__)

BLOCK = 4096

P = ParamSpec("P")
R = TypeVar("R")


def answered(
    operation: Callable[Concatenate["TreeOperations", P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate["TreeOperations", P], Coroutine[Any, Any, R]]:
    """Count the operation, and turn whatever goes wrong in it into EIO: the session must outlive it."""
    name = operation.__name__

    @functools.wraps(operation)
    async def answer(self: "TreeOperations", /, *args: P.args, **kwargs: P.kwargs) -> R:
        self.count[name] += 1
        try:
            return await operation(self, *args, **kwargs)
        except FUSEError:
            raise
        except Exception:
            log.exception("mount operation %s failed", name)
            raise FUSEError(errno.EIO) from None

    return answer


class TreeOperations(ReadOnlyOperations):
    """Whatever `inodes` knows, from the folder number 1 on.

    Nothing is opened: the handle of a file or folder is the number of its inode, which stays the same thing
    for as long as somebody has it open. `by_inode` says that pyfuse3 gives that number by itself; then
    opening is answered with "not implemented", after which the kernel opens and closes without asking, and
    lists folders from its cache.

    `totals()` is `(files, bytes)` of the present version. `ready` is called when the kernel has opened the
    session.
    """

    supports_dot_lookup = False
    # Ours knows that: a link that leads elsewhere is another inode.
    enable_symlink_cache = True

    def __init__(
        self,
        inodes: Inodes,
        *,
        owner: Owner,
        totals: Callable[[], tuple[int, int]],
        ready: Callable[[], None],
        by_inode: bool,
    ) -> None:
        super().__init__()
        self.count: Counter[str] = Counter()
        self._inodes = inodes
        self._known = inodes.known
        self._owner = owner
        self._totals = totals
        self._ready = ready
        self._by_inode = by_inode
        self._listings = Listings()

    def init(self) -> None:
        self._ready()

    @answered
    async def lookup(self, parent_inode: InodeT, name: FileNameT, ctx: RequestContext) -> EntryAttributes:
        if len(name) > MAX_NAME:
            raise FUSEError(errno.ENAMETOOLONG)
        found = await self._inode(parent_inode).find(name)
        if found is None:
            # As an error, not as an entry without inode: the kernel asks again next time.
            raise FUSEError(errno.ENOENT)
        found.lookups += 1
        return found.attributes(self._owner)

    async def forget(self, inode_list: Sequence[tuple[InodeT, int]]) -> None:
        self.count["forget"] += len(inode_list)
        for inode, lookups in inode_list:
            self._inodes.forget(inode, lookups)

    @answered
    async def getattr(self, inode: InodeT, ctx: RequestContext) -> EntryAttributes:
        return self._inode(inode).attributes(self._owner)

    @answered
    async def readlink(self, inode: InodeT, ctx: RequestContext) -> FileNameT:
        return FileNameT(await self._inode(inode).target())

    @answered
    async def open(self, inode: InodeT, flags: FlagT, ctx: RequestContext) -> FileInfo:
        if flags & os.O_ACCMODE != os.O_RDONLY or flags & os.O_TRUNC:
            refuse()
        if self._by_inode:
            raise FUSEError(errno.ENOSYS)
        # One inode, one content: what the kernel has cached of it stays true.
        return FileInfo(fh=FileHandleT(inode), keep_cache=True)

    @answered
    async def read(self, fh: FileHandleT, off: int, size: int) -> bytes:
        return await self._inode(fh).read(off, size)

    @answered
    async def release(self, fh: FileHandleT) -> None:
        """Nothing was opened."""

    async def fsync(self, fh: FileHandleT, datasync: bool) -> None:
        """Nothing is ever unwritten."""

    async def fsyncdir(self, fh: FileHandleT, datasync: bool) -> None:
        """Nothing is ever unwritten."""

    @answered
    async def opendir(self, inode: InodeT, ctx: RequestContext) -> FileHandleT:
        if self._by_inode:
            raise FUSEError(errno.ENOSYS)
        return FileHandleT(inode)

    @answered
    async def readdir(self, fh: FileHandleT, start_id: int, token: ReaddirToken) -> None:
        folder = self._inode(fh)
        members = await folder.members()
        # As on a disk, and more: of an empty listing the kernel keeps no page that could be taken back.
        for position, name, number in ((1, b".", folder.number), (2, b"..", folder.above())):
            if position > start_id:
                attributes = self._owner.attributes(number, FOLDER_MODE, 0, 0)
                if not pyfuse3.readdir_reply(token, FileNameT(name), attributes, position):
                    return
        for position, name in self._listings.after(fh, members, start_id):
            inode = await folder.member(name, members[name])
            if inode is None:
                continue
            attributes = inode.attributes(self._owner)
            if not pyfuse3.readdir_reply(token, FileNameT(name), attributes, position):
                if inode.lookups <= 0:
                    inode.unused()
                return
            inode.lookups += 1

    @answered
    async def releasedir(self, fh: FileHandleT) -> None:
        """Nothing was opened."""

    @answered
    async def statfs(self, ctx: RequestContext) -> StatvfsData:
        files, size = self._totals()
        data = StatvfsData()
        data.f_bsize = data.f_frsize = BLOCK
        data.f_blocks = -(-size // BLOCK)
        data.f_bfree = data.f_bavail = 0
        data.f_files = files
        data.f_ffree = data.f_favail = 0
        data.f_namemax = MAX_NAME
        return data

    @answered
    async def getxattr(self, inode: InodeT, name: XAttrNameT, ctx: RequestContext) -> bytes:
        if not name.startswith(b"user."):
            # Not "no such attribute": ls and others then ask once for all, not for each file.
            raise FUSEError(errno.EOPNOTSUPP)
        value = self._inode(inode).extended().get(name)
        if value is None:
            raise FUSEError(pyfuse3.ENOATTR)
        return value

    @answered
    async def listxattr(self, inode: InodeT, ctx: RequestContext) -> Sequence[XAttrNameT]:
        return [XAttrNameT(name) for name in self._inode(inode).extended()]

    def _inode(self, number: int) -> Inode:
        inode = self._known.get(number)
        if inode is None:
            raise FUSEError(errno.ESTALE)
        return inode


# ENOSYS to flush, answered by the base class: the kernel then closes files without asking.
