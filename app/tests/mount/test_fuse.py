"""Two sessions at a time in one process: each copy of pyfuse3 has its own."""

import asyncio
import errno
import os
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from lighthouse.mount import MountRefused, mountpoint
from lighthouse.mount.connection import Connection
from lighthouse.mount.fuse import READ, WRITE
from lighthouse.mount.probe import gives_inode

PATIENCE = 20
mounting = pytest.mark.skipif(not Path("/dev/fuse").exists(), reason="this machine has no /dev/fuse")


def one_file(fuse: ModuleType, content: bytes, opened: asyncio.Event, *, opens: bool = True) -> Any:
    """Operations of a root that holds `file`. Handles are inodes plus 40, or none without `opens`."""
    more = 40 if opens else 0

    class OneFile(fuse.Operations):
        def init(self) -> None:
            opened.set()

        async def getattr(self, inode, ctx):
            found = fuse.EntryAttributes()
            found.st_ino = inode
            found.st_mode = stat.S_IFDIR | 0o755 if inode == 1 else stat.S_IFREG | 0o444
            found.st_size = 0 if inode == 1 else len(content)
            return found

        async def lookup(self, parent, name, ctx):
            if name != b"file":
                raise fuse.FUSEError(2)
            return await self.getattr(2, ctx)

        async def open(self, inode, flags, ctx):
            if not opens:
                raise fuse.FUSEError(errno.ENOSYS)
            return fuse.FileInfo(fh=inode + more)

        async def read(self, fh, offset, size):
            return content[offset : offset + size] if fh == 2 + more else b"no such handle"

        async def opendir(self, inode, ctx):
            if not opens:
                raise fuse.FUSEError(errno.ENOSYS)
            return inode + more

        async def readdir(self, fh, start, token):
            if start == 0 and fh == 1 + more:
                fuse.readdir_reply(token, b"file", await self.getattr(2, None), 1)

    return OneFile()


@asynccontextmanager
async def served(
    fuse: ModuleType, place: Path, content: bytes, *, opens: bool = True, **options
) -> AsyncIterator[Connection]:
    """`content` as the one file of a mount on `place`."""
    opened = asyncio.Event()
    operations = one_file(fuse, content, opened, opens=opens)
    project = place.parent / "project"
    connection = await Connection.open(operations, opened, str(place), project, fuse=fuse, **options)
    try:
        yield connection
    finally:
        await connection.close()


async def away(call, *args):
    return await asyncio.wait_for(asyncio.to_thread(call, *args), PATIENCE)


def test_the_copies_share_nothing_that_belongs_to_a_session() -> None:
    assert READ is not WRITE
    assert READ.Operations is not WRITE.Operations
    assert READ.EntryAttributes is not WRITE.EntryAttributes


@mounting
async def test_either_session_outlives_the_other(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    async with served(READ, one, b"first"):
        async with served(WRITE, two, b"second", options=mountpoint.WRITING):
            assert await away((one / "file").read_bytes) == b"first"
            assert await away((two / "file").read_bytes) == b"second"
            assert await away(os.listdir, two) == ["file"]
        assert not mountpoint.is_mounted(str(two))
        assert await away(os.listdir, one) == ["file"]
    async with served(WRITE, two, b"again", options=mountpoint.WRITING):
        async with served(READ, one, b"anew"):
            pass
        assert await away((two / "file").read_bytes) == b"again"


@mounting
async def test_a_copy_serves_one_session_at_a_time(tmp_path: Path) -> None:
    async with served(WRITE, tmp_path / "one", b"first", options=mountpoint.WRITING):
        with pytest.raises(MountRefused, match="serves such a mount already"):
            async with served(WRITE, tmp_path / "two", b"second"):
                pass


@mounting
async def test_the_kinds_of_mounts_differ_in_their_options(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    async with served(READ, one, b""), served(WRITE, two, b"", options=mountpoint.WRITING):
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
        read, write = (next(line.split() for line in lines if line.split()[4] == str(p)) for p in (one, two))
    assert read[5].startswith("ro,nosuid,nodev")
    assert "default_permissions" in read[-1]
    assert write[5].startswith("rw,nosuid,nodev,noexec")
    assert "default_permissions" not in write[-1]


@mounting
@pytest.mark.skipif(not gives_inode(), reason="a released pyfuse3 is loaded: app/pyfuse3 was not built")
@pytest.mark.parametrize("fuse", [READ, WRITE], ids=["read", "write"])
async def test_what_is_never_opened_is_served_by_its_inode(tmp_path: Path, fuse: ModuleType) -> None:
    place = tmp_path / "one"
    async with served(fuse, place, b"content", opens=False):
        assert await away(os.listdir, place) == ["file"]
        assert [await away((place / "file").read_bytes) for _ in range(2)] == [b"content"] * 2
    # A new session of the same copy begins with handles.
    async with served(fuse, place, b"again"):
        assert await away(os.listdir, place) == ["file"]
        assert await away((place / "file").read_bytes) == b"again"


def test_both_copies_are_patched_alike() -> None:
    assert gives_inode(READ) is gives_inode(WRITE)


def test_without_a_shipped_copy_one_is_made_in_memory() -> None:
    script = (
        "import sys; sys.modules['pyfuse3_twin'] = None; import pyfuse3; from lighthouse.mount import fuse;"
        "assert fuse.WRITE.Operations is not pyfuse3.Operations;"
        "assert fuse.WRITE.EntryAttributes().st_ino == 0; print(fuse.WRITE.__file__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    assert done.stdout.startswith("/proc/self/fd/")
