"""Open files and folders of the proposals' mount, by number."""

from itertools import count

from lighthouse.proposals import Patch


class OpenFile:
    """A file that user `uid` has open. By its inode: the node behind it may become another one."""

    __slots__ = ("inode", "uid", "writes")

    def __init__(self, inode: int, uid: int, *, writes: bool) -> None:
        self.inode = inode
        self.uid = uid
        self.writes = writes


class Listing:
    """An open folder, and the names it held when its listing began; None is the folder of all proposals."""

    __slots__ = ("inode", "names")

    def __init__(self, inode: int | None) -> None:
        self.inode = inode
        self.names: list[bytes] = []


class Handles:
    """Numbers for what is open; none is used twice."""

    def __init__(self) -> None:
        self.files: dict[int, OpenFile | Patch] = {}
        self.folders: dict[int, Listing] = {}
        self._numbers = count(1)

    @property
    def patches(self) -> int:
        """How many patches are open."""
        return sum(isinstance(opened, Patch) for opened in self.files.values())

    def open_file(self, opened: OpenFile | Patch) -> int:
        """Keep an open file; its number."""
        number = next(self._numbers)
        self.files[number] = opened
        return number

    def open_folder(self, listing: Listing) -> int:
        """Keep an open folder; its number."""
        number = next(self._numbers)
        self.folders[number] = listing
        return number
