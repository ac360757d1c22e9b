"""The root of the mount: which folders there are, what each shows, and how it follows what it shows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from os import fsencode
from pathlib import Path
from typing import Any, TypeVar

from lighthouse.mount import fixed
from lighthouse.mount.fixed import FixedFolder, Source
from lighthouse.mount.inodes import ROOT, Inode, Inodes
from lighthouse.mount.invalidation import Notice
from lighthouse.mount.link import Link
from lighthouse.mount.named import NamedFolder
from lighthouse.mount.nodes import Nodes, ReadCached
from lighthouse.mount.reading import Reading
from lighthouse.mount.stored import Held
from lighthouse.mount.text import Rendered, as_counts, as_json
from lighthouse.mount.views import LiveView, NamedViews
from lighthouse.shadow.tree import Tree

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rooms:
    """What the folders of the mount show; a folder whose room is None is absent."""

    current: LiveView
    history: NamedViews
    shadows: LiveView | None
    contexts: NamedViews | None
    proposals: Path
    health: Callable[[], Mapping[str, Any]]
    metrics: Callable[[], bytes] | None
    operations: Callable[[], Mapping[str, int]]

    def live(self) -> dict[int, LiveView]:
        """The rooms that show one tree, by the number of their folder."""
        return _present({fixed.CURRENT: self.current, fixed.SHADOWS: self.shadows})

    def named(self) -> dict[int, NamedViews]:
        """The rooms that show a tree for each name, likewise."""
        return _present({fixed.HISTORY: self.history, fixed.CONTEXT: self.contexts})

    def follow(self, changed: "Changed") -> None:
        """Call `changed` at each change of a room, with what makes a Top show that and gives its notices."""
        for number, view in self.live().items():
            view.add_listener(partial(_live_changed, changed, number))
        for number, views in self.named().items():
            views.add_listener(partial(_name_changed, changed, number))


class Top:
    """The tree of one session."""

    def __init__(
        self, rooms: Rooms, streams: Mapping[bytes, Source], reading: Reading, read_cached: ReadCached
    ) -> None:
        self.inodes = Inodes()
        self._live: dict[int, Nodes] = {}
        self._named: dict[int, NamedFolder] = {}
        held = Held()
        for number, view in rooms.live().items():
            self._live[number] = Nodes(
                view.tree, self.inodes, reading, view.read_cached, outer=ROOT, number=number
            )
        for number, views in rooms.named().items():
            self._named[number] = NamedFolder(
                number, views, self.inodes, reading, read_cached, outer=ROOT, held=held
            )
        debug: dict[bytes, Source] = {
            b"health.json": Rendered(as_json(rooms.health)),
            b"operations": Rendered(as_counts(rooms.operations)),
        }
        if rooms.metrics is not None:
            debug[b"metrics.prom"] = Rendered(rooms.metrics)
        proposals = Link(fixed.PROPOSALS, fsencode(rooms.proposals))
        self.inodes.known[fixed.PROPOSALS] = proposals
        members: dict[bytes, Inode] = {
            b"streams": FixedFolder(fixed.STREAMS, streams, self.inodes),
            b"debug": FixedFolder(fixed.DEBUG, debug, self.inodes),
            b"proposals": proposals,
        }
        for name, number in _NAMES.items():
            if number in self._live:
                members[name] = self._live[number].top
            elif number in self._named:
                members[name] = self._named[number]
        FixedFolder(ROOT, members, self.inodes)

    def update(self, number: int, tree: Tree) -> list[Notice]:
        """The folder of that number shows `tree` from now on; what the kernel must be told."""
        return self._live[number].update(tree)

    def renamed(self, number: int, name: str) -> list[Notice]:
        """`name` came to the folder of that number, went, or means another tree; likewise."""
        return self._named[number].changed(name)


_NAMES = {
    b"current": fixed.CURRENT,
    b"history": fixed.HISTORY,
    b"shadows": fixed.SHADOWS,
    b"context": fixed.CONTEXT,
}

Changed = Callable[[Callable[[Top], list[Notice]]], None]


def _live_changed(changed: Changed, number: int, tree: Tree) -> None:
    changed(lambda top: top.update(number, tree))


def _name_changed(changed: Changed, number: int, name: str) -> None:
    changed(lambda top: top.renamed(number, name))


def _present(rooms: Mapping[int, T | None]) -> dict[int, T]:
    return {number: room for number, room in rooms.items() if room is not None}
