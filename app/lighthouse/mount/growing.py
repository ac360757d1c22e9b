"""Lines that are added at the end, bounded in memory, as a regular file that grows."""

import threading
import time
from collections.abc import Callable
from weakref import WeakSet


class GrowingLines:
    """The newest lines, at most `bound` bytes of them. Appended to from any thread.

    Positions are absolute: the count of bytes ever written. Those from `start` on are held; over the bound
    they are cut down to the newest half, and who looks for the file after that finds another one, which
    begins there. Readers are told of bytes up to `shown`.
    """

    def __init__(self, bound: int) -> None:
        self.bound = bound
        self.start = 0
        self.shown = 0
        self.mtime_ns = time.time_ns()
        self.held = bytearray()
        self.lock = threading.Lock()
        self._files: WeakSet[GrowingFile] = WeakSet()
        self._file = self._begin()

    def append(self, lines: bytes) -> None:
        """Add whole lines, each with its newline. They can be read, but are not told of before `show`."""
        with self.lock:
            self.held += lines
            if len(self.held) > self.bound:
                # The last line stays, however long it is.
                last = self.held.rfind(b"\n", 0, len(self.held) - 1) + 1
                cut = min(self.held.find(b"\n", len(self.held) - self.bound // 2) + 1, last)
                del self.held[:cut]
                self.start += cut
                self._file = self._begin()

    def show(self, forget: Callable[[int], None]) -> None:
        """Tell readers of what there is by now, after `forget` made the kernel drop its pages of each inode.

        In this order, or a reader could be given the empty rest of a page that was read before it was full.
        """
        with self.lock:
            end = self.start + len(self.held)
            inodes = [file.inode for file in self._files if file.inode is not None]
        for inode in inodes:
            forget(inode)
        with self.lock:
            if end > self.shown:
                self.shown = end
                self.mtime_ns = time.time_ns()

    def file(self) -> "GrowingFile":
        """The file as who looks for it now finds it."""
        with self.lock:
            return self._file

    def _begin(self) -> "GrowingFile":
        file = GrowingFile(self, self.start)
        self._files.add(file)
        return file


class GrowingFile:
    """The lines from one cut on. It goes on growing when the next cut has come, for those who follow it.

    So `tail -f` reads on across the cuts, each line once, and `tail -F` is told that the file was replaced.
    What lies before the last cut is no longer there: whoever is that far behind reads empty lines in its
    place. `inode` is its number, once the kernel knows it.
    """

    def __init__(self, lines: GrowingLines, begin: int) -> None:
        self.inode: int | None = None
        self._lines = lines
        self._begin = begin

    @property
    def size(self) -> int:
        return max(self._lines.shown - self._begin, 0)

    @property
    def mtime_ns(self) -> int:
        return self._lines.mtime_ns

    def read(self, offset: int, size: int) -> bytes:
        lines = self._lines
        with lines.lock:
            position = self._begin + offset
            missing = min(max(lines.start - position, 0), size)
            begin = max(position - lines.start, 0)
            return b"\n" * missing + bytes(lines.held[begin : begin + size - missing])
