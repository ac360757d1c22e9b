"""A plain pass-through file system as one writes it with pyfuse3 as released: read-only, on trio, with real opens.

It lets the kernel cache all it can: names and attributes for an hour, contents across opens, whole listings with
attributes. It is told of nothing, so what it shows may be an hour old; that is its advantage here.

    python -m bench.passthrough FOLDER MOUNT_POINT
"""

import errno
import os
import stat
import sys
from collections.abc import Sequence

import pyfuse3
import trio

KEEP_SECONDS = 3600.0


class PassThrough(pyfuse3.Operations):
    """The files beneath `folder`, by paths that the kernel's inodes stand for."""

    def __init__(self, folder: bytes) -> None:
        super().__init__()
        self._paths: dict[int, bytes] = {pyfuse3.ROOT_INODE: folder}
        self._lookups: dict[int, int] = {}
        self._listings: dict[int, tuple[bytes, list[bytes]]] = {}
        self._next = 1

    async def lookup(self, parent_inode: int, name: bytes, ctx: pyfuse3.RequestContext) -> pyfuse3.EntryAttributes:
        return self._entered(os.path.join(self._paths[parent_inode], name))

    async def forget(self, inode_list: Sequence[tuple[int, int]]) -> None:
        for inode, count in inode_list:
            self._lookups[inode] = self._lookups.get(inode, 0) - count
            if self._lookups[inode] <= 0 and inode != pyfuse3.ROOT_INODE:
                del self._lookups[inode]
                self._paths.pop(inode, None)

    async def getattr(self, inode: int, ctx: pyfuse3.RequestContext) -> pyfuse3.EntryAttributes:
        return _attributes(self._paths[inode], inode)

    async def readlink(self, inode: int, ctx: pyfuse3.RequestContext) -> bytes:
        return os.readlink(self._paths[inode])

    async def open(self, inode: int, flags: int, ctx: pyfuse3.RequestContext) -> pyfuse3.FileInfo:
        try:
            return pyfuse3.FileInfo(fh=os.open(self._paths[inode], os.O_RDONLY), keep_cache=True)
        except OSError as error:
            raise pyfuse3.FUSEError(error.errno or errno.EIO) from None

    async def read(self, fh: int, off: int, size: int) -> bytes:
        return os.pread(fh, size, off)

    async def release(self, fh: int) -> None:
        os.close(fh)

    async def opendir(self, inode: int, ctx: pyfuse3.RequestContext) -> int:
        self._next += 1
        path = self._paths[inode]
        self._listings[self._next] = path, os.listdir(path)
        return self._next

    async def readdir(self, fh: int, start_id: int, token: pyfuse3.ReaddirToken) -> None:
        folder, names = self._listings[fh]
        for position in range(start_id, len(names)):
            name = names[position]
            attributes = self._entered(os.path.join(folder, name))
            if not pyfuse3.readdir_reply(token, name, attributes, position + 1):
                await self.forget([(attributes.st_ino, 1)])
                return

    async def releasedir(self, fh: int) -> None:
        del self._listings[fh]

    async def statfs(self, ctx: pyfuse3.RequestContext) -> pyfuse3.StatvfsData:
        found, answer = os.statvfs(self._paths[pyfuse3.ROOT_INODE]), pyfuse3.StatvfsData()
        for field in ("f_bsize", "f_frsize", "f_blocks", "f_bfree", "f_bavail", "f_files", "f_ffree", "f_favail"):
            setattr(answer, field, getattr(found, field))
        return answer

    def _entered(self, path: bytes) -> pyfuse3.EntryAttributes:
        attributes = _attributes(path)
        inode = attributes.st_ino
        self._paths[inode] = path
        self._lookups[inode] = self._lookups.get(inode, 0) + 1
        return attributes


def _attributes(path: bytes, inode: int | None = None) -> pyfuse3.EntryAttributes:
    try:
        st = os.lstat(path)
    except OSError as error:
        raise pyfuse3.FUSEError(error.errno or errno.EIO) from None
    found = pyfuse3.EntryAttributes()
    for field in ("st_mode", "st_nlink", "st_uid", "st_gid", "st_size", "st_atime_ns", "st_mtime_ns", "st_ctime_ns"):
        setattr(found, field, getattr(st, field))
    found.st_ino = st.st_ino if inode is None else inode
    found.st_blksize = 4096
    found.st_blocks = -(-st.st_size // 512) if stat.S_ISREG(st.st_mode) else 0
    found.entry_timeout = found.attr_timeout = KEEP_SECONDS
    return found


def main() -> None:
    """Mount and serve until unmounted."""
    folder, target = sys.argv[1:]
    options = set(pyfuse3.default_options) | {"fsname=passthrough", "ro"}
    pyfuse3.init(PassThrough(os.fsencode(folder)), target, options)
    try:
        trio.run(pyfuse3.main)
    finally:
        pyfuse3.close(unmount=False)


if __name__ == "__main__":
    main()
