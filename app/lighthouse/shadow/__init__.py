"""The shadow: the project as captured, at every version, independent of what happens to its files."""

from lighthouse.shadow.change import Op, TreeChange
from lighthouse.shadow.entry import FILE, FOLDER, LINK, TOO_LARGE, UNREADABLE, Entry, Kind, Mark
from lighthouse.shadow.errors import ContentMissing, ContentsRefused, NoSuchVersion, NotCaptured, ProjectAway
from lighthouse.shadow.shadow import ReadResult, Shadow
from lighthouse.shadow.snapshot import Snapshot

__all__ = [
    "FILE",
    "FOLDER",
    "LINK",
    "TOO_LARGE",
    "UNREADABLE",
    "ContentMissing",
    "ContentsRefused",
    "Entry",
    "Kind",
    "Mark",
    "NoSuchVersion",
    "NotCaptured",
    "Op",
    "ProjectAway",
    "ReadResult",
    "Shadow",
    "Snapshot",
    "TreeChange",
]
