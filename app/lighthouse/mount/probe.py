"""What the loaded pyfuse3 can do beyond its releases."""

from types import ModuleType

from lighthouse.mount.fuse import READ


def gives_inode(fuse: ModuleType = READ) -> bool:
    """Whether handlers are given the inode of a file or folder that was never opened.

    Then open and opendir may be answered with ENOSYS, and the kernel serves both from its caches. Our patch
    (app/pyfuse3) brings that; it says so by a constant, for only a mount could show it.
    """
    return getattr(fuse, "INODE_AS_HANDLE", False) is True
