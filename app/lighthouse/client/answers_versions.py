"""The answers about versions of the project: snapshots, what differs, what is in a tree."""

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["file", "folder", "symlink"]


@dataclass(frozen=True)
class SnapshotInfo:
    """A version with a name: `seq` is the version's number, `root` the hash of its tree."""

    name: str
    seq: int
    root: str
    created_at: str
    agent_id: str
    note: str = ""


@dataclass(frozen=True)
class SnapshotPage:
    """Snapshots in the order in which they were made; `total` is how many there are."""

    snapshots: list[SnapshotInfo]
    total: int


@dataclass(frozen=True)
class ChangedSide:
    """A file or link before or after a change; `mark` says why its content was not captured."""

    kind: Kind
    size: int
    mode: str
    hash: str
    mark: str | None = None


@dataclass(frozen=True)
class ChangedPath:
    """One change; `old` or `new` is null where nothing was or is. `similarity` is in per cent."""

    path: str
    op: Literal["created", "modified", "deleted", "renamed", "mode"]
    old: ChangedSide | None = None
    new: ChangedSide | None = None
    old_path: str | None = None
    similarity: int | None = None
    path_b64: str | None = None
    old_path_b64: str | None = None


@dataclass(frozen=True)
class Changes:
    """What differs between two versions, by path; `truncated` counts what is not listed."""

    from_seq: int
    to_seq: int
    changes: list[ChangedPath] = field(default_factory=list)
    truncated: int = 0


@dataclass(frozen=True)
class UpdatedShadow:
    """The version that holds what was in the project when the bridge was asked to look."""

    seq: int
    root: str


@dataclass(frozen=True)
class TreeEntry:
    """A file, folder or symlink of a tree, by its path from the project's root."""

    path: str
    kind: Kind
    size: int
    mode: str
    mtime: str
    hash: str
    mark: str | None = None
    target: str | None = None
    path_b64: str | None = None
    target_b64: str | None = None


@dataclass(frozen=True)
class TreePage:
    """Entries in the order of their paths; `next_cursor` fetches the next page and is null on the last."""

    seq: int
    root: str
    entries: list[TreeEntry]
    next_cursor: str | None = None
