"""System calls by the line, each with its outcome: the same lines are run on a disk and in a proposal.

After pjdfstest, which is in no package index this project draws on: its cases, as far as they apply, are in
posix.cases, a line each; what answers otherwise in a proposal is in WAIVED, with the reason. Run as a program
it prints the outcomes of all cases, each in a new folder beneath the given one: `python posix.py FOLDER`.
"""

# The system calls themselves are what is tested, not what pathlib makes of them.
# ruff: noqa: PTH101, PTH102, PTH104, PTH106, PTH108, PTH115, PTH116, PTH208, PTH211

import ctypes
import errno
import json
import os
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path

_LINES = Path(__file__).with_suffix(".cases").read_text().splitlines()
CASES = dict(line.split(": ", 1) for line in _LINES)

WAIVED = {
    "chmod/set-id": "set-user-id and set-group-id mean nothing here and are dropped",
    "chmod/sticky": "the sticky bit means nothing here and is dropped",
    "link/hard": "a project is captured without hard links, so none can be proposed: EPERM",
    "mkfifo/pipe": "a project is captured without pipes, so none can be proposed: EPERM",
    "mknod/device": "a project is captured without devices, so none can be proposed: EPERM",
    "mknod/socket": "a project is captured without sockets, so none can be proposed: EPERM",
    "xattr/set": "a project is captured without extended attributes: EOPNOTSUPP",
    "fallocate/reserve": "room is not reserved: EOPNOTSUPP, and posix_fallocate writes zeros instead",
    "mkdir/mode-and-times": "a folder has one link, as on btrfs: its subfolders are not counted",
}

_NAMES = ("RDONLY", "WRONLY", "RDWR", "CREAT", "EXCL", "TRUNC", "DIRECTORY", "NOFOLLOW")
_FLAGS = {name: getattr(os, f"O_{name}") for name in _NAMES}
_RENAMES = {"NOREPLACE": 1, "EXCHANGE": 2}
_AT_FDCWD = -100
_LIBC = ctypes.CDLL(None, use_errno=True)


class Case:
    """One case: its commands, by name, and what they keep open in between."""

    def __init__(self) -> None:
        self.kept = -1
        self.noted = 0

    def command(self, words: list[str]) -> object:
        """The outcome of one line: a value, or the errno's name."""
        call: Callable[..., object] = getattr(self, words[0].replace("-", "_"))
        try:
            return call(*words[1:])
        except OSError as error:
            return errno.errorcode[error.errno or 0]

    def umask(self, mask: str) -> None:
        os.umask(int(mask, 8))

    def mkdir(self, path: str, mode: str) -> None:
        os.mkdir(path, int(mode, 8))

    def rmdir(self, path: str) -> None:
        os.rmdir(path)

    def unlink(self, path: str) -> None:
        os.unlink(path)

    def open(self, path: str, flags: str, mode: str = "0") -> None:
        chosen = 0
        for flag in flags.split(","):
            chosen |= _FLAGS[flag]
        os.close(os.open(path, chosen, int(mode, 8)))

    def create(self, path: str, mode: str) -> None:
        self.open(path, "CREAT,EXCL,RDWR", mode)

    def write(self, path: str, text: str) -> None:
        Path(path).write_text(text)

    def append(self, path: str, text: str) -> None:
        with Path(path).open("a") as file:
            file.write(text)

    def write_at(self, path: str, offset: str, text: str) -> None:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
        os.pwrite(fd, text.encode(), int(offset))
        os.close(fd)

    def read(self, path: str) -> str:
        return Path(path).read_bytes().decode()

    def read_head(self, path: str) -> str:
        return Path(path).read_bytes()[:10].decode()

    def read_tail(self, path: str) -> str:
        return Path(path).read_bytes()[-10:].decode()

    def rename(self, old: str, new: str) -> None:
        os.rename(old, new)

    def rename2(self, old: str, new: str, flag: str) -> None:
        if _LIBC.renameat2(_AT_FDCWD, os.fsencode(old), _AT_FDCWD, os.fsencode(new), _RENAMES[flag]):
            raise OSError(ctypes.get_errno(), flag)

    def symlink(self, target: str, path: str) -> None:
        os.symlink(target, path)

    def readlink(self, path: str) -> str:
        return ascii(os.readlink(path))

    def link(self, old: str, new: str) -> None:
        os.link(old, new)

    def mkfifo(self, path: str, mode: str) -> None:
        os.mkfifo(path, int(mode, 8))

    def mknod(self, path: str, mode: str) -> None:
        os.mknod(path, stat.S_IFCHR | int(mode, 8), os.makedev(1, 3))

    def mknod_file(self, path: str, mode: str) -> None:
        os.mknod(path, stat.S_IFREG | int(mode, 8))

    def bind(self, path: str) -> None:
        os.mknod(path, stat.S_IFSOCK | 0o600)

    def chmod(self, path: str, mode: str) -> None:
        os.chmod(path, int(mode, 8))

    def chown(self, path: str, uid: str, gid: str) -> None:
        own = os.stat(path)
        os.chown(path, own.st_uid if uid == "own" else int(uid), own.st_gid if gid == "own" else int(gid))

    def truncate(self, path: str, size: str) -> None:
        os.truncate(path, int(size))

    def utime(self, path: str, atime: str, mtime: str) -> None:
        os.utime(path, ns=(_ns(atime), _ns(mtime)))

    def utime_link(self, path: str, atime: str, mtime: str) -> None:
        os.utime(path, ns=(_ns(atime), _ns(mtime)), follow_symlinks=False)

    def utime_omit(self, path: str) -> None:
        omit = (1 << 30) - 2
        times = (ctypes.c_long * 4)(0, omit, 42, 0)
        if _LIBC.utimensat(_AT_FDCWD, os.fsencode(path), times, 0):
            raise OSError(ctypes.get_errno(), "utimensat")

    def stat(self, path: str, *fields: str) -> list[object]:
        return _fields(os.stat(path), fields)

    def lstat(self, path: str, *fields: str) -> list[object]:
        return _fields(os.lstat(path), fields)

    def names(self, path: str) -> list[str]:
        return sorted(ascii(name) for name in os.listdir(path))

    def list_count(self, path: str) -> int:
        return len(os.listdir(path))

    def seek_list(self, path: str) -> bool:
        names = os.listdir(path)
        with os.scandir(path) as first, os.scandir(path) as second:
            next(first)
            return {entry.name for entry in second} == set(names) and len(list(first)) == len(names) - 1

    def many(self, count: str) -> None:
        for number in range(int(count)):
            Path(f"name-{number}").touch()

    def remove_while_listing(self, path: str) -> int:
        seen = 0
        with os.scandir(path) as entries:
            for entry in entries:
                seen += 1
                os.unlink(entry.path)
        return seen

    def inode(self, path: str) -> None:
        self.noted = os.stat(path).st_ino

    def same_inode(self, path: str) -> bool:
        return os.stat(path).st_ino == self.noted

    def keep(self, path: str) -> None:
        folder = Path(path).is_dir()
        self.kept = os.open(path, os.O_RDONLY if folder else os.O_RDWR)

    def kept_read(self) -> str:
        return os.pread(self.kept, 1000, 0).decode()

    def kept_write(self, text: str) -> None:
        os.pwrite(self.kept, text.encode(), 0)

    def kept_stat(self, *fields: str) -> list[object]:
        return _fields(os.fstat(self.kept), fields)

    def kept_list(self) -> int:
        return len(os.listdir(self.kept))

    def kept_create(self, name: str) -> None:
        os.close(os.open(name, os.O_CREAT | os.O_RDWR, 0o644, dir_fd=self.kept))

    def moves(self, path: str, *words: str) -> object:
        """Whether the command moves the modification and change times of `path`, with its outcome."""
        before = os.stat(path)
        _tick()
        outcome = self.command(list(words))
        after = os.stat(path)
        return [outcome, after.st_mtime_ns > before.st_mtime_ns, after.st_ctime_ns > before.st_ctime_ns]

    def moves_ctime(self, path: str, *words: str) -> object:
        before = os.stat(path)
        _tick()
        outcome = self.command(list(words))
        return [outcome, os.stat(path).st_ctime_ns > before.st_ctime_ns]

    def setxattr(self, path: str, name: str, value: str) -> None:
        os.setxattr(path, name, value.encode())

    def listxattr(self, path: str) -> list[str]:
        return os.listxattr(path)

    def fallocate(self, path: str, size: str) -> None:
        fd = os.open(path, os.O_RDWR)
        outcome = _LIBC.fallocate64(fd, 0, ctypes.c_long(0), ctypes.c_long(int(size)))
        os.close(fd)
        if outcome:
            raise OSError(ctypes.get_errno(), "fallocate")

    def posix_fallocate(self, path: str, size: str) -> None:
        fd = os.open(path, os.O_RDWR)
        os.posix_fallocate(fd, 0, int(size))
        os.close(fd)

    def flock(self, path: str) -> list[str]:
        import fcntl

        one, other = os.open(path, os.O_RDWR), os.open(path, os.O_RDWR)
        fcntl.flock(one, fcntl.LOCK_EX)
        try:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return [errno.errorcode[error.errno or 0]]
        finally:
            os.close(one)
            os.close(other)
        return []

    def lockf(self, path: str) -> None:
        import fcntl

        fd = os.open(path, os.O_RDWR)
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(fd)


def _ns(text: str) -> int:
    whole, _, part = text.partition(".")
    return int(whole) * 10**9 + int(part.ljust(9, "0") if part else 0)


def _fields(found: os.stat_result, fields: tuple[str, ...]) -> list[object]:
    every: dict[str, Callable[[], object]] = {
        "type": lambda: stat.filemode(found.st_mode)[0],
        "mode": lambda: oct(stat.S_IMODE(found.st_mode)),
        "size": lambda: found.st_size,
        "nlink": lambda: found.st_nlink,
        "owner": lambda: (found.st_uid, found.st_gid),
        "atime": lambda: found.st_atime_ns,
        "mtime": lambda: found.st_mtime_ns,
    }
    return [every[field]() for field in fields]


def _tick() -> None:
    """Wait for the clock that disks take their times from: it goes by leaps of some milliseconds."""
    coarse = 5  # CLOCK_REALTIME_COARSE
    before, end = time.clock_gettime_ns(coarse), time.monotonic() + 5
    while time.clock_gettime_ns(coarse) == before and time.monotonic() < end:
        time.sleep(0.001)


def run(folder: Path) -> dict[str, list[object]]:
    """The outcomes of all cases."""
    found: dict[str, list[object]] = {}
    for name, lines in CASES.items():
        where = folder / name.replace("/", "-")
        where.mkdir()
        os.chdir(where)
        os.umask(0o022)
        case = Case()
        found[name] = []
        for line in lines.split("; "):
            words = [_word(word) for word in line.split(" ")]
            found[name].append([line, case.command(words)])
        if case.kept >= 0:
            os.close(case.kept)
    return found


def _word(word: str) -> str:
    """N255 stands for a name of that length; other characters are escaped as in Python."""
    for length in ("4095", "255", "256"):
        word = word.replace(f"N{length}", "n" * int(length))
    return word.encode().decode("unicode_escape")


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(Path(sys.argv[1])), default=str))
