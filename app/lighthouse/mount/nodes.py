"""The inodes of one tree, each bound to a place in it, and what the kernel must be told when it changes."""

from collections.abc import Callable, Mapping

from pyfuse3 import EntryAttributes

from lighthouse.mount.ahead import Ahead
from lighthouse.mount.attributes import Owner, captured_mode
from lighthouse.mount.inodes import Inode, Inodes
from lighthouse.mount.invalidation import Notice, StaleAttributes, StaleListing, StaleName
from lighthouse.mount.reading import Reading
from lighthouse.paths import ProjectPath
from lighthouse.shadow.entry import FILE, FOLDER, Entry
from lighthouse.shadow.tree import Tree

SHA256 = b"user.lighthouse.sha256"
MARK = b"user.lighthouse.mark"

Entries = Mapping[bytes, Entry]
ReadCached = Callable[[bytes, int, int], bytes | None]


class Node(Inode):
    """One inode of a tree: a folder at its path, or one content of a file at its path.

    A folder keeps its inode while it lives, so that it can be someone's working folder. A file whose content
    changes gets a new one, as if it had been replaced by a rename: so the pages the kernel caches for an
    inode are never wrong, and whoever has the old one open (or mapped) keeps reading what was opened.
    """

    __slots__ = ("entry", "gone", "kids", "name", "nodes", "parent")

    def __init__(self, number: int, nodes: "Nodes", parent: "Node | None", name: bytes, entry: Entry) -> None:
        super().__init__(number)
        self.nodes = nodes
        self.parent = parent
        self.name = name
        self.entry = entry
        self.gone = False
        self.kids: dict[bytes, Node] | None = None

    def path(self) -> ProjectPath:
        """Its path from the root of the tree."""
        names = []
        node = self
        while node.parent is not None:
            names.append(node.name)
            node = node.parent
        return tuple(reversed(names))

    def attributes(self, owner: Owner) -> EntryAttributes:
        entry = self.entry
        mode = captured_mode(entry.kind, entry.mode, marked=entry.mark is not None)
        links = 0 if self.gone else 1
        return owner.attributes(self.number, mode, entry.size, entry.mtime_ns, links=links)

    def extended(self) -> dict[bytes, bytes]:
        if self.entry.kind != FILE:
            return {}
        values = {SHA256: self.entry.hex.encode()}
        if self.entry.mark is not None:
            values[MARK] = self.entry.mark.encode()
        return values

    def unused(self) -> None:
        self.nodes.drop_unused(self)

    def above(self) -> int:
        return self.nodes.outer if self.parent is None else self.parent.number

    async def find(self, name: bytes) -> "Node | None":
        entry = (await self.members()).get(name)
        return None if entry is None else self.nodes.child(self, entry)

    async def members(self) -> Entries:
        found = self.nodes.children(self)
        return found if found is not None else await self.nodes.load(self)

    async def member(self, name: bytes, known: Entry) -> "Node":
        return self.nodes.child(self, known)

    async def read(self, offset: int, size: int) -> bytes:
        found = self.nodes.read_cached(self.entry.hash, offset, size)
        if found is None:
            self.nodes.ahead.missed(self)
            found = await self.nodes.reading.read(self.entry.hash, offset, size)
        return found

    async def target(self) -> bytes:
        return await self.read(0, self.entry.size)


class Nodes:
    """The nodes of one tree that is held in memory, as that of `current` is.

    `outer` is the number of the folder above, `number` that of the tree's root, if it has one from the start.
    The root is always known, unless `ended` is given: that is called when the kernel knows nothing of the
    tree any more. Everything happens on the event loop.
    """

    def __init__(
        self,
        tree: Tree,
        inodes: Inodes,
        reading: Reading,
        read_cached: ReadCached,
        *,
        outer: int,
        number: int | None = None,
        ended: Callable[["Nodes"], None] | None = None,
    ) -> None:
        self.tree = tree
        self.reading = reading
        self.read_cached = read_cached
        self.ahead = Ahead(reading)
        self._inodes = inodes
        self.outer = outer
        self._ended = ended
        self.top = Node(inodes.next() if number is None else number, self, None, b"", _root_entry(tree))
        inodes.known[self.top.number] = self.top

    def children(self, folder: Node) -> Entries | None:
        """What lies in `folder` now; nothing where it is gone, as in a removed folder on a disk.

        None if that has to be loaded.
        """
        return {} if folder.gone else self.tree.children(folder.path())

    async def load(self, folder: Node) -> Entries:
        """What lies in `folder`, where `children` gave None."""
        raise LookupError(f"{folder.path()} is not at hand")

    def child(self, folder: Node, entry: Entry) -> Node:
        """The node for `entry`, which lies in `folder` now; made if need be. Its count is untouched."""
        kids = folder.kids
        if kids is None:
            kids = folder.kids = {}
        node = kids.get(entry.name)
        if node is None:
            # The entry's own name object: one for both.
            node = kids[entry.name] = Node(self._inodes.next(), self, folder, entry.name, entry)
            self._inodes.known[node.number] = node
        return node

    def drop_unused(self, node: Node) -> None:
        """Let go of `node` if the kernel does not know it, then of its parent likewise."""
        while node.lookups <= 0 and not node.kids:
            parent = node.parent
            if parent is None:
                if self._ended is not None:
                    self._inodes.known.pop(node.number, None)
                    self._ended(self)
                return
            self._inodes.known.pop(node.number, None)
            if parent.kids is not None and parent.kids.get(node.name) is node:
                del parent.kids[node.name]
            if not parent.kids:
                parent.kids = None
            node = parent

    def update(self, tree: Tree) -> list[Notice]:
        """Show `tree` from now on; returns what the kernel must be told, outermost first.

        Looks only at nodes the kernel knows, beneath folders whose hash changed.
        """
        former, self.tree = self.tree, tree
        notices: list[Notice] = []
        top = self.top
        before, top.entry = top.entry, _root_entry(tree)
        if _attributes(before) != _attributes(top.entry):
            notices.append(StaleAttributes(self.outer, top.number))
        # A stack, not recursion: names of one byte can be nested deeper than Python likes.
        changed: list[tuple[Node, ProjectPath, int]] = []
        if before.hash != top.entry.hash:
            changed.append((top, (), self.outer))
        while changed:
            folder, path, above = changed.pop()
            entries = tree.children(path)
            listed = former.children(path).keys() == entries.keys()
            for name, node in list((folder.kids or {}).items()):
                old, new = node.entry, entries.get(name)
                if new is old:
                    continue
                if new is None or not _same_thing(old, new):
                    notices += self._detach(folder, node)
                    listed = False
                    continue
                node.entry = new
                if _attributes(old) != _attributes(new):
                    notices.append(StaleAttributes(folder.number, node.number))
                if old.hash != new.hash:
                    changed.append((node, (*path, name), folder.number))
            if not listed:
                notices.append(StaleListing(above, folder.number))
        return notices

    def end(self) -> list[Notice]:
        """The tree is no more: what the kernel must be told, the name of its root excepted."""
        return self._detach(None, self.top)

    def _detach(self, folder: Node | None, node: Node) -> list[Notice]:
        """Mark `node` and all beneath as gone; the kernel may still hold them, open or as working folders."""
        notices: list[Notice] = []
        found = [(folder, node)]
        while found:
            above, node = found.pop()
            if above is not None:
                notices.append(StaleName(above.number, node.name))
            if node.entry.kind == FOLDER:
                notices.append(StaleListing(above.number if above else self.outer, node.number))
            found += [(node, kid) for kid in (node.kids or {}).values()]
            node.gone = True
            node.kids = None
            if above is not None and above.kids is not None:
                above.kids.pop(node.name, None)
            self.drop_unused(node)
        return notices


def _root_entry(tree: Tree) -> Entry:
    entry = tree.lookup(())
    if entry is None:
        raise LookupError(f"{tree!r} has no root folder")
    return entry


def _same_thing(old: Entry, new: Entry) -> bool:
    return old.kind == new.kind and (old.kind == FOLDER or old.hash == new.hash)


def _attributes(entry: Entry) -> tuple[object, ...]:
    return entry.mode, entry.mtime_ns, entry.mark
