"""What stands at a path: at a moment, as the bridge tells it, and on disk, as it is found."""

import base64
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lighthouse import paths
from lighthouse.paths import ProjectPath

if TYPE_CHECKING:
    from lighthouse.client.answers_versions import TreeEntry

Kind = Literal["file", "folder", "symlink", "other"]
# Set-uid and its kin are not brought back: whoever restores is not whoever gave them.
PERMISSIONS = 0o777


@dataclass(frozen=True, slots=True)
class Then:
    """An entry of a captured version. `mark`: its content was not captured."""

    kind: Kind
    mode: int
    size: int
    hash: bytes
    target: bytes
    mark: str | None


@dataclass(frozen=True, slots=True)
class Now:
    """An entry on disk, its content read. `stamp` tells whether it was touched since."""

    kind: Kind
    mode: int
    size: int
    hash: bytes
    stamp: tuple[int, int, int, int]


def stamp_of(st: os.stat_result) -> tuple[int, int, int, int]:
    """Device and inode, size and change time: what no writer leaves as it was."""
    return st.st_dev, st.st_ino, st.st_size, st.st_ctime_ns


def by_path(entries: "list[TreeEntry]") -> dict[ProjectPath, Then]:
    """The bridge's list as a mapping, in its order."""
    return {_bytes(entry.path, entry.path_b64): _then(entry) for entry in entries}


def _then(entry: "TreeEntry") -> Then:
    target = b""
    if entry.target is not None:
        target = base64.b64decode(entry.target_b64) if entry.target_b64 else entry.target.encode()
    mode = int(entry.mode, 8) & PERMISSIONS
    return Then(entry.kind, mode, entry.size, bytes.fromhex(entry.hash), target, entry.mark)


def _bytes(path: str, encoded: str | None) -> ProjectPath:
    return paths.parse(base64.b64decode(encoded) if encoded else path)
