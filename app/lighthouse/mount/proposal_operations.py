"""The answers to the kernel on the proposals' mount, where members of the group write."""

import contextlib
import errno
import os
import stat
from typing import Any

from lighthouse.mount.fuse import WRITE
from lighthouse.mount.proposal_answers import answered, refuse
from lighthouse.mount.proposal_handles import Handles, OpenFile
from lighthouse.mount.proposal_inodes import ROOT
from lighthouse.mount.proposal_looking import Looking
from lighthouse.proposals import Proposal
from lighthouse.proposals.node import Folder, Leaf, Node

# Each holds a descriptor of ours, and the process has 1024 of them, perhaps.
MAX_PATCHES = 200


class ProposalOperations(Looking):
    """A folder for each open proposal, and its patch beside it.

    Nobody's permissions are looked at: who comes as far as the mount may write. What is made here is shown as
    its maker's, for programs look at that before they set modes; all else as the `owner`'s, uid and gid. What
    is not answered here is "not implemented", which the kernel remembers: extended attributes, and locks,
    which it keeps itself.
    """

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
        if self._handles.patches >= MAX_PATCHES:
            refuse(errno.ENFILE)
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

    def _made(self, proposal: Proposal, node: Node, ctx: Any) -> Any:
        node.gid = ctx.gid
        return self._told(proposal, node)

    async def end(self) -> None:
        """Save and let go of what is still open: its session has ended."""
        for opened in self._handles.files.values():
            if not isinstance(opened, OpenFile):
                opened.close()
                continue
            with contextlib.suppress(WRITE.FUSEError):
                await self._editor.release(*self._opened(opened), opened.uid)
        self._handles = Handles()


def _writes(flags: int) -> bool:
    return flags & os.O_ACCMODE != os.O_RDONLY or bool(flags & os.O_TRUNC)
