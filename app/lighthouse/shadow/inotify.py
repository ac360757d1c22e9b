"""Linux inotify, as far as the shadow needs it: watch an open folder, read what happened.

Not watchfiles: it follows symbolic links out of the project (a link to `/` watches the whole disk), stops at
the first name that is not UTF-8, cannot leave ignored folders out, and is silent when the kernel's queue
overflows.
"""

import ctypes
import errno
import os
import struct
from collections.abc import Iterator
from typing import NamedTuple

MODIFY = 0x2
ATTRIB = 0x4
CLOSE_WRITE = 0x8
MOVED_FROM = 0x40
MOVED_TO = 0x80
CREATE = 0x100
DELETE = 0x200
DELETE_SELF = 0x400
MOVE_SELF = 0x800
UNMOUNT = 0x2000
OVERFLOW = 0x4000
IGNORED = 0x8000
ONLYDIR = 0x1000000
EXCL_UNLINK = 0x4000000

WATCHED = (
    MODIFY | ATTRIB | CLOSE_WRITE | MOVED_FROM | MOVED_TO | CREATE | DELETE | DELETE_SELF | MOVE_SELF
) | ONLYDIR | EXCL_UNLINK  # fmt: skip

_HEAD = struct.Struct("iIII")
_BUFFER = 256 * 1024
# More than this is left for the next reading, so that a storm of writes cannot hold the reader.
_MOST = 16 * 1024 * 1024

_libc = ctypes.CDLL(None, use_errno=True)


class Occurrence(NamedTuple):
    """`watch`: number that `Inotify.watch` gave; `mask`: what happened; `name`: to whom (b"": the folder)."""

    watch: int
    mask: int
    name: bytes


class Inotify:
    """One inotify instance; `fd` is readable when something happened. Raises OSError."""

    def __init__(self) -> None:
        self.fd: int = _libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        if self.fd < 0:
            raise _error()

    def watch(self, folder_fd: int) -> int:
        """Watch an open folder; the same folder again gives the same number, wherever it was moved to."""
        # By descriptor, not by path: no link and no rename can lead the watch elsewhere.
        number: int = _libc.inotify_add_watch(self.fd, b"/proc/self/fd/%d" % folder_fd, WATCHED)
        if number < 0:
            raise _error()
        return number

    def unwatch(self, number: int) -> None:
        """End a watch; one that has ended by itself is no error."""
        if _libc.inotify_rm_watch(self.fd, number) < 0 and ctypes.get_errno() != errno.EINVAL:
            raise _error()

    def read(self) -> Iterator[Occurrence]:
        """What happened since the last reading, without waiting."""
        taken = 0
        while taken < _MOST:
            try:
                data = os.read(self.fd, _BUFFER)
            except BlockingIOError:
                return
            taken += len(data)
            at = 0
            while at < len(data):
                number, mask, _, length = _HEAD.unpack_from(data, at)
                at += _HEAD.size
                yield Occurrence(number, mask, data[at : at + length].rstrip(b"\0"))
                at += length

    def close(self) -> None:
        """End all watches."""
        os.close(self.fd)


def _error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
