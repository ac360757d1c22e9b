"""The inodes of the proposals' mount: which number is which file of which proposal, and what became stale."""

from itertools import count

from lighthouse.mount.fuse import WRITE
from lighthouse.mount.invalidation import Notice, StaleAttributes, StaleName
from lighthouse.proposals import PATCH, Proposal
from lighthouse.proposals.node import Folder, Leaf, Node
from lighthouse.proposals.overlay import Overlay

ROOT = WRITE.ROOT_INODE
FIRST_FREE = 64


class PatchFile:
    """NAME.patch, beside the folder of a proposal."""

    __slots__ = ("inode", "proposal")

    def __init__(self, inode: int, proposal: Proposal) -> None:
        self.inode = inode
        self.proposal = proposal


Place = tuple[Proposal, Node]


class Inodes:
    """Numbers for nodes: one keeps its number as long as it lives, none is used twice.

    The kernel's counts of look-ups are in the nodes: each answer to a look-up and each entry of a listing
    adds one, forget takes them back. A node that only shows the base is dropped when it is forgotten.
    """

    def __init__(self) -> None:
        self._known: dict[int, Place] = {}
        self._patches: dict[int, PatchFile] = {}
        self._patch_of: dict[Proposal, PatchFile] = {}
        self._numbers = count(FIRST_FREE)

    def __len__(self) -> int:
        """How many nodes the kernel may know."""
        return len(self._known)

    def get(self, inode: int) -> Place | None:
        """The node with that number, if the kernel may know it."""
        return self._known.get(inode)

    def number(self, node: Node) -> int:
        """The node's number."""
        if not node.inode:
            node.inode = next(self._numbers)
        return node.inode

    def told(self, proposal: Proposal, node: Node) -> None:
        """The kernel was told of the node once more."""
        self._known[self.number(node)] = proposal, node
        node.lookups += 1

    def forget(self, inode: int, lookups: int) -> None:
        """The kernel takes back `lookups` counts."""
        place = self._known.get(inode)
        if place is None:
            return
        proposal, node = place
        node.lookups -= lookups
        if node.lookups <= 0:
            del self._known[inode]
            if proposal.overlay is not None:
                proposal.overlay.drop_unused(node)

    def forget_all(self) -> None:
        """The kernel knows nothing any more: its session has ended."""
        for inode, (_, node) in list(self._known.items()):
            self.forget(inode, node.lookups)

    def patch(self, proposal: Proposal) -> PatchFile:
        """The patch's file of an open proposal."""
        file = self._patch_of.get(proposal)
        if file is None:
            file = self._patch_of[proposal] = PatchFile(next(self._numbers), proposal)
            self._patches[file.inode] = file
        return file

    def patch_at(self, inode: int) -> PatchFile | None:
        """The patch's file with that number."""
        return self._patches.get(inode)

    def changed(self, proposal: Proposal, before: Overlay | None) -> list[Notice]:
        """A proposal came, went, or is another tree than `before`; what the kernel must be told."""
        if before is None:
            return []
        if proposal.overlay is not None:
            return self._carry_over(proposal, before.root, proposal.overlay)
        file = self._patch_of.pop(proposal, None)
        if file is not None:
            del self._patches[file.inode]
        name = proposal.name.encode()
        before.root.gone = True
        notices: list[Notice] = [StaleName(ROOT, name), StaleName(ROOT, name + PATCH.encode())]
        return notices + self._let_go(before.root)

    def _carry_over(self, proposal: Proposal, old_root: Folder, overlay: Overlay) -> list[Notice]:
        """Folders keep their numbers, files of the same content too; all else is another thing now."""
        notices: list[Notice] = []
        self._move(proposal, old_root, overlay.root)
        pairs: list[tuple[Folder, Folder]] = [(old_root, overlay.root)]
        while pairs:
            old_folder, folder = pairs.pop()
            for name, old in list(old_folder.kids.items()):
                if not old.lookups and not isinstance(old, Folder):
                    continue
                node = overlay.lookup(folder, name)
                if node is None or not _same(old, node):
                    old.gone = old.replaced = True
                    notices.append(StaleName(old_folder.inode, name))
                    notices += self._let_go(old)
                    continue
                self._move(proposal, old, node)
                notices.append(StaleAttributes(old_folder.inode, node.inode))
                if isinstance(old, Folder) and isinstance(node, Folder):
                    pairs.append((old, node))
        return notices

    def _move(self, proposal: Proposal, old: Node, node: Node) -> None:
        node.inode, node.lookups, node.atime_ns = old.inode, old.lookups, old.atime_ns
        node.uid, node.gid = old.uid, old.gid
        if isinstance(old, Leaf) and isinstance(node, Leaf):
            node.live = old.live
        if node.inode in self._known:
            self._known[node.inode] = proposal, node

    def _let_go(self, node: Node) -> list[Notice]:
        """What lies beneath is gone; the kernel may still hold it, open or as working folders."""
        notices: list[Notice] = []
        left = [node]
        while left:
            above = left.pop()
            if isinstance(above, Leaf):
                above.charged = 0
            if isinstance(above, Folder):
                for kid in above.kids.values():
                    kid.gone = kid.replaced = True
                    if kid.lookups:
                        notices.append(StaleName(above.inode, kid.name))
                    left.append(kid)
        return notices


def _same(old: Node, node: Node) -> bool:
    if isinstance(old, Leaf) and isinstance(node, Leaf):
        return old.kind == node.kind and old.hash == node.hash
    return old.kind == node.kind
