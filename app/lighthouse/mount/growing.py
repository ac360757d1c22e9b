"""A regular file of lines that grows at its end, bounded in size, for `tail -f` to follow."""

import threading
import time


class GrowingLines:
    """The newest lines, at most `bound` bytes of them. Appended to from any thread.

    Positions are absolute: the count of bytes ever written. The file holds those from `start` on; over the
    bound it is cut down to its newest quarter. A quarter, not half: a follower finds out by polling that the
    file has become smaller than what it has read, so it must stay smaller until the next poll.
    """

    def __init__(self, bound: int) -> None:
        self.bound = bound
        self.start = 0
        self.mtime_ns = time.time_ns()
        self.held = bytearray()
        # Held while `start` and `held` must agree.
        self.lock = threading.Lock()

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return len(self.held)

    def append(self, lines: bytes) -> None:
        """Add whole lines, each with its newline."""
        with self.lock:
            self.held += lines
            self.mtime_ns = time.time_ns()
            if len(self.held) > self.bound:
                # The last line stays, however long it is.
                last = self.held.rfind(b"\n", 0, len(self.held) - 1) + 1
                cut = min(self.held.find(b"\n", len(self.held) - self.bound // 4) + 1, last)
                del self.held[:cut]
                self.start += cut


class Follower:
    """An open handle on GrowingLines. Offsets keep meaning what they meant when it was opened.

    So a reader that is in the middle when the file is cut goes on without a break, and one that had read to
    the end and starts again at 0, as `tail -f` does after "file truncated", is given what it has not had yet:
    no line lost, none twice. Only who was further behind than what is kept misses lines.
    """

    def __init__(self, lines: GrowingLines) -> None:
        self._lines = lines
        self._base = self._seen = lines.start
        self._at_end = False

    def read(self, offset: int, size: int) -> bytes:
        """Bytes at the handle's `offset`; empty at the end."""
        with self._lines.lock:
            start, held = self._lines.start, self._lines.held
            if offset == 0 and self._base < start:
                self._base = max(self._seen, start) if self._at_end else start
            position = self._base + offset
            if position < start:
                # Fell behind. The byte before `start` ended a line: it parts what was read from what comes.
                position = start - 1
                self._base = position - offset
                data = b"\n" + bytes(held[: size - 1])
            else:
                data = bytes(held[position - start : position - start + size])
            self._seen = max(self._seen, position + len(data))
            self._at_end = position + len(data) >= start + len(held)
            return data
