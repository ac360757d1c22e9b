"""A folder that holds a tree for each name, opened when somebody looks: `context/`, `history/`."""

import time
from collections.abc import Mapping
from functools import partial

from pyfuse3 import EntryAttributes

from lighthouse.mount.attributes import FOLDER_MODE, Owner
from lighthouse.mount.inodes import Inode, Inodes
from lighthouse.mount.invalidation import Notice, StaleListing, StaleName
from lighthouse.mount.link import Link
from lighthouse.mount.nodes import Nodes, ReadCached
from lighthouse.mount.reading import Reading
from lighthouse.mount.stored import Held, StoredNodes
from lighthouse.mount.views import NamedViews
from lighthouse.shadow.tree import Tree


class NamedFolder(Inode):
    """Shows `views`. A name that is not listed is looked for all the same."""

    def __init__(
        self,
        number: int,
        views: NamedViews,
        inodes: Inodes,
        reading: Reading,
        read_cached: ReadCached,
        *,
        outer: int,
        held: Held,
    ) -> None:
        super().__init__(number)
        self._views = views
        self._inodes = inodes
        self._reading = reading
        self._read_cached = read_cached
        self._outer = outer
        self._held = held
        self._since = time.time_ns()
        self._trees: dict[bytes, StoredNodes] = {}
        self._links: dict[bytes, Link] = {}
        # Moves with each name that is told of, so that nothing looked up before is answered after.
        self._told = 0
        self._listed: tuple[Mapping[bytes, int], int] | None = None
        inodes.known[number] = self

    def attributes(self, owner: Owner) -> EntryAttributes:
        return owner.attributes(self.number, FOLDER_MODE, 0, self._list()[1])

    async def find(self, name: bytes) -> Inode | None:
        try:
            text = name.decode()
        except UnicodeDecodeError:
            return None
        while True:
            told = self._told
            if (held := self._trees.get(name)) is not None:
                return held.top
            found = await self._reading.run(self._views.open, text)
            if told == self._told:
                return self._inode(name, found)

    async def members(self) -> Mapping[bytes, int]:
        return self._list()[0]

    async def member(self, name: bytes, known: int) -> Inode | None:
        return await self.find(name)

    def changed(self, name: str) -> list[Notice]:
        """`name` came, went or means another tree: what the kernel must be told."""
        self._told += 1
        self._listed = None
        encoded = name.encode()
        notices: list[Notice] = [StaleName(self.number, encoded), StaleListing(self._outer, self.number)]
        held = self._trees.pop(encoded, None)
        return notices if held is None else notices + held.end()

    def _list(self) -> tuple[Mapping[bytes, int], int]:
        """The names, and the latest of their times. Kept, for each piece of a long listing asks."""
        if self._listed is None:
            names = {name.encode(): mtime_ns for name, mtime_ns in self._views.names().items()}
            self._listed = names, max(names.values(), default=self._since)
        return self._listed

    def _inode(self, name: bytes, found: Tree | str | None) -> Inode | None:
        if found is None:
            return None
        if isinstance(found, str):
            return self._link(name, found.encode())
        # Another look-up of the same name may have come first.
        held = self._trees.get(name)
        if held is None:
            held = self._trees[name] = StoredNodes(
                found,
                self._inodes,
                self._reading,
                self._read_cached,
                outer=self.number,
                held=self._held,
                ended=partial(self._tree_ended, name),
            )
        return held.top

    def _link(self, name: bytes, target: bytes) -> Link:
        link = self._links.get(name)
        if link is None or link.leads_to != target:
            number = self._inodes.next()
            link = self._links[name] = Link(number, target, partial(self._link_ended, name, number))
            self._inodes.known[number] = link
        return link

    def _tree_ended(self, name: bytes, nodes: Nodes) -> None:
        if self._trees.get(name) is nodes:
            del self._trees[name]

    def _link_ended(self, name: bytes, number: int) -> None:
        self._inodes.known.pop(number, None)
        link = self._links.get(name)
        if link is not None and link.number == number:
            del self._links[name]
