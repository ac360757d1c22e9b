"""What other rooms hand to the mount to be shown: one tree that changes, or trees by name."""

from collections.abc import Callable, Mapping
from typing import Protocol

from lighthouse.shadow import TreeChange
from lighthouse.shadow.shadow import Shadow
from lighthouse.shadow.tree import Tree


class LiveView(Protocol):
    """A folder of the mount that shows one tree, the present one. All of it is called on the event loop.

    A tree never changes; another one takes its place. Its folders must be at hand in memory.
    """

    @property
    def tree(self) -> Tree:
        """The tree as it is now."""
        ...

    def add_listener(self, callback: Callable[[Tree], None]) -> None:
        """Call `callback` on the event loop with each new tree, once it is what `tree` gives."""
        ...

    def read_cached(self, content: bytes, offset: int, size: int) -> bytes | None:
        """Bytes of a content of its own, by hash; None for one that the shadow has to be asked for."""
        ...


class NamedViews(Protocol):
    """A folder of the mount that holds one tree for each name."""

    def names(self) -> Mapping[str, int]:
        """The names to be listed, with the time of each in nanoseconds. On the event loop; no waiting."""
        ...

    def open(self, name: str) -> "Tree | str | None":
        """The tree called `name`; None where there is none. In a thread, so it may read the disk.

        A text is another name in the same folder that this one leads to, as a symbolic link.
        """
        ...

    def add_listener(self, callback: Callable[[str], None]) -> None:
        """Call `callback` on the event loop with each name that came, went or means another tree."""
        ...


class Current:
    """The project as it stands, as a LiveView."""

    def __init__(self, shadow: Shadow) -> None:
        self._shadow = shadow

    @property
    def tree(self) -> Tree:
        return self._shadow.current

    def add_listener(self, callback: Callable[[Tree], None]) -> None:
        def follow(change: TreeChange) -> None:
            callback(change.new)

        self._shadow.add_listener(follow)

    def read_cached(self, content: bytes, offset: int, size: int) -> bytes | None:
        return self._shadow.read_cached(content, offset, size)
