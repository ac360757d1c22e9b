"""The project's folder on this machine. A file is written beside its place and then moved there.

Every step goes from an open folder to a name in it, links never followed: whatever is swapped meanwhile,
nothing outside is read or written. Whoever reads a file finds the old one or the new one.
"""

import errno
import hashlib
import os
import secrets
import stat
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from lighthouse.cli.restoring.entries import PERMISSIONS, Kind, Now, Then, stamp_of
from lighthouse.paths import ProjectPath

PIECE = 1024 * 1024
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_NOTHING_THERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}


class Changed(Exception):
    """It is not what was looked at; nothing was done to it."""


class Disk:
    """The open folder `root`; to be closed."""

    def __init__(self, root: Path) -> None:
        self._root = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._parent: tuple[ProjectPath, int] | None = None

    def close(self) -> None:
        """Close what is open."""
        self._forget()
        os.close(self._root)

    def look(self, path: ProjectPath) -> Now | None:
        """What stands at `path`, its content hashed; None where nothing does. Raises OSError."""
        try:
            parent = self._folder(path[:-1])
            st = os.stat(path[-1], dir_fd=parent, follow_symlinks=False)
        except OSError as error:
            if error.errno in _NOTHING_THERE:
                return None
            raise
        kind = _kind(st)
        digest, size = b"", 0
        if kind == "file":
            with self.open(path) as file:
                digest = hashlib.file_digest(file, "sha256").digest()
                st = os.fstat(file.fileno())
            size = st.st_size
        elif kind == "symlink":
            target = os.readlink(path[-1], dir_fd=parent)
            digest, size = hashlib.sha256(target).digest(), len(target)
        return Now(kind, st.st_mode & PERMISSIONS, size, digest, stamp_of(st))

    def open(self, path: ProjectPath) -> BufferedReader:
        """The regular file at `path`. Raises OSError, Changed."""
        file = os.fdopen(os.open(path[-1], _FILE, dir_fd=self._folder(path[:-1])), "rb")
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            file.close()
            raise Changed
        return file

    def target(self, path: ProjectPath) -> bytes:
        """Where the link at `path` leads. Raises OSError."""
        return os.readlink(path[-1], dir_fd=self._folder(path[:-1]))

    def remove(self, path: ProjectPath, seen: Now) -> None:
        """Delete a file or link, or a folder that is empty. Raises OSError, Changed."""
        parent = self._same(path, seen)
        if seen.kind == "folder":
            os.rmdir(path[-1], dir_fd=parent)
        else:
            os.unlink(path[-1], dir_fd=parent)

    def make_folder(self, path: ProjectPath) -> None:
        """Make a folder, at first closed to others. Raises OSError."""
        os.mkdir(path[-1], 0o700, dir_fd=self._folder(path[:-1]))
        self._give(path[-1], None)

    def set_mode(self, path: ProjectPath, mode: int, kind: Kind) -> None:
        """Set the permission bits of a folder or file. Raises OSError."""
        flags = _FOLDER if kind == "folder" else _FILE
        fd = os.open(path[-1], flags, dir_fd=self._folder(path[:-1]))
        try:
            os.fchmod(fd, mode)
        finally:
            os.close(fd)

    def put(self, path: ProjectPath, then: Then, content: BinaryIO | None, seen: Now | None) -> None:
        """Make `path` what it was then: `content` with its mode, or a link. `seen` is what it replaces.

        Raises OSError, Changed; what is there stays then.
        """
        parent, name = self._folder(path[:-1]), path[-1]
        draft = b".%s.%s" % (name[:200], secrets.token_hex(8).encode())
        try:
            if content is None:
                os.symlink(then.target, draft, dir_fd=parent)
            else:
                self._write(parent, draft, then.mode, content)
            self._give(draft, name if seen is not None else None)
            if seen is None:
                self._move_to_free_place(parent, draft, name)
            else:
                self._same(path, seen)
                os.rename(draft, name, src_dir_fd=parent, dst_dir_fd=parent)
        except BaseException:
            with suppress(OSError):
                os.unlink(draft, dir_fd=parent)
            raise

    def _write(self, parent: int, draft: bytes, mode: int, content: BinaryIO) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(draft, flags, 0o600, dir_fd=parent), "wb") as file:
            while piece := content.read(PIECE):
                file.write(piece)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())

    def _give(self, name: bytes, like: bytes | None) -> None:
        """Give what was made to whom the replaced one, or the folder, belongs; that takes root, mostly."""
        parent = self._parent[1] if self._parent is not None else self._root
        owner = os.fstat(parent) if like is None else os.stat(like, dir_fd=parent, follow_symlinks=False)
        made = os.stat(name, dir_fd=parent, follow_symlinks=False)
        if os.geteuid() == 0 and (made.st_uid, made.st_gid) != (owner.st_uid, owner.st_gid):
            os.chown(name, owner.st_uid, owner.st_gid, dir_fd=parent, follow_symlinks=False)

    def _move_to_free_place(self, parent: int, draft: bytes, name: bytes) -> None:
        """A name that somebody took meanwhile stays theirs."""
        try:
            os.link(draft, name, src_dir_fd=parent, dst_dir_fd=parent, follow_symlinks=False)
        except FileExistsError:
            raise Changed from None
        except OSError:
            # A file system without hard links.
            with suppress(FileNotFoundError):
                os.stat(name, dir_fd=parent, follow_symlinks=False)
                raise Changed from None
            os.rename(draft, name, src_dir_fd=parent, dst_dir_fd=parent)
        else:
            os.unlink(draft, dir_fd=parent)

    def _same(self, path: ProjectPath, seen: Now) -> int:
        """The open parent folder, if `path` is still what was looked at. Raises Changed."""
        parent = self._folder(path[:-1])
        try:
            st = os.stat(path[-1], dir_fd=parent, follow_symlinks=False)
        except FileNotFoundError:
            raise Changed from None
        if _kind(st) != seen.kind or (seen.kind != "folder" and stamp_of(st) != seen.stamp):
            raise Changed
        return parent

    def _folder(self, path: ProjectPath) -> int:
        """The open folder at `path`; the last one is kept, for neighbours are asked for in a row."""
        if self._parent is None or self._parent[0] != path:
            fd = os.dup(self._root)
            try:
                for name in path:
                    below = os.open(name, _FOLDER, dir_fd=fd)
                    os.close(fd)
                    fd = below
            except OSError:
                os.close(fd)
                raise
            self._forget()
            self._parent = path, fd
        return self._parent[1]

    def _forget(self) -> None:
        if self._parent is not None:
            os.close(self._parent[1])
            self._parent = None


def _kind(st: os.stat_result) -> Kind:
    if stat.S_ISREG(st.st_mode):
        return "file"
    if stat.S_ISDIR(st.st_mode):
        return "folder"
    return "symlink" if stat.S_ISLNK(st.st_mode) else "other"
