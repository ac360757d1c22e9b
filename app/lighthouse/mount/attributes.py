"""What stat shows: captured modes, sizes and times, with the configured owner and the cache rules."""

import stat

import pyfuse3

# The kernel may keep what it was told for an hour: every change is taken back explicitly.
KEEP = 3600.0
# Every way into the mount leads through its root: so a dead server shows, and not the cache of a living one.
ROOT_KEEP = 1.0

FOLDER_MODE = stat.S_IFDIR | 0o750
GENERATED_MODE = stat.S_IFREG | 0o440
LINK_MODE = stat.S_IFLNK | 0o777


def captured_mode(kind: str, mode: int, *, marked: bool = False) -> int:
    """The mode of a captured entry: the owner keeps its r and x, the group gets the same, others nothing.

    A marked file shows its marker's text instead of its content, and that is readable.
    """
    if kind == "d":
        return FOLDER_MODE
    if kind == "l":
        return LINK_MODE
    if marked:
        return GENERATED_MODE
    owner = mode & 0o500
    return stat.S_IFREG | owner | owner >> 3


class Owner:
    """Fills attributes; everything on the mount has the same numeric owner and group."""

    __slots__ = ("gid", "uid")

    def __init__(self, uid: int, gid: int) -> None:
        self.uid = uid
        self.gid = gid

    def attributes(
        self,
        inode: int,
        mode: int,
        size: int,
        mtime_ns: int,
        *,
        links: int = 1,
        keep: float = KEEP,
        keep_name: float = KEEP,
    ) -> pyfuse3.EntryAttributes:
        """Attributes of `inode`; for how many seconds the kernel may keep them, and that a name leads there.

        A folder has one link: find and others take that as "count not kept", and look.
        """
        entry = pyfuse3.EntryAttributes()
        entry.st_ino = inode
        entry.st_mode = mode
        entry.st_nlink = links
        entry.st_uid = self.uid
        entry.st_gid = self.gid
        entry.st_size = size
        entry.st_blocks = (size + 511) >> 9
        entry.st_atime_ns = entry.st_ctime_ns = entry.st_mtime_ns = mtime_ns
        entry.entry_timeout = keep_name
        entry.attr_timeout = keep
        return entry
