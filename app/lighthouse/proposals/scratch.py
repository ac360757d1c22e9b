"""Files that are open: their bytes lie in scratch files from the first write until they are kept."""

import asyncio
import errno
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import ParamSpec, TypeVar

from lighthouse.proposals.node import Leaf
from lighthouse.shadow import Shadow

FOLDER = "proposals"
COPY_BYTES = 1024 * 1024
THREADS = 4
# Each holds a descriptor; a process often has 1024 of them.
MAX_WRITTEN = 300

P = ParamSpec("P")
T = TypeVar("T")


class Live:
    """What an open file is at the moment. `path` is None until it is written to; then `size` is the file's.

    `changed`: it holds something that is not kept yet. `lock` is held by whoever writes, keeps or lets go.
    """

    __slots__ = ("changed", "fd", "handles", "lock", "path", "size")

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.handles = 0
        self.path: Path | None = None
        self.fd = -1
        self.size = 0
        self.changed = False


class Scratch:
    """The scratch files beneath a folder of the event store; what lies there at the start is thrown away.

    A crash loses what was not kept, and nobody was told that it was.
    """

    def __init__(self, store: Path, shadow: Shadow) -> None:
        self.folder = store / FOLDER
        self._shadow = shadow
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="proposals")
        self._numbers = count(1)
        self._written = 0

    def start(self) -> None:
        """Make the folder, or empty it."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        for left in self.folder.iterdir():
            left.unlink()

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=True)

    def new_path(self) -> Path:
        """A name that nothing in the folder has had."""
        return self.folder / str(next(self._numbers))

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call on one of the threads; a cancelled caller ends the waiting, not the call."""
        return await asyncio.wrap_future(self._threads.submit(function, *args, **kwargs))

    async def unfold(self, leaf: Leaf, live: Live, *, keep: int | None = None) -> None:
        """Give the file a scratch file holding its first `keep` bytes (None: all). The lock is held."""
        if live.path is not None:
            return
        if self._written >= MAX_WRITTEN:
            raise OSError(errno.ENFILE, "too many files are being written")
        path = self.new_path()
        self._written += 1
        size = leaf.size if keep is None else min(keep, leaf.size)
        try:
            live.fd = await self.run(self._copy, leaf.hash, size, path)
        except BaseException:
            self._written -= 1
            raise
        live.path, live.size = path, size

    def _copy(self, content: bytes, size: int, path: Path) -> int:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            for start in range(0, size, COPY_BYTES):
                _write(fd, self._shadow.read(content, start, min(COPY_BYTES, size - start)), start)
        except BaseException:
            os.close(fd)
            path.unlink()
            raise
        return fd

    async def read(self, live: Live, offset: int, size: int) -> bytes:
        """Bytes of a scratch file. The lock is held."""
        return await self.run(os.pread, live.fd, size, offset)

    async def write(self, live: Live, offset: int, data: bytes) -> None:
        """Write to a scratch file. The lock is held."""
        await self.run(_write, live.fd, data, offset)
        live.size = max(live.size, offset + len(data))
        live.changed = True

    async def truncate(self, live: Live, size: int) -> None:
        """Set a scratch file's length. The lock is held."""
        await self.run(os.ftruncate, live.fd, size)
        live.size = size
        live.changed = True

    async def fold(self, live: Live) -> None:
        """Throw the scratch file away. The lock is held."""
        path, fd = live.path, live.fd
        if path is not None:
            live.path, live.fd, live.changed = None, -1, False
            self._written -= 1
            await self.run(_throw_away, path, fd)


def _write(fd: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        done = os.pwrite(fd, view, offset)
        view, offset = view[done:], offset + done


def _throw_away(path: Path, fd: int) -> None:
    os.close(fd)
    path.unlink()
