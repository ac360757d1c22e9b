"""Lines that are added at the end, bounded in memory, as a regular file that grows."""

import threading
import time


class GrowingLines:
    """The newest lines, at most `bound` bytes of them. Appended to from any thread.

    Positions are absolute: the count of bytes ever written. Those from `start` on are held; over the bound
    they are cut down to the newest half, and who looks for the file after that finds another one, which
    begins there.
    """

    def __init__(self, bound: int) -> None:
        self.bound = bound
        self.start = 0
        self.mtime_ns = time.time_ns()
        self.held = bytearray()
        self.lock = threading.Lock()
        self._file = GrowingFile(self, 0)

    @property
    def end(self) -> int:
        """Bytes ever written."""
        with self.lock:
            return self.start + len(self.held)

    def append(self, lines: bytes) -> None:
        """Add whole lines, each with its newline."""
        with self.lock:
            self.held += lines
            self.mtime_ns = time.time_ns()
            if len(self.held) > self.bound:
                # The last line stays, however long it is.
                last = self.held.rfind(b"\n", 0, len(self.held) - 1) + 1
                cut = min(self.held.find(b"\n", len(self.held) - self.bound // 2) + 1, last)
                del self.held[:cut]
                self.start += cut
                self._file = GrowingFile(self, self.start)

    def file(self) -> "GrowingFile":
        """The file as who looks for it now finds it."""
        with self.lock:
            return self._file


class GrowingFile:
    """The lines from one cut on. It goes on growing when the next cut has come, for those who follow it.

    So `tail -f` reads on across the cuts, each line once, and `tail -F` is told that the file was replaced.
    What lies before the last cut is no longer there: whoever is that far behind reads empty lines in its
    place.
    """

    __slots__ = ("_begin", "_lines")

    def __init__(self, lines: GrowingLines, begin: int) -> None:
        self._lines = lines
        self._begin = begin

    @property
    def size(self) -> int:
        return self._lines.end - self._begin

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
