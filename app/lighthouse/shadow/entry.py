"""One entry of a captured folder, and the texts that stand in for what could not be captured."""

from typing import Literal

import msgspec

Kind = Literal["f", "d", "l"]
FILE: Kind = "f"
FOLDER: Kind = "d"
LINK: Kind = "l"

Mark = Literal["too_large", "unreadable"]
TOO_LARGE: Mark = "too_large"
UNREADABLE: Mark = "unreadable"


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A file, folder or symbolic link as captured. Stored in this field order.

    `name`: as the file system has it, in bytes. `kind`: `f`, `d` or `l`. `mode`: permission bits.
    `size`: bytes a reader gets (a link: length of its target; a folder: 0). `mtime_ns`: since 1970.
    `hash`: SHA-256 of the content, of the link's target, or of the folder's tree.
    `mark`: why a stand-in text is there instead of the content, or None; a marked folder is empty.
    """

    name: bytes
    kind: Kind
    mode: int
    size: int
    mtime_ns: int
    hash: bytes
    mark: Mark | None = None

    @property
    def hex(self) -> str:
        """The hash in hexadecimal, as events and HTTP show it."""
        return self.hash.hex()


def too_large_text(size: int, limit: int) -> bytes:
    """What readers see instead of a file of `size` bytes, where at most `limit` are captured."""
    return f"lighthouse: not captured: {size} bytes, over the limit of {limit}\n".encode()


def unreadable_text(reason: str) -> bytes:
    """What readers see instead of a file the bridge could not read."""
    return f"lighthouse: not captured: the bridge cannot read this file ({reason})\n".encode()
