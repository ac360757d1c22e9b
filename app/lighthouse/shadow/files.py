"""Reads one file of the project into the content store, whatever happens to the file meanwhile.

A stamp (inode and change time) is kept only where it proves that the content is still the one that was read.
Change times move in steps of the kernel's clock, up to two seconds on some disks: a file changed that shortly
before it was read could change again and keep its time, so it gets no stamp and the next scan reads it once
more. The change time stands beside size and modification time, because those two are easily set back
(`touch -r`, `rsync -t`, unpacked archives).
"""

import errno
import hashlib
import os
import stat
import struct
import time
from typing import NamedTuple

from lighthouse.shadow.contents import CHUNK, ContentStore
from lighthouse.shadow.entry import TOO_LARGE, UNREADABLE, Mark, too_large_text, unreadable_text

RACY_NS = 2_000_000_000
ATTEMPTS = 4
# Larger files are hashed first and then read again into the store, so that they never lie in memory whole.
WHOLE = 4 * CHUNK

FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
# These say something about us, not about the file: the scan fails and is tried again.
OUR_TROUBLE = {errno.EMFILE, errno.ENFILE, errno.ENOMEM}
VANISHED = {errno.ENOENT, errno.ESTALE}
KIND_CHANGED = {errno.ELOOP, errno.ENXIO, errno.ENODEV, errno.ENOTDIR}


class KindChanged(Exception):
    """It is no regular file any more, or gone: look at the name again."""


class Captured(NamedTuple):
    """What stands for the file now. `stamp` is None where the content must be read again by the next scan."""

    mode: int
    size: int
    mtime_ns: int
    hash: bytes
    mark: Mark | None
    stamp: bytes | None


def stamp_of(st: os.stat_result) -> bytes:
    """Inode and change time in 16 bytes."""
    return struct.pack("<Qq", st.st_ino, st.st_ctime_ns)


def capture(folder_fd: int, name: bytes, store: ContentStore, limit: int) -> Captured:
    """Read the file `name` of an open folder, not following links; up to `limit` bytes are captured.

    Raises KindChanged. A file that cannot be read is captured as a mark and a text that says why.
    """
    try:
        fd = os.open(name, FLAGS, dir_fd=folder_fd)
    except OSError as error:
        return _unreadable(error, folder_fd, name, store)
    try:
        return _read(fd, store, limit)
    except OSError as error:
        return _unreadable(error, folder_fd, name, store)
    finally:
        os.close(fd)


def _read(fd: int, store: ContentStore, limit: int) -> Captured:
    for attempt in range(1, ATTEMPTS + 1):
        before = os.fstat(fd)
        if not stat.S_ISREG(before.st_mode):
            raise KindChanged
        started = time.time_ns()
        found = None
        if before.st_size <= limit:
            take = _whole if before.st_size <= WHOLE else _large
            found = take(fd, before.st_size, store)
        after = os.fstat(fd)
        steady = stamp_of(after) == stamp_of(before) and after.st_size == before.st_size
        if not steady and attempt < ATTEMPTS:
            continue
        mode = after.st_mode & 0o7777
        if before.st_size > limit:
            return _marked(too_large_text(after.st_size, limit), TOO_LARGE, mode, after.st_mtime_ns, store)
        if found is None:
            break
        digest, size = found
        proven = steady and size == after.st_size and started - after.st_ctime_ns >= RACY_NS
        return Captured(mode, size, after.st_mtime_ns, digest, None, stamp_of(after) if proven else None)
    text = unreadable_text("it does not stop changing")
    return _marked(text, UNREADABLE, before.st_mode & 0o7777, before.st_mtime_ns, store)


def read_whole(fd: int, store: ContentStore) -> tuple[bytes, int] | None:
    """Hash and size of an open regular file, stored; None where it does not stop changing."""
    for _ in range(ATTEMPTS):
        before = os.fstat(fd)
        take = _whole if before.st_size <= WHOLE else _large
        found = take(fd, before.st_size, store)
        after = os.fstat(fd)
        if found is not None and stamp_of(after) == stamp_of(before) and after.st_size == found[1]:
            return found
    return None


def _whole(fd: int, size: int, store: ContentStore) -> tuple[bytes, int]:
    """Hash and size of the first `size` bytes: of a file that only grows, what it was when looked at."""
    content = _exactly(fd, 0, size)
    return store.add(content), len(content)


def _large(fd: int, size: int, store: ContentStore) -> tuple[bytes, int] | None:
    """Hash and size of the first `size` bytes; None when they were others at the second reading."""
    first, size = _hash(fd, size)
    if not store.claim(first, size):
        return first, size
    digest = hashlib.sha256()
    for number, offset in enumerate(range(0, size, CHUNK)):
        chunk = _exactly(fd, offset, min(CHUNK, size - offset))
        digest.update(chunk)
        store.add_chunk(first, number, chunk)
    if digest.digest() != first:
        store.drop(first)
        return None
    return first, size


def _hash(fd: int, size: int) -> tuple[bytes, int]:
    digest = hashlib.sha256()
    offset = 0
    while offset < size and (chunk := _exactly(fd, offset, min(CHUNK, size - offset))):
        digest.update(chunk)
        offset += len(chunk)
    return digest.digest(), offset


def _exactly(fd: int, offset: int, size: int) -> bytes:
    """`size` bytes, or fewer where the file ends."""
    data = os.pread(fd, size, offset)
    while len(data) < size and (more := os.pread(fd, size - len(data), offset + len(data))):
        data += more
    return data


def _unreadable(error: OSError, folder_fd: int, name: bytes, store: ContentStore) -> Captured:
    if error.errno in OUR_TROUBLE:
        raise error
    if error.errno in KIND_CHANGED | VANISHED:
        raise KindChanged from error
    try:
        st = os.stat(name, dir_fd=folder_fd, follow_symlinks=False)
    except OSError:
        raise KindChanged from error
    text = unreadable_text(error.strerror or type(error).__name__)
    return _marked(text, UNREADABLE, st.st_mode & 0o7777, st.st_mtime_ns, store)


def _marked(text: bytes, mark: Mark, mode: int, mtime_ns: int, store: ContentStore) -> Captured:
    return Captured(mode, len(text), mtime_ns, store.add(text), mark, None)
