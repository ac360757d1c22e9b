"""What stands behind an open file or folder: contents pinned at the open, generated text, listings."""

from itertools import count

from lighthouse.mount.fixed import FixedFolder, Rendered
from lighthouse.mount.growing import Follower
from lighthouse.mount.nodes import Node


class Pinned:
    """A captured content, by its hash: whatever becomes of the path, the handle reads this."""

    __slots__ = ("hash",)

    def __init__(self, content: bytes) -> None:
        self.hash = content


class Listing:
    """An open folder. Its names are taken as a listing starts: later steps skip what went, repeat nothing."""

    __slots__ = ("folder", "names")

    def __init__(self, folder: Node | FixedFolder) -> None:
        self.folder = folder
        self.names: list[bytes] = []


OpenFile = Pinned | Rendered | Follower


class Handles:
    """Open files and folders by number; numbers are never used twice."""

    def __init__(self) -> None:
        self.files: dict[int, OpenFile] = {}
        self.folders: dict[int, Listing] = {}
        self._numbers = count(1)

    def open_file(self, opened: OpenFile) -> int:
        """Keep an open file; returns its number."""
        number = next(self._numbers)
        self.files[number] = opened
        return number

    def open_folder(self, listing: Listing) -> int:
        """Keep an open folder; returns its number."""
        number = next(self._numbers)
        self.folders[number] = listing
        return number
