"""The answers to those who look: names, attributes, listings, how much room there is."""

import errno
import os
import stat
from collections.abc import Sequence
from typing import Any

from lighthouse.mount.attributes import ROOT_KEEP
from lighthouse.mount.fuse import WRITE
from lighthouse.mount.proposal_answers import PATCH_MODE, Answers, answered, refuse
from lighthouse.mount.proposal_handles import Listing
from lighthouse.mount.proposal_inodes import ROOT
from lighthouse.paths import MAX_NAME
from lighthouse.proposals import PATCH, Proposal
from lighthouse.proposals.node import Leaf
from lighthouse.proposals.rules import MAX_TARGET
from lighthouse.shadow.entry import LINK

BLOCK = 4096
TOP_MODE = stat.S_IFDIR | 0o770
_PATCH = PATCH.encode()


class Looking(Answers):
    """What changes nothing."""

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
        raise WRITE.FUSEError(errno.ENOENT)

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


def _names(proposal: Proposal) -> tuple[bytes, bytes]:
    name = proposal.name.encode()
    return name, name + _PATCH
