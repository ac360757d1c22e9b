"""The shadow: the project as captured, at every version, independent of what happens to its files."""

from lighthouse.shadow.change import Op, TreeChange
from lighthouse.shadow.entry import FILE, FOLDER, LINK, TOO_LARGE, UNREADABLE, Entry, Kind, Mark
from lighthouse.shadow.errors import (
    BadMoment,
    BadNote,
    ContentMissing,
    ContentsRefused,
    NameTaken,
    NoSuchVersion,
    NotCaptured,
    ProjectAway,
)
from lighthouse.shadow.keeping import Leaf
from lighthouse.shadow.shadow import ReadResult, Shadow
from lighthouse.shadow.snapshot import Snapshot
from lighthouse.shadow.snapshots import Named, Snapshots
from lighthouse.shadow.tree import Tree

__all__ = [
    "FILE",
    "FOLDER",
    "LINK",
    "TOO_LARGE",
    "UNREADABLE",
    "BadMoment",
    "BadNote",
    "ContentMissing",
    "ContentsRefused",
    "Entry",
    "Kind",
    "Leaf",
    "Mark",
    "NameTaken",
    "Named",
    "NoSuchVersion",
    "NotCaptured",
    "Op",
    "ProjectAway",
    "ReadResult",
    "Shadow",
    "Snapshot",
    "Snapshots",
    "Tree",
    "TreeChange",
]
