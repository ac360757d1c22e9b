"""The files of a project that a client reads: replaced at once, with their owner and mode, through no link.

Whoever can write in the project may leave a link there; it must not lead a person's or root's hand elsewhere.
"""

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from lighthouse.errors import LighthouseError

MOST_BYTES = 4 * 1024 * 1024
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Untouchable(LighthouseError):
    """A file or folder that is not written to."""


class Project:
    """The project's folder, held open. Names are `.mcp.json` or `.claude/settings.json`, one folder deep."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._root = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise Untouchable(
                f"the project {path} cannot be opened ({error.strerror})", "name its folder"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._root)

    def read(self, name: str) -> bytes | None:
        """What the file holds; None where there is none. Raises Untouchable."""
        with self._within(name) as (folder, last):
            return None if folder is None else self._content(folder, last, name)[0]

    def replace(self, name: str, before: bytes | None, after: bytes | None) -> None:
        """Put `after` in place of `before` (None: no file). Raises Untouchable, also where that changed."""
        with self._within(name, make=after is not None) as (folder, last):
            if folder is None:
                return
            found, status = self._content(folder, last, name)
            if found != before:
                raise Untouchable(f"{name} was changed by somebody else just now", "try again")
            if after is None:
                os.unlink(last, dir_fd=folder)
            else:
                self._write(folder, last, after, status)
            os.fsync(folder)
        if after is None and "/" in name:
            # Only where it is empty: then it was there for this file.
            with contextlib.suppress(OSError):
                os.rmdir(name.partition("/")[0], dir_fd=self._root)

    @contextmanager
    def _within(self, name: str, *, make: bool = False) -> Iterator[tuple[int | None, str]]:
        """The open folder that the file is in (None: there is none), and the file's own name there."""
        above, slash, last = name.rpartition("/")
        if not slash:
            yield self._root, last
            return
        try:
            if make:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(above, dir_fd=self._root)
                    self._own(above)
            folder = os.open(above, _FOLDER, dir_fd=self._root)
        except FileNotFoundError:
            yield None, last
            return
        except OSError as error:
            raise self._untouchable(above, error) from error
        try:
            yield folder, last
        finally:
            os.close(folder)

    def _content(self, folder: int, last: str, name: str) -> tuple[bytes | None, os.stat_result | None]:
        try:
            descriptor = os.open(
                last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder
            )
        except FileNotFoundError:
            return None, None
        except OSError as error:
            raise self._untouchable(name, error) from error
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_size > MOST_BYTES:
                raise Untouchable(f"{self.path / name} is no plain file of at most 4 MiB", "see to it first")
            return file.read(), status

    def _write(self, folder: int, last: str, content: bytes, like: os.stat_result | None) -> None:
        work = f".{last}.{secrets.token_hex(6)}"
        try:
            descriptor = os.open(
                work,
                os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC,
                0o666,
                dir_fd=folder,
            )
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                owner = like or os.fstat(self._root)
                if (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()) and (
                    like or os.geteuid() == 0
                ):
                    os.fchown(descriptor, owner.st_uid, owner.st_gid)
                if like is not None:
                    # It may hold other servers' secrets: whom it was closed to, it stays closed to.
                    os.fchmod(descriptor, stat.S_IMODE(like.st_mode))
                os.fsync(descriptor)
            os.rename(work, last, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.unlink(work, dir_fd=folder)
            raise self._untouchable(last, error) from error

    def _own(self, name: str) -> None:
        """What root makes belongs to whom the project belongs."""
        if os.geteuid() == 0:
            owner = os.fstat(self._root)
            os.chown(name, owner.st_uid, owner.st_gid, dir_fd=self._root, follow_symlinks=False)

    def _untouchable(self, name: str, error: OSError) -> Untouchable:
        what = (
            "is a symbolic link"
            if error.errno in (errno.ELOOP, errno.ENOTDIR)
            else "cannot be written or read"
        )
        return Untouchable(f"{self.path / name} {what} ({error.strerror})", "nothing was written there")
