"""Trees that lie in the content store: folders are loaded when somebody looks, off the event loop."""

from collections import OrderedDict
from collections.abc import Callable

from lighthouse.mount.inodes import Inodes
from lighthouse.mount.nodes import Entries, Node, Nodes, ReadCached
from lighthouse.mount.reading import Reading
from lighthouse.shadow.tree import Tree

# Entries held for all stored trees together, some 350 bytes each; the folder looked into last in any case.
HELD_ENTRIES = 20_000


class Held:
    """The folders that were loaded last, by inode number."""

    def __init__(self) -> None:
        self._folders: OrderedDict[int, Entries] = OrderedDict()
        self._entries = 0

    def get(self, number: int) -> Entries | None:
        entries = self._folders.get(number)
        if entries is not None:
            self._folders.move_to_end(number)
        return entries

    def put(self, number: int, entries: Entries) -> None:
        if number in self._folders:
            return
        self._folders[number] = entries
        self._entries += len(entries) + 1
        while self._entries > HELD_ENTRIES and len(self._folders) > 1:
            self._entries -= len(self._folders.popitem(last=False)[1]) + 1


class StoredNodes(Nodes):
    """The nodes of one stored tree. `ended` is called when the kernel knows nothing of it any more."""

    def __init__(
        self,
        tree: Tree,
        inodes: Inodes,
        reading: Reading,
        read_cached: ReadCached,
        *,
        outer: int,
        held: Held,
        ended: Callable[[Nodes], None],
    ) -> None:
        super().__init__(tree, inodes, reading, read_cached, outer=outer, ended=ended)
        self._held = held

    def children(self, folder: Node) -> Entries | None:
        return {} if folder.gone else self._held.get(folder.number)

    async def load(self, folder: Node) -> Entries:
        entries = await self.reading.run(self.tree.children, folder.path())
        if folder.gone:
            return {}
        self._held.put(folder.number, entries)
        return entries
