"""The answers to the kernel on the proposals' mount, where members of the group write."""

import errno
import functools
import logging
import os
import stat
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Concatenate, NoReturn, ParamSpec, TypeVar

from lighthouse.errors import LighthouseError
from lighthouse.events import NoRoom, StoreBusy
from lighthouse.mount.attributes import KEEP, ROOT_KEEP
from lighthouse.mount.fuse import WRITE
from lighthouse.mount.proposal_handles import Handles, Listing, OpenFile
from lighthouse.mount.proposal_inodes import ROOT, Inodes, PatchFile, Place
from lighthouse.mount.reading import Reading
from lighthouse.paths import MAX_NAME
from lighthouse.proposals import PATCH, BadProposal, OverQuota, Proposal, Proposals, ProposalTaken
from lighthouse.proposals.node import Folder, Leaf, Node
from lighthouse.proposals.rules import MAX_TARGET
from lighthouse.shadow.entry import FILE, FOLDER, LINK

log = logging.getLogger(__name__)

BLOCK = 4096
TOP_MODE = stat.S_IFDIR | 0o770
PATCH_MODE = stat.S_IFREG | 0o440
_TYPES = {FILE: stat.S_IFREG, FOLDER: stat.S_IFDIR, LINK: stat.S_IFLNK}
_PATCH = PATCH.encode()

P = ParamSpec("P")
R = TypeVar("R")


def answered(
    operation: Callable[Concatenate["ProposalOperations", P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate["ProposalOperations", P], Coroutine[Any, Any, R]]:
    """Count the operation, and turn what goes wrong in it into the errno that a disk would give."""
    name = operation.__name__

    @functools.wraps(operation)
    async def answer(self: "ProposalOperations", /, *args: P.args, **kwargs: P.kwargs) -> R:
        self.count[name] += 1
        try:
            return await operation(self, *args, **kwargs)
        except WRITE.FUSEError:
            raise
        except Exception as error:
            number = _errno(error)
            if number == errno.EIO:
                log.exception("operation %s on the proposals failed", name)
            raise WRITE.FUSEError(number) from None

    return answer


def _errno(error: Exception) -> int:
    if isinstance(error, OSError) and error.errno:
        return error.errno
    by_kind: tuple[tuple[type[LighthouseError], int], ...] = (
        (NoRoom, errno.ENOSPC),
        (StoreBusy, errno.EBUSY),
        (OverQuota, errno.EDQUOT),
        (ProposalTaken, errno.EEXIST),
        (BadProposal, errno.EINVAL),
    )
    return next((number for kind, number in by_kind if isinstance(error, kind)), errno.EIO)


def refuse(number: int) -> NoReturn:
    """Answer with an errno."""
    raise WRITE.FUSEError(number)


class ProposalOperations(WRITE.Operations):
    """A folder for each open proposal, and its patch beside it.

    Nobody's permissions are looked at: who comes as far as the mount may write. What is made here is shown as
    its maker's, for programs look at that before they set modes; all else as the `owner`'s, uid and gid. What
    is not answered here is "not implemented", which the kernel remembers: extended attributes, and locks,
    which it keeps itself.
    """

    supports_dot_lookup = False

    def __init__(
        self,
        proposals: Proposals,
        inodes: Inodes,
        reading: Reading,
        owner: tuple[int, int],
        *,
        ready: Callable[[], None],
        stale: Callable[[int], None],
    ) -> None:
        """`ready` is called once the session is open, `stale` with inodes whose written bytes were lost."""
        super().__init__()
        self.count: Counter[str] = Counter()
        self._proposals = proposals
        self._editor = proposals.editor
        self._inodes = inodes
        self._reading = reading
        self._uid, self._gid = owner
        self._ready = ready
        self._stale = stale
        self._handles = Handles()
        self._mtime_ns = time.time_ns()

    def init(self) -> None:
        self._ready()

    def came_or_went(self) -> None:
        """The list of proposals changed."""
        self._mtime_ns = time.time_ns()

    # -- looking --

    @answered
    async def lookup(self, parent_inode: int, name: bytes, ctx: Any) -> Any:
        if len(name) > MAX_NAME:
            refuse(errno.ENAMETOOLONG)
        if parent_inode == ROOT:
            return await self._lookup_top(name)
        proposal, folder = self._folder(parent_inode)
        node = None if proposal.overlay is None else proposal.overlay.lookup(folder, name)
        if node is None:
            refuse(errno.ENOENT)
        return self._told(proposal, node)

    async def _lookup_top(self, name: bytes) -> Any:
        text = name.decode("utf-8", "replace")
        if (proposal := self._proposals.opened(text)) is not None:
            return self._told(proposal, proposal.tree.root)
        if text.endswith(PATCH) and (owner := self._proposals.opened(text.removesuffix(PATCH))) is not None:
            return await self._patch_attributes(self._inodes.patch(owner))
        refuse(errno.ENOENT)

    async def forget(self, inode_list: Sequence[tuple[int, int]]) -> None:
        self.count["forget"] += len(inode_list)
        for inode, lookups in inode_list:
            self._inodes.forget(inode, lookups)

    @answered
    async def getattr(self, inode: int, ctx: Any) -> Any:
        if inode == ROOT:
            return self._attributes(ROOT, TOP_MODE, 0, self._mtime_ns, keep=ROOT_KEEP)
        if (file := self._inodes.patch_at(inode)) is not None:
            return await self._patch_attributes(file)
        return self._node_attributes(self._place(inode)[1])

    @answered
    async def readlink(self, inode: int, ctx: Any) -> bytes:
        _, node = self._place(inode)
        if not isinstance(node, Leaf) or node.kind != LINK:
            refuse(errno.EINVAL)
        return await self._reading.read(node.hash, 0, min(node.size, MAX_TARGET))

    @answered
    async def opendir(self, inode: int, ctx: Any) -> int:
        if inode == ROOT:
            return self._handles.open_folder(Listing(None))
        self._folder(inode)
        return self._handles.open_folder(Listing(inode))

    @answered
    async def readdir(self, fh: int, start_id: int, token: Any) -> None:
        listing = self._handles.folders[fh]
        if listing.inode is None:
            self._list_top(listing, start_id, token)
            return
        proposal, folder = self._folder(listing.inode)
        overlay = proposal.overlay
        if overlay is None:
            return
        if start_id == 0:
            listing.names = overlay.names(folder)
        for position in range(start_id, len(listing.names)):
            node = overlay.lookup(folder, listing.names[position])
            if node is None:
                continue
            self._inodes.number(node)
            if not WRITE.readdir_reply(token, node.name, self._node_attributes(node), position + 1):
                overlay.drop_unused(node)
                return
            self._inodes.told(proposal, node)

    def _list_top(self, listing: Listing, start_id: int, token: Any) -> None:
        if start_id == 0:
            opened = [proposal for proposal in self._proposals.all() if proposal.overlay is not None]
            listing.names = [name for proposal in opened for name in _names(proposal)]
        for position in range(start_id, len(listing.names)):
            name = listing.names[position]
            patch = name.endswith(_PATCH)
            proposal = self._proposals.opened(name.removesuffix(_PATCH).decode())
            if proposal is None:
                continue
            if patch:
                # Its size is not known before it is made; nothing of this is kept, who wants it asks again.
                attributes = self._attributes(
                    self._inodes.patch(proposal).inode, PATCH_MODE, 0, self._mtime_ns, keep=0.0
                )
            else:
                self._inodes.number(proposal.tree.root)
                attributes = self._node_attributes(proposal.tree.root)
            if not WRITE.readdir_reply(token, name, attributes, position + 1):
                return
            if not patch:
                self._inodes.told(proposal, proposal.tree.root)

    @answered
    async def releasedir(self, fh: int) -> None:
        self._handles.folders.pop(fh, None)

    @answered
    async def fsyncdir(self, fh: int, datasync: bool) -> None:
        """What happened to a folder is on disk before it is answered."""

    @answered
    async def statfs(self, ctx: Any) -> Any:
        limits = self._editor.limits
        room = os.statvfs(self._proposals.folder)
        data = WRITE.StatvfsData()
        data.f_bsize = data.f_frsize = BLOCK
        data.f_blocks = limits.bytes // BLOCK
        data.f_bfree = data.f_bavail = min(limits.bytes, room.f_bavail * room.f_frsize) // BLOCK
        data.f_files = limits.entries
        data.f_ffree = data.f_favail = min(limits.entries, max(0, limits.spare()))
        data.f_namemax = MAX_NAME
        return data

    # -- the tree --

    @answered
    async def mkdir(self, parent_inode: int, name: bytes, mode: int, ctx: Any) -> Any:
        if parent_inode == ROOT:
            proposal = await self._proposals.create(name.decode("utf-8", "replace"), uid=ctx.uid)
            return self._told(proposal, proposal.tree.root)
        proposal, folder = self._folder(parent_inode)
        made = await self._editor.make_folder(proposal, folder, name, mode, ctx.uid)
        return self._made(proposal, made, ctx)

    @answered
    async def symlink(self, parent_inode: int, name: bytes, target: bytes, ctx: Any) -> Any:
        proposal, folder = self._inside(parent_inode)
        made = await self._editor.make_link(proposal, folder, name, target, ctx.uid)
        return self._made(proposal, made, ctx)

    @answered
    async def mknod(self, parent_inode: int, name: bytes, mode: int, rdev: int, ctx: Any) -> Any:
        proposal, folder = self._inside(parent_inode)
        if not stat.S_ISREG(mode):
            refuse(errno.EPERM)
        made = await self._editor.make_file(proposal, folder, name, mode, ctx.uid)
        return self._made(proposal, made, ctx)

    @answered
    async def link(self, inode: int, new_parent_inode: int, new_name: bytes, ctx: Any) -> Any:
        refuse(errno.EPERM)

    @answered
    async def unlink(self, parent_inode: int, name: bytes, ctx: Any) -> None:
        proposal, folder = self._inside(parent_inode)
        await self._editor.remove(proposal, folder, name, ctx.uid, a_folder=False)

    @answered
    async def rmdir(self, parent_inode: int, name: bytes, ctx: Any) -> None:
        proposal, folder = self._inside(parent_inode)
        await self._editor.remove(proposal, folder, name, ctx.uid, a_folder=True)

    @answered
    async def rename(
        self,
        parent_inode_old: int,
        name_old: bytes,
        parent_inode_new: int,
        name_new: bytes,
        flags: int,
        ctx: Any,
    ) -> None:
        if flags & ~(WRITE.RENAME_EXCHANGE | WRITE.RENAME_NOREPLACE):
            refuse(errno.EINVAL)
        proposal, source = self._inside(parent_inode_old)
        other, target = self._inside(parent_inode_new)
        if other is not proposal:
            refuse(errno.EXDEV)
        await self._editor.rename(
            proposal,
            (source, name_old),
            (target, name_new),
            ctx.uid,
            exchange=bool(flags & WRITE.RENAME_EXCHANGE),
            replace=not flags & WRITE.RENAME_NOREPLACE,
        )

    @answered
    async def setattr(self, inode: int, attr: Any, fields: Any, fh: int | None, ctx: Any) -> Any:
        if inode == ROOT or self._inodes.patch_at(inode) is not None:
            refuse(errno.EPERM)
        proposal, node = self._place(inode)
        self._chown(node, attr, fields, ctx)
        if fields.update_size:
            await self._truncate(proposal, node, attr.st_size, ctx.uid, is_open=fh is not None)
        if fields.update_atime:
            node.atime_ns = attr.st_atime_ns
        if fields.update_mode or fields.update_mtime:
            await self._editor.set_attributes(
                proposal,
                node,
                ctx.uid,
                mode=attr.st_mode if fields.update_mode else None,
                mtime_ns=attr.st_mtime_ns if fields.update_mtime else None,
            )
        return self._node_attributes(node)

    def _chown(self, node: Node, attr: Any, fields: Any, ctx: Any) -> None:
        """As on a disk, but that it is forgotten with the process: a project is captured without owners."""
        uid = self._uid if node.uid is None else node.uid
        if fields.update_uid and attr.st_uid != uid and ctx.uid != 0:
            refuse(errno.EPERM)
        if fields.update_gid and attr.st_gid != node.gid and ctx.uid not in (0, uid):
            refuse(errno.EPERM)
        if fields.update_uid:
            node.uid = attr.st_uid
        if fields.update_gid:
            node.gid = attr.st_gid

    async def _truncate(self, proposal: Proposal, node: Node, size: int, uid: int, *, is_open: bool) -> None:
        if not isinstance(node, Leaf):
            refuse(errno.EISDIR)
        if is_open:
            await self._editor.truncate(proposal, node, size)
            return
        await self._editor.open(node, proposal, write=True, empty=False)
        try:
            await self._editor.truncate(proposal, node, size)
            await self._editor.save(proposal, node, uid)
        finally:
            await self._release(proposal, node, uid)

    # -- contents --

    @answered
    async def create(self, parent_inode: int, name: bytes, mode: int, flags: int, ctx: Any) -> Any:
        proposal, folder = self._inside(parent_inode)
        there = proposal.overlay.lookup(folder, name) if proposal.overlay is not None else None
        if there is not None:
            # Somebody else was quicker.
            if flags & os.O_EXCL:
                refuse(errno.EEXIST)
            opened = await self._open(proposal, there, flags, ctx.uid)
            return opened, self._told(proposal, there)
        leaf = await self._editor.create(proposal, folder, name, mode, ctx.uid)
        leaf.gid = ctx.gid
        attributes = self._told(proposal, leaf)
        handle = self._handles.open_file(OpenFile(leaf.inode, ctx.uid, writes=True))
        return WRITE.FileInfo(fh=handle, keep_cache=True), attributes

    @answered
    async def open(self, inode: int, flags: int, ctx: Any) -> Any:
        file = self._inodes.patch_at(inode)
        if file is None:
            proposal, node = self._place(inode)
            return await self._open(proposal, node, flags, ctx.uid)
        if _writes(flags):
            refuse(errno.EACCES)
        if file.proposal.overlay is None:
            refuse(errno.ESTALE)
        patch = await self._proposals.patch(file.proposal)
        return WRITE.FileInfo(fh=self._handles.open_file(patch), direct_io=True, keep_cache=False)

    async def _open(self, proposal: Proposal, node: Node, flags: int, uid: int) -> Any:
        if not isinstance(node, Leaf):
            refuse(errno.EISDIR)
        writes = _writes(flags)
        await self._editor.open(node, proposal, write=writes, empty=bool(flags & os.O_TRUNC))
        handle = self._handles.open_file(OpenFile(self._inodes.number(node), uid, writes=writes))
        # All that changes a file comes through the kernel, or makes it another inode.
        return WRITE.FileInfo(fh=handle, keep_cache=True)

    @answered
    async def read(self, fh: int, off: int, size: int) -> bytes:
        opened = self._handles.files[fh]
        if not isinstance(opened, OpenFile):
            return await self._reading.run(opened.read, off, size)
        _, leaf = self._opened(opened)
        data = await self._editor.read(leaf, off, size)
        return await self._reading.read(leaf.hash, off, size) if data is None else data

    @answered
    async def write(self, fh: int, off: int, buf: bytes) -> int:
        proposal, leaf = self._opened(self._handles.files[fh])
        return await self._editor.write(proposal, leaf, off, buf)

    @answered
    async def flush(self, fh: int) -> None:
        opened = self._handles.files[fh]
        if isinstance(opened, OpenFile) and opened.writes:
            await self._editor.save(*self._opened(opened), opened.uid)

    @answered
    async def fsync(self, fh: int, datasync: bool) -> None:
        opened = self._handles.files[fh]
        if isinstance(opened, OpenFile):
            await self._editor.save(*self._opened(opened), opened.uid)

    @answered
    async def release(self, fh: int) -> None:
        opened = self._handles.files.pop(fh)
        if isinstance(opened, OpenFile):
            await self._release(*self._opened(opened), opened.uid)
        else:
            opened.close()

    async def _release(self, proposal: Proposal, leaf: Leaf, uid: int) -> None:
        if not await self._editor.release(proposal, leaf, uid):
            self._stale(leaf.inode)

    # -- how --

    def _place(self, inode: int) -> Place:
        place = self._inodes.get(inode)
        if place is None:
            refuse(errno.ESTALE)
        return place

    def _folder(self, inode: int) -> tuple[Proposal, Folder]:
        proposal, node = self._place(inode)
        if not isinstance(node, Folder):
            refuse(errno.ENOTDIR)
        return proposal, node

    def _inside(self, inode: int) -> tuple[Proposal, Folder]:
        """A folder in which things may be changed: that of the proposals themselves is none."""
        if inode == ROOT:
            refuse(errno.EPERM)
        return self._folder(inode)

    def _opened(self, opened: object) -> tuple[Proposal, Leaf]:
        """What an open file is now: a rebase may have put another node in its place."""
        if not isinstance(opened, OpenFile):
            refuse(errno.EBADF)
        proposal, node = self._place(opened.inode)
        if not isinstance(node, Leaf):
            refuse(errno.EBADF)
        return proposal, node

    def _told(self, proposal: Proposal, node: Node) -> Any:
        self._inodes.told(proposal, node)
        return self._node_attributes(node)

    def _made(self, proposal: Proposal, node: Node, ctx: Any) -> Any:
        node.gid = ctx.gid
        return self._told(proposal, node)

    def _node_attributes(self, node: Node) -> Any:
        size = 0
        if isinstance(node, Leaf):
            live = node.live
            size = live.size if live is not None and live.path is not None else node.size
        entry = self._attributes(node.inode, _TYPES[node.kind] | node.mode, size, node.mtime_ns)
        entry.st_ctime_ns, entry.st_atime_ns = node.ctime_ns, node.atime_ns
        entry.st_nlink = 0 if node.gone else 1
        entry.st_uid = self._uid if node.uid is None else node.uid
        entry.st_gid = self._gid if node.gid is None else node.gid
        return entry

    async def _patch_attributes(self, file: PatchFile) -> Any:
        if file.proposal.overlay is None:
            refuse(errno.ESTALE)
        kept = await self._proposals.patches.rendered(file.proposal)
        return self._attributes(file.inode, PATCH_MODE, kept.size, kept.mtime_ns, keep=0.0)

    def _attributes(self, inode: int, mode: int, size: int, mtime_ns: int, *, keep: float = KEEP) -> Any:
        entry = WRITE.EntryAttributes()
        entry.st_ino = inode
        entry.st_mode = mode
        # A folder too: find and others take that as "count not kept", and look.
        entry.st_nlink = 1
        entry.st_uid = self._uid
        entry.st_gid = self._gid
        entry.st_size = size
        entry.st_blocks = (size + 511) >> 9
        entry.st_atime_ns = entry.st_ctime_ns = entry.st_mtime_ns = mtime_ns
        entry.entry_timeout = KEEP
        entry.attr_timeout = keep
        return entry


def _names(proposal: Proposal) -> tuple[bytes, bytes]:
    name = proposal.name.encode()
    return name, name + _PATCH


def _writes(flags: int) -> bool:
    return flags & os.O_ACCMODE != os.O_RDONLY or bool(flags & os.O_TRUNC)
