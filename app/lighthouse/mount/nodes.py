"""The inodes the kernel knows, each bound to a place in the tree, and what a new version makes stale."""

from collections.abc import Mapping
from itertools import count

from lighthouse.mount.invalidation import Notice, StaleAttributes, StaleName
from lighthouse.paths import ProjectPath
from lighthouse.shadow.entry import FOLDER, Entry
from lighthouse.shadow.snapshot import Snapshot

# Numbers below are for what the mount itself puts beside the project.
FIRST_FREE = 64


class Node:
    """One inode under `current`: a folder at its path, or one content of a file at its path.

    A folder keeps its inode while it lives, so that it can be someone's working folder. A file whose content
    changes gets a new one, as if it had been replaced by a rename: so the pages the kernel caches for an
    inode are never wrong, and whoever has the old one open (or mapped) keeps reading what was opened. Numbers
    are never used twice.
    """

    __slots__ = ("entry", "gone", "inode", "kids", "lookups", "name", "parent")

    def __init__(self, inode: int, parent: "Node | None", name: bytes, entry: Entry) -> None:
        self.inode = inode
        self.parent = parent
        self.name = name
        self.entry = entry
        self.lookups = 0
        self.gone = False
        self.kids: dict[bytes, Node] | None = None

    def path(self) -> ProjectPath:
        """Its path from the project's root."""
        names = []
        node = self
        while node.parent is not None:
            names.append(node.name)
            node = node.parent
        return tuple(reversed(names))


class Nodes:
    """The nodes beneath one folder of the mount that shows a version of the project, as `current` does.

    `outer` is the inode of the folder above, `top` that of the project's root; the top is always known.
    Lookup counts are the kernel's: each answer to a look-up and each entry of a listing adds one, forget
    takes them back, and a node at nought is dropped. Everything happens on the event loop.
    """

    def __init__(self, snapshot: Snapshot, *, top: int, outer: int) -> None:
        self.snapshot = snapshot
        self.top = Node(top, None, b"", _root_entry(snapshot))
        self._outer = outer
        self._known: dict[int, Node] = {top: self.top}
        self._numbers = count(FIRST_FREE)

    def __len__(self) -> int:
        """How many the kernel may know."""
        return len(self._known)

    def get(self, inode: int) -> Node | None:
        """The node with that number, if the kernel may know it."""
        return self._known.get(inode)

    def children(self, folder: Node) -> Mapping[bytes, Entry]:
        """What lies in `folder` now; nothing where it is gone, as in a removed folder on a disk."""
        return {} if folder.gone else self.snapshot.children(folder.path())

    def child(self, folder: Node, entry: Entry) -> Node:
        """The node for `entry`, which lies in `folder` now; made if need be. Its count is untouched."""
        kids = folder.kids
        if kids is None:
            kids = folder.kids = {}
        node = kids.get(entry.name)
        if node is None:
            # The entry's own name object: one for both.
            node = kids[entry.name] = Node(next(self._numbers), folder, entry.name, entry)
            self._known[node.inode] = node
        return node

    def lookup(self, folder: Node, name: bytes) -> Node | None:
        """The node called `name` in `folder`, its count raised; None if there is no such entry."""
        entry = self.children(folder).get(name)
        if entry is None:
            return None
        node = self.child(folder, entry)
        node.lookups += 1
        return node

    def forget(self, inode: int, lookups: int) -> None:
        """The kernel takes back `lookups` counts."""
        node = self._known.get(inode)
        if node is not None:
            node.lookups -= lookups
            self.drop_unused(node)

    def drop_unused(self, node: Node) -> None:
        """Let go of `node` if the kernel does not know it, then of its parent likewise."""
        while node.lookups <= 0 and not node.kids and node.parent is not None:
            self._known.pop(node.inode, None)
            parent = node.parent
            if parent.kids is not None and parent.kids.get(node.name) is node:
                del parent.kids[node.name]
            if not parent.kids:
                parent.kids = None
            node = parent

    def update(self, snapshot: Snapshot) -> list[Notice]:
        """Show `snapshot` from now on; returns what the kernel must be told, outermost first.

        Looks only at nodes the kernel knows, beneath folders whose hash changed.
        """
        self.snapshot = snapshot
        notices: list[Notice] = []
        top = self.top
        before, top.entry = top.entry, _root_entry(snapshot)
        if _attributes(before) != _attributes(top.entry):
            notices.append(StaleAttributes(self._outer, top.inode))
        # A stack, not recursion: names of one byte can be nested deeper than Python likes.
        changed: list[tuple[Node, ProjectPath]] = [(top, ())] if before.hash != top.entry.hash else []
        while changed:
            folder, path = changed.pop()
            entries = snapshot.children(path)
            for name, node in list((folder.kids or {}).items()):
                old, new = node.entry, entries.get(name)
                if new is old:
                    continue
                if new is None or not _same_thing(old, new):
                    notices += self._detach(folder, node)
                    continue
                node.entry = new
                if _attributes(old) != _attributes(new):
                    notices.append(StaleAttributes(folder.inode, node.inode))
                if old.hash != new.hash:
                    changed.append((node, (*path, name)))
        return notices

    def _detach(self, folder: Node, node: Node) -> list[Notice]:
        """Mark `node` and all beneath as gone; the kernel may still hold them, open or as working folders."""
        notices: list[Notice] = []
        found = [(folder, node)]
        while found:
            above, node = found.pop()
            notices.append(StaleName(above.inode, node.name))
            found += [(node, kid) for kid in (node.kids or {}).values()]
            node.gone = True
            node.kids = None
            if above.kids is not None:
                above.kids.pop(node.name, None)
            self.drop_unused(node)
        return notices


def _root_entry(snapshot: Snapshot) -> Entry:
    entry = snapshot.lookup(())
    if entry is None:
        raise LookupError(f"{snapshot!r} has no root folder")
    return entry


def _same_thing(old: Entry, new: Entry) -> bool:
    return old.kind == new.kind and (old.kind == FOLDER or old.hash == new.hash)


def _attributes(entry: Entry) -> tuple[object, ...]:
    return entry.mode, entry.mtime_ns, entry.mark
