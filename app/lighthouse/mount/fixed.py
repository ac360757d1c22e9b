"""What the mount itself puts beside the project: a few folders, the streams, and text made on the spot."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from lighthouse.mount.growing import Follower, GrowingLines

ROOT = 1
CURRENT = 2
STREAMS = 3
DEBUG = 4
STREAM_EVENTS = 5
DEBUG_HEALTH = 6


class Rendered:
    """An open handle on text made when the file was opened."""

    __slots__ = ("_text",)

    def __init__(self, text: bytes) -> None:
        self._text = text

    def read(self, offset: int, size: int) -> bytes:
        """A piece of the text."""
        return self._text[offset : offset + size]


class FixedFolder:
    """A folder whose members never change: name to inode."""

    __slots__ = ("inode", "members", "mtime_ns")

    def __init__(self, inode: int, members: Mapping[bytes, int]) -> None:
        self.inode = inode
        self.members = members
        self.mtime_ns = time.time_ns()


class FixedFile(Protocol):
    """A file that is always there and whose content is the mount's own; the kernel caches nothing of it."""

    def stat(self) -> tuple[int, int]:
        """Size in bytes and time of the last change in nanoseconds, now."""

    def open(self) -> Rendered | Follower:
        """A new handle."""


class StreamFile:
    """A stream, as a file that grows."""

    def __init__(self, lines: GrowingLines) -> None:
        self._lines = lines

    def stat(self) -> tuple[int, int]:
        return self._lines.size, self._lines.mtime_ns

    def open(self) -> Follower:
        return Follower(self._lines)


class JsonFile:
    """What `value` returns, as indented JSON, made anew for each stat and each open."""

    def __init__(self, value: Callable[[], Mapping[str, Any]]) -> None:
        self._value = value

    def stat(self) -> tuple[int, int]:
        return len(self._render()), time.time_ns()

    def open(self) -> Rendered:
        return Rendered(self._render())

    def _render(self) -> bytes:
        return msgspec.json.format(msgspec.json.encode(self._value()), indent=2) + b"\n"
