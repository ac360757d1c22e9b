"""The answers to the kernel: the tree of the mount, read-only."""

import errno
import functools
import logging
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
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

from lighthouse.mount.attributes import FOLDER_MODE, GENERATED_MODE, KEEP, ROOT_KEEP, Owner, captured_mode
from lighthouse.mount.fixed import FixedFile, FixedFolder
from lighthouse.mount.handles import Handles, Listing, Pinned
from lighthouse.mount.nodes import Node, Nodes
from lighthouse.mount.readonly import ReadOnlyOperations, refuse
from lighthouse.paths import MAX_NAME
from lighthouse.shadow.entry import FILE, LINK

log = logging.getLogger(__name__)

SHA256 = b"user.lighthouse.sha256"
MARK = b"user.lighthouse.mark"
BLOCK = 4096

P = ParamSpec("P")
R = TypeVar("R")
Read = Callable[[bytes, int, int], Awaitable[bytes]]


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
    """Root, `current` (the project, by `nodes`) and the fixed files, whose inodes are the keys of `files`.

    `read(hash, offset, size)` gives bytes of a captured content. `totals()` is `(files, bytes)` of the
    present version. `ready` is called when the kernel has opened the session.
    """

    supports_dot_lookup = False

    def __init__(
        self,
        nodes: Nodes,
        folders: Mapping[int, FixedFolder],
        files: Mapping[int, FixedFile],
        *,
        owner: Owner,
        read: Read,
        totals: Callable[[], tuple[int, int]],
        ready: Callable[[], None],
    ) -> None:
        super().__init__()
        self.count: Counter[str] = Counter()
        self._nodes = nodes
        self._folders = folders
        self._files = files
        self._owner = owner
        self._read = read
        self._totals = totals
        self._ready = ready
        self._handles = Handles()

    def init(self) -> None:
        self._ready()

    @answered
    async def lookup(self, parent_inode: InodeT, name: FileNameT, ctx: RequestContext) -> EntryAttributes:
        if len(name) > MAX_NAME:
            raise FUSEError(errno.ENAMETOOLONG)
        folder = self._folder(parent_inode)
        if isinstance(folder, FixedFolder):
            inode = folder.members.get(name)
            if inode is None:
                raise FUSEError(errno.ENOENT)
            return self._attributes(inode)
        node = self._nodes.lookup(folder, name)
        if node is None:
            # As an error, not as an entry without inode: the kernel asks again next time.
            raise FUSEError(errno.ENOENT)
        return self._captured(node)

    async def forget(self, inode_list: Sequence[tuple[InodeT, int]]) -> None:
        self.count["forget"] += len(inode_list)
        for inode, lookups in inode_list:
            self._nodes.forget(inode, lookups)

    @answered
    async def getattr(self, inode: InodeT, ctx: RequestContext) -> EntryAttributes:
        return self._attributes(inode)

    @answered
    async def readlink(self, inode: InodeT, ctx: RequestContext) -> FileNameT:
        node = self._node(inode)
        if node.entry.kind != LINK:
            raise FUSEError(errno.EINVAL)
        return await self._read(node.entry.hash, 0, node.entry.size)

    @answered
    async def open(self, inode: InodeT, flags: FlagT, ctx: RequestContext) -> FileInfo:
        if flags & os.O_ACCMODE != os.O_RDONLY or flags & os.O_TRUNC:
            refuse()
        file = self._files.get(inode)
        if file is not None:
            return FileInfo(fh=self._handles.open_file(file.open()), direct_io=True, keep_cache=False)
        # One inode, one content: what the kernel has cached of it stays true.
        return FileInfo(fh=self._handles.open_file(Pinned(self._node(inode).entry.hash)), keep_cache=True)

    @answered
    async def read(self, fh: FileHandleT, off: int, size: int) -> bytes:
        opened = self._handles.files[fh]
        if isinstance(opened, Pinned):
            return await self._read(opened.hash, off, size)
        return opened.read(off, size)

    @answered
    async def release(self, fh: FileHandleT) -> None:
        self._handles.files.pop(fh, None)

    async def fsync(self, fh: FileHandleT, datasync: bool) -> None:
        """Nothing is ever unwritten."""

    async def fsyncdir(self, fh: FileHandleT, datasync: bool) -> None:
        """Nothing is ever unwritten."""

    @answered
    async def opendir(self, inode: InodeT, ctx: RequestContext) -> FileHandleT:
        return self._handles.open_folder(Listing(self._folder(inode)))

    @answered
    async def readdir(self, fh: FileHandleT, start_id: int, token: ReaddirToken) -> None:
        listing = self._handles.folders[fh]
        folder = listing.folder
        if isinstance(folder, FixedFolder):
            for position, (name, inode) in enumerate(folder.members.items(), 1):
                if position > start_id and not pyfuse3.readdir_reply(
                    token, name, self._attributes(inode), position
                ):
                    return
            return
        children = self._nodes.children(folder)
        if start_id == 0:
            listing.names = list(children)
        for position in range(start_id, len(listing.names)):
            entry = children.get(listing.names[position])
            if entry is None:
                continue
            node = self._nodes.child(folder, entry)
            if not pyfuse3.readdir_reply(token, entry.name, self._captured(node), position + 1):
                self._nodes.drop_unused(node)
                return
            node.lookups += 1

    @answered
    async def releasedir(self, fh: FileHandleT) -> None:
        self._handles.folders.pop(fh, None)

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
        value = self._extended(inode).get(name)
        if value is None:
            raise FUSEError(pyfuse3.ENOATTR)
        return value

    @answered
    async def listxattr(self, inode: InodeT, ctx: RequestContext) -> Sequence[XAttrNameT]:
        return list(self._extended(inode))

    def _extended(self, inode: int) -> dict[bytes, bytes]:
        node = self._nodes.get(inode)
        if node is None or node.entry.kind != FILE:
            return {}
        values = {SHA256: node.entry.hex.encode()}
        if node.entry.mark is not None:
            values[MARK] = node.entry.mark.encode()
        return values

    def _node(self, inode: int) -> Node:
        node = self._nodes.get(inode)
        if node is None:
            raise FUSEError(errno.ESTALE)
        return node

    def _folder(self, inode: int) -> Node | FixedFolder:
        return self._folders.get(inode) or self._node(inode)

    def _attributes(self, inode: int) -> EntryAttributes:
        if folder := self._folders.get(inode):
            keep = ROOT_KEEP if inode == pyfuse3.ROOT_INODE else KEEP
            return self._owner.attributes(inode, FOLDER_MODE, 0, folder.mtime_ns, keep=keep)
        if file := self._files.get(inode):
            size, mtime_ns = file.stat()
            return self._owner.attributes(inode, GENERATED_MODE, size, mtime_ns, keep=0.0)
        return self._captured(self._node(inode))

    def _captured(self, node: Node) -> EntryAttributes:
        entry = node.entry
        mode = captured_mode(entry.kind, entry.mode, marked=entry.mark is not None)
        return self._owner.attributes(
            node.inode, mode, entry.size, entry.mtime_ns, links=0 if node.gone else 1
        )


# ENOSYS to flush, answered by the base class: the kernel then closes files without asking.
