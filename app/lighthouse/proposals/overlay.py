"""A proposal's tree: what was changed, over a version of the project that stays what it is."""

from collections.abc import Iterator, Mapping

from lighthouse.paths import ProjectPath
from lighthouse.proposals.node import Folder, Leaf, Node
from lighthouse.shadow.entry import FILE, FOLDER, Entry, Kind
from lighthouse.shadow.merkle import EMPTY
from lighthouse.shadow.tree import Tree

TOP_MODE = 0o770
LINK_MODE = 0o777
# A folder with more entries may be too large for the reader's cache, and costs long to load.
LARGE = 2000


class Overlay:
    """Copy-on-write over `base`. Memory goes with what was changed or is being looked at.

    `entries` counts what was changed: nodes of its own and hidden names; `bytes` are those of its contents.
    `revision` grows with every change that is kept. The methods that change do what they are told: whether it
    may be done is asked before, see `rules`. Everything happens on the event loop.
    """

    def __init__(self, base: Tree) -> None:
        self.base = base
        self.root = Folder(b"", None, TOP_MODE, base.mtime_ns, origin=(), own=False)
        self.entries = 0
        self.bytes = 0
        self.revision = 0
        self._large: tuple[ProjectPath, Mapping[bytes, Entry]] | None = None

    # -- looking --

    def lookup(self, folder: Folder, name: bytes) -> Node | None:
        """What is called `name` in `folder`; its node is made if need be."""
        node = folder.kids.get(name)
        if node is not None:
            return node
        entry = self._beneath(folder, name)
        return None if entry is None else self._adopt(folder, entry)

    def find(self, path: ProjectPath) -> Node | None:
        """What lies at `path`; links on the way are not followed."""
        node: Node | None = self.root
        for name in path:
            if not isinstance(node, Folder):
                return None
            node = self.lookup(node, name)
        return node

    def names(self, folder: Folder) -> list[bytes]:
        """All names in `folder`: first those of the base, in its order."""
        beneath = self._base_of(folder)
        found = [name for name in beneath if name in folder.kids or name not in folder.hidden]
        return found + [name for name in folder.kids if name not in beneath]

    def entries_of(self, folder: Folder) -> Iterator[Entry]:
        """What the base contributes to `folder` where nothing of the proposal's stands in front of it."""
        for name, entry in self._base_of(folder).items():
            if name not in folder.hidden and name not in folder.kids:
                yield entry

    def is_empty(self, folder: Folder) -> bool:
        """Whether nothing lies in `folder`."""
        return not folder.kids and next(self.entries_of(folder), None) is None

    def touches(self, path: ProjectPath) -> bool:
        """Whether the proposal changed something at `path`, above or beneath; cheap, rather yes than no."""
        node: Node = self.root
        for name in path:
            if not isinstance(node, Folder) or name in node.hidden or node.origin != node.path():
                return True
            below = node.kids.get(name)
            if below is None:
                return False
            node = below
        return node.own or isinstance(node, Folder)

    def author(self, path: ProjectPath) -> int | None:
        """The user who last changed what lies at `path`, or moved a folder that it lies in."""
        node: Node = self.root
        found = None
        for name in path:
            below = node.kids.get(name) if isinstance(node, Folder) else None
            if below is None:
                break
            node = below
            found = found if node.by is None else node.by
        return found

    def drop_unused(self, node: Node) -> None:
        """Let go of a node that shows the base and that the kernel does not know; then of its parents."""
        while node.parent is not None and not (node.own or node.lookups > 0 or node.gone):
            if isinstance(node, Folder) and (node.kids or node.hidden):
                return
            parent = node.parent
            if parent.kids.get(node.name) is node:
                del parent.kids[node.name]
            node = parent

    # -- changing --

    def add(self, node: Node, at_ns: int) -> None:
        """Put a new node into its parent under its name."""
        parent = node.parent
        assert parent is not None  # noqa: S101  (the root is never added)
        parent.kids[node.name] = node
        self.entries += 1
        self.moved(parent, at_ns)

    def remove(self, node: Node, at_ns: int) -> None:
        """Take a node away; of a folder, one that is empty. What is open stays readable."""
        parent = self._unlink(node)
        node.gone = True
        node.ctime_ns = at_ns
        if isinstance(node, Folder):
            self.entries -= len(node.hidden)
            node.hidden.clear()
        if node.own:
            self.entries -= 1
        if isinstance(node, Leaf) and node.live is None:
            self.charge(node, 0)
        self.moved(parent, at_ns)

    def move(self, node: Node, folder: Folder, name: bytes, at_ns: int) -> None:
        """Put a node elsewhere; what lies there must have been removed."""
        parent = self._unlink(node)
        self.touch(node)
        self._link(node, folder, name)
        node.ctime_ns = at_ns
        self.moved(parent, at_ns)
        self.moved(folder, at_ns)

    def exchange(self, one: Node, other: Node, at_ns: int) -> None:
        """Let two nodes change places."""
        (first, name), (second, other_name) = (self._unlink(one), one.name), (self._unlink(other), other.name)
        for node, folder, called in ((one, second, other_name), (other, first, name)):
            self.touch(node)
            self._link(node, folder, called)
            node.ctime_ns = at_ns
            self.moved(folder, at_ns)

    def touch(self, node: Node) -> None:
        """Make a node the proposal's own."""
        if not node.own and node.parent is not None:
            node.own = True
            self.entries += 1

    def moved(self, folder: Folder, at_ns: int) -> None:
        """Something in `folder` came or went."""
        self.touch(folder)
        folder.mtime_ns = folder.ctime_ns = at_ns

    def charge(self, leaf: Leaf, size: int) -> None:
        """Let `size` bytes of a file count against the quota."""
        self.bytes += size - leaf.charged
        leaf.charged = size

    def _base_of(self, folder: Folder) -> Mapping[bytes, Entry]:
        return EMPTY if folder.origin is None or folder.gone else self._children(folder.origin)

    def _beneath(self, folder: Folder, name: bytes) -> Entry | None:
        if folder.origin is None or folder.gone or name in folder.hidden:
            return None
        return self._children(folder.origin).get(name)

    def _children(self, origin: ProjectPath) -> Mapping[bytes, Entry]:
        """A folder of the base. A large one is kept until another is asked for: it is asked name by name."""
        if self._large is not None and self._large[0] == origin:
            return self._large[1]
        entries = self.base.children(origin)
        if len(entries) > LARGE:
            self._large = origin, entries
        return entries

    def _adopt(self, folder: Folder, entry: Entry) -> Node:
        node: Node
        if entry.kind == FOLDER:
            origin = (*(folder.origin or ()), entry.name)
            node = Folder(entry.name, folder, _shared(entry.mode), entry.mtime_ns, origin=origin, own=False)
        else:
            content = entry.hash, entry.size
            mode = _shared(entry.mode) if entry.kind == FILE else LINK_MODE
            node = Leaf(entry.name, folder, entry.kind, mode, entry.mtime_ns, content, base=entry, own=False)
        folder.kids[entry.name] = node
        return node

    def _unlink(self, node: Node) -> Folder:
        parent = node.parent
        assert parent is not None  # noqa: S101  (the root stays where it is)
        parent.kids.pop(node.name, None)
        if self._beneath(parent, node.name) is not None:
            parent.hidden.add(node.name)
            self.entries += 1
        return parent

    def _link(self, node: Node, folder: Folder, name: bytes) -> None:
        node.parent, node.name = folder, name
        folder.kids[name] = node


def new_leaf(
    folder: Folder, name: bytes, kind: Kind, mode: int, at_ns: int, content: tuple[bytes, int]
) -> Leaf:
    """A file or link that did not exist before; to be added."""
    return Leaf(name, folder, kind, mode if kind == FILE else LINK_MODE, at_ns, content, own=True)


def new_folder(folder: Folder, name: bytes, mode: int, at_ns: int) -> Folder:
    """A folder that did not exist before; to be added."""
    return Folder(name, folder, mode, at_ns, own=True)


def _shared(mode: int) -> int:
    """The mode in which a captured entry is shown: what its owner may, the group may; others nothing."""
    owner = mode & 0o700
    return owner | owner >> 3
