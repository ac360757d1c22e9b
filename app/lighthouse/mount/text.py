"""Files of `debug/`: text that is made when somebody looks for the file."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec


class Text:
    """A text as it was made at one moment."""

    __slots__ = ("_text", "inode", "mtime_ns")

    def __init__(self, text: bytes) -> None:
        self.inode: int | None = None
        self._text = text
        self.mtime_ns = time.time_ns()

    @property
    def size(self) -> int:
        return len(self._text)

    def read(self, offset: int, size: int) -> bytes:
        return self._text[offset : offset + size]

    def says(self, text: bytes) -> bool:
        """Whether it is the same text."""
        return self._text == text


class Rendered:
    """A source of what `render` returns: another Text whenever that is another one."""

    def __init__(self, render: Callable[[], bytes]) -> None:
        self._render = render
        self._last = Text(b"")

    def __call__(self) -> Text:
        text = self._render()
        if not self._last.says(text):
            self._last = Text(text)
        return self._last


def as_json(value: Callable[[], Mapping[str, Any]]) -> Callable[[], bytes]:
    """What `value` returns, as indented JSON."""
    return lambda: msgspec.json.format(msgspec.json.encode(value()), indent=2) + b"\n"


def as_counts(counts: Callable[[], Mapping[str, int]]) -> Callable[[], bytes]:
    """What `counts` returns, a line for each name."""
    return lambda: "".join(f"{name} {count}\n" for name, count in sorted(counts().items())).encode()
