"""Changes proposals as file-system operations do: each is refused as a disk refuses it, or is on disk.

Refusals are OSErrors with the errno a disk would give; what the stores raise goes through.
"""

import errno
import logging
import time
from collections.abc import Callable, Sequence

from lighthouse.events import EventStore, StoreUnavailable
from lighthouse.proposals import edit as edits
from lighthouse.proposals import journal, rules
from lighthouse.proposals.edit import Edit
from lighthouse.proposals.node import Folder, Leaf, Node
from lighthouse.proposals.overlay import Overlay, new_leaf
from lighthouse.proposals.proposal import Proposal
from lighthouse.proposals.rules import Limits, refuse
from lighthouse.proposals.scratch import Live, Scratch
from lighthouse.shadow import FILE, LINK, Shadow

EMPTY = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"), 0
PERMISSIONS = 0o777

log = logging.getLogger(__name__)


class Editor:
    """The operations on open proposals. `uid` is always who asks for it.

    What only concerns the tree is an event before the operation returns. Bytes go to a scratch file; `save`
    keeps them, and then an event names them. A file that was created is told of with its first content.
    """

    def __init__(self, shadow: Shadow, store: EventStore, scratch: Scratch, limits: Limits) -> None:
        self.limits = limits
        self._shadow = shadow
        self._store = store
        self._scratch = scratch

    # -- the tree --

    async def make_folder(self, proposal: Proposal, folder: Folder, name: bytes, mode: int, uid: int) -> Node:
        """A new folder."""

        def build(at_ns: int) -> list[Edit]:
            rules.check_new(proposal.tree, self.limits, folder, name)
            where = (*folder.path(), name)
            return [edits.created(where, "d", mode & PERMISSIONS, None, at_ns, at_ns)]

        return await self._do(proposal, uid, build)

    async def make_link(
        self, proposal: Proposal, folder: Folder, name: bytes, target: bytes, uid: int
    ) -> Node:
        """A new symbolic link; where it leads to is nobody's business here."""
        if not target:
            refuse(errno.ENOENT)
        if len(target) > rules.MAX_TARGET:
            refuse(errno.ENAMETOOLONG)
        rules.check_new(proposal.tree, self.limits, folder, name)
        content = await self._shadow.keep(target), len(target)

        def build(at_ns: int) -> list[Edit]:
            rules.check_new(proposal.tree, self.limits, folder, name)
            return [edits.created((*folder.path(), name), LINK, 0o777, content, at_ns, at_ns)]

        return await self._do(proposal, uid, build)

    async def make_file(self, proposal: Proposal, folder: Folder, name: bytes, mode: int, uid: int) -> Node:
        """A new empty file that nobody has open."""
        await self._shadow.keep(b"")

        def build(at_ns: int) -> list[Edit]:
            rules.check_new(proposal.tree, self.limits, folder, name)
            where = (*folder.path(), name)
            return [edits.created(where, FILE, mode & PERMISSIONS, EMPTY, at_ns, at_ns)]

        return await self._do(proposal, uid, build)

    async def create(self, proposal: Proposal, folder: Folder, name: bytes, mode: int, uid: int) -> Leaf:
        """A new file, open for writing: `release` it in the end. No event tells of it before it is saved."""
        async with proposal.turn:
            await self._check(proposal)
            rules.check_new(proposal.tree, self.limits, folder, name)
            at_ns = time.time_ns()
            leaf = new_leaf(folder, name, FILE, mode & PERMISSIONS, at_ns, EMPTY)
            leaf.pending, leaf.uid = True, uid
            # Opened before it can be found: nobody may think that it has nothing to be saved.
            live = leaf.live = Live()
            live.handles = 1
            async with live.lock:
                await self._scratch.unfold(leaf, live)
                live.changed = True
            proposal.tree.add(leaf, at_ns)
            return leaf

    async def remove(
        self, proposal: Proposal, folder: Folder, name: bytes, uid: int, *, a_folder: bool
    ) -> Node:
        """Take away a file or link, or an empty folder. Who has it open keeps it."""
        async with proposal.turn:
            await self._check(proposal)
            at_ns = time.time_ns()
            node = rules.find(proposal.tree, folder, name)
            rules.check_removal(proposal.tree, self.limits, node, folder=a_folder)
            if isinstance(node, Leaf) and node.pending:
                proposal.tree.remove(node, at_ns)
            else:
                await self._append(proposal, uid, [edits.removed(node.path(), node.kind, at_ns)])
            return node

    async def rename(
        self,
        proposal: Proposal,
        source: tuple[Folder, bytes],
        target: tuple[Folder, bytes],
        uid: int,
        *,
        exchange: bool = False,
        replace: bool = True,
    ) -> tuple[Node, Node | None]:
        """Move what is called so, in place of what is there if `replace`; the node and what was there.

        What is being written is saved first: the new name never shows less than the old one held.
        """
        while True:
            await self._save_beneath(proposal, uid, source, *([target] if exchange else []))
            async with proposal.turn:
                await self._check(proposal)
                node = rules.find(proposal.tree, *source)
                if _pending(node):
                    continue
                there = self._check_rename(proposal, node, target, exchange=exchange, replace=replace)
                if there is node:
                    return node, there
                if exchange and there is not None and _pending(there):
                    continue
                where = (*target[0].path(), target[1])
                edit = edits.renamed(node, where, time.time_ns(), exchange=exchange)
                await self._append(proposal, uid, [edit])
                return node, there

    def _check_rename(
        self, proposal: Proposal, node: Node, target: tuple[Folder, bytes], *, exchange: bool, replace: bool
    ) -> Node | None:
        tree = proposal.tree
        if not exchange:
            if not replace and tree.lookup(*target) is not None:
                refuse(errno.EEXIST)
            return rules.check_rename(tree, self.limits, node, *target)
        there = rules.find(tree, *target)
        if isinstance(node, Folder):
            rules.check_not_beneath(node, target[0])
        if node.parent is not None:
            if isinstance(there, Folder):
                rules.check_not_beneath(there, node.parent)
            rules.check_depth(there, node.parent)
        rules.check_depth(node, target[0])
        rules.check_room(tree, self.limits)
        return there

    async def set_attributes(
        self,
        proposal: Proposal,
        node: Node,
        uid: int,
        *,
        mode: int | None = None,
        mtime_ns: int | None = None,
    ) -> None:
        """Another mode or time. Of a file that is being written, it is kept with the content."""
        mode = None if mode is None else mode & PERMISSIONS
        async with proposal.turn:
            await self._check(proposal)
            unsaved = isinstance(node, Leaf) and node.live is not None and node.live.changed
            if unsaved or node.gone or node.parent is None:
                # Nothing that could be told of: the top folder's own time is that of its last change.
                node.mode = node.mode if mode is None else mode
                node.mtime_ns = node.mtime_ns if mtime_ns is None else mtime_ns
                node.ctime_ns = time.time_ns()
                return
            if not node.own:
                rules.check_room(proposal.tree, self.limits)
            await self._append(proposal, uid, [edits.attributes(node, mode, mtime_ns, time.time_ns())])

    # -- contents --

    async def open(self, leaf: Leaf, proposal: Proposal, *, write: bool, empty: bool) -> None:
        """Open a file; `release` it in the end."""
        if (write or empty) and not leaf.captured:
            refuse(errno.EACCES)
        live = leaf.live = leaf.live or Live()
        live.handles += 1
        try:
            if empty:
                await self.truncate(proposal, leaf, 0)
        except BaseException:
            await self.release(proposal, leaf, None)
            raise

    async def read(self, leaf: Leaf, offset: int, size: int) -> bytes | None:
        """Bytes of a file that is being written; None where its kept content is what it holds."""
        live = leaf.live
        if live is None or live.path is None:
            return None
        async with live.lock:
            return None if live.path is None else await self._scratch.read(live, offset, size)

    async def write(self, proposal: Proposal, leaf: Leaf, offset: int, data: bytes) -> int:
        """Write at `offset`; the number of bytes, which is all of them."""
        live = _opened(leaf)
        async with live.lock:
            if live.path is None:
                self._check_own(proposal, leaf)
                # Before a large file is copied: what has no room must not fill the disk.
                rules.check_bytes(proposal.tree, self.limits, leaf, max(leaf.size, offset + len(data)))
                await self._scratch.unfold(leaf, live)
            self._reserve(proposal, leaf, max(live.size, offset + len(data)))
            await self._scratch.write(live, offset, data)
            leaf.mtime_ns = leaf.ctime_ns = time.time_ns()
        return len(data)

    async def truncate(self, proposal: Proposal, leaf: Leaf, size: int) -> None:
        """Cut a file that is open, or lengthen it with zeros."""
        live = _opened(leaf)
        async with live.lock:
            if live.path is None:
                self._check_own(proposal, leaf)
                rules.check_bytes(proposal.tree, self.limits, leaf, size)
                await self._scratch.unfold(leaf, live, keep=size)
            self._reserve(proposal, leaf, size)
            await self._scratch.truncate(live, size)
            leaf.mtime_ns = leaf.ctime_ns = time.time_ns()

    async def save(self, proposal: Proposal, leaf: Leaf, uid: int) -> None:
        """Keep what was written: on return content and event are on disk."""
        live = leaf.live
        if live is None:
            return
        async with live.lock:
            if not live.changed or live.path is None:
                return
            if proposal.overlay is None or leaf.replaced:
                refuse(errno.ESTALE)
            if leaf.gone:
                return
            content = await self._shadow.keep_file(live.path)
            async with proposal.turn:
                await self._check(proposal)
                if leaf.replaced:
                    refuse(errno.ESTALE)
                if leaf.gone:
                    return
                at_ns = time.time_ns()
                if leaf.pending:
                    told = edits.created(leaf.path(), FILE, leaf.mode, content, at_ns, leaf.mtime_ns)
                else:
                    told = edits.modified(leaf, content, at_ns)
                await self._append(proposal, uid, [told])
                live.changed = False

    async def release(self, proposal: Proposal, leaf: Leaf, uid: int | None) -> bool:
        """One handle less; with the last one the scratch file goes. False if what it held is lost.

        What was mapped may have been written after the last save; `uid` None: nothing was.
        """
        live = _opened(leaf)
        live.handles -= 1
        if live.handles:
            return True
        kept = True
        if live.changed and uid is not None:
            try:
                await self.save(proposal, leaf, uid)
            except OSError as error:
                log.warning("what was written last in the proposal %s is lost: %s", proposal.name, error)
                kept = False
            except Exception:
                log.exception("what was written last to a file of the proposal %s is lost", proposal.name)
                kept = False
        async with live.lock:
            if live.handles:  # opened again meanwhile
                return True
            leaf.live = None
            await self._scratch.fold(live)
        overlay = proposal.overlay
        if overlay is not None:
            overlay.charge(leaf, 0 if leaf.gone else leaf.own_bytes)
            if leaf.pending and not leaf.gone:
                overlay.remove(leaf, time.time_ns())
        return kept

    @staticmethod
    def unsaved(overlay: Overlay) -> bool:
        """Whether something was written that is not saved."""
        return bool(_unsaved(overlay.root))

    # -- how --

    async def _do(self, proposal: Proposal, uid: int, build: Callable[[int], Sequence[Edit]]) -> Node:
        """Store what `build` makes of the present state, then do it; the node that the last edit is about."""
        async with proposal.turn:
            await self._check(proposal)
            return await self._append(proposal, uid, build(time.time_ns()))

    async def _check(self, proposal: Proposal) -> None:
        """Raise ESTALE once it is closed; find out what is in the log where that was in doubt."""
        if proposal.overlay is None:
            refuse(errno.ESTALE)
        if proposal.unsure:
            async for event in journal.events(self._store, proposal.last_seq + 1):
                if event.value["name"] != proposal.name:
                    continue
                if event.type != journal.CHANGED:
                    # The log has it, the tree has not: what were changed now would not be found again.
                    raise StoreUnavailable(
                        f"the store failed when {proposal.name} was rebased or ended", "do that again"
                    )
                journal.redo(proposal, event)
            proposal.unsure = False

    async def _append(self, proposal: Proposal, uid: int, told: Sequence[Edit]) -> Node:
        """Store the event, then do what it tells. `turn` is held, so that what was checked still holds."""
        draft = journal.changed(proposal, uid, told)
        event = await journal.store(self._store, proposal, draft, proposal.author(uid))
        proposal.writers[uid] += 1
        proposal.last_seq = event.seq
        return [edits.apply(proposal.tree, edit, uid) for edit in told][-1]

    async def _save_beneath(self, proposal: Proposal, uid: int, *places: tuple[Folder, bytes]) -> None:
        for folder, name in places:
            node = proposal.tree.lookup(folder, name) if proposal.overlay is not None else None
            for leaf in _unsaved(node):
                await self.save(proposal, leaf, uid)

    def _check_own(self, proposal: Proposal, leaf: Leaf) -> None:
        if proposal.overlay is None:
            refuse(errno.ESTALE)
        if not leaf.own and not leaf.gone:
            rules.check_room(proposal.tree, self.limits)

    def _reserve(self, proposal: Proposal, leaf: Leaf, size: int) -> None:
        if proposal.overlay is None:
            refuse(errno.ESTALE)
        rules.check_bytes(proposal.tree, self.limits, leaf, size)
        proposal.tree.charge(leaf, size)
        if not leaf.gone:
            # It holds room from now on; what it holds is told of when it is saved.
            proposal.tree.touch(leaf)


def _opened(leaf: Leaf) -> Live:
    if leaf.live is None:
        raise RuntimeError("the file is not open")
    return leaf.live


def _unsaved(node: Node | None) -> list[Leaf]:
    found: list[Leaf] = []
    left = [node] if node is not None else []
    while left:
        below = left.pop()
        if isinstance(below, Folder):
            left += below.kids.values()
        elif isinstance(below, Leaf) and below.live is not None and below.live.changed:
            found.append(below)
    return found


def _pending(node: Node) -> bool:
    return any(leaf.pending for leaf in _unsaved(node))
