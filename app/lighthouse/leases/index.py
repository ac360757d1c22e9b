"""Which leases cover a path: a tree of their names, so that a path costs its depth and not all leases."""

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, Literal, TypeVar

import msgspec

from lighthouse.leases.pattern import Names, head, is_wild, meet

T = TypeVar("T")

Extent = Literal["one", "into", "all"]
"""What of a path is meant: itself; itself or, where it is a folder, what is in it; it and all beneath."""

IsFolder = Callable[[Names], bool]


class Touch(msgspec.Struct, frozen=True):
    """A path that a call would change, by its names from the project's root."""

    names: Names
    extent: Extent


class _Node(Generic[T]):
    __slots__ = ("children", "here")

    def __init__(self) -> None:
        self.children: dict[str, _Node[T]] = {}
        # What is left of a pattern, from its first glob on, and whose it is.
        self.here: list[tuple[Names, T]] = []

    def beneath(self, above: Names = ()) -> Iterator[tuple[Names, T]]:
        """All patterns here and deeper, by their names from this node."""
        for rest, thing in self.here:
            yield above + rest, thing
        for name, child in self.children.items():
            yield from child.beneath((*above, name))


class Index(Generic[T]):
    """Made of patterns, each with what it belongs to."""

    def __init__(self, patterns: Iterable[tuple[Names, T]]) -> None:
        self._root: _Node[T] = _Node()
        for names, thing in patterns:
            node = self._root
            literal = head(names)
            for name in literal:
                node = node.children.setdefault(name, _Node())
            node.here.append((names[len(literal) :], thing))

    def touched(self, touch: Touch, is_folder: IsFolder) -> Iterator[T]:
        """What belongs to the patterns that take in some of what is touched; some may come twice."""
        names, beneath = touch.names, touch.extent == "all"
        into = touch.extent == "into" and not any(map(is_wild, names))
        if touch.extent == "into":
            beneath = not into or is_folder(names)
        node = self._root
        for number, name in enumerate(names):
            if is_wild(name):
                for pattern, thing in node.beneath():
                    if meet(pattern, names[number:], beneath=beneath):
                        yield thing
                return
            for rest, thing in node.here:
                if meet(rest, names[number:], beneath=beneath):
                    yield thing
            following = node.children.get(name)
            if following is None:
                return
            node = following
        if beneath or into:
            # A folder that is not there yet may be made with all that is leased in it.
            for _, thing in node.beneath():
                yield thing
        else:
            for rest, thing in node.here:
                if meet(rest, (), beneath=False):
                    yield thing
