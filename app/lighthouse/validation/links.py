"""The project's symbolic links as the bridge sees them, read name by name and never followed."""

import contextlib
import errno
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from lighthouse.policy.shell.grammar import NotUnderstood

_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Nothing is there, or a file stands where a folder would be: neither is a link.
_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.EINVAL, errno.ENAMETOOLONG}


class ProjectLinks:
    """Reads links beneath `project`, which the host calls by any of `roots`. One thread at a time.

    Used as a context for the time of one judgement: the folders that it opens are looked at once, and closed
    at its end. What cannot be read raises NotUnderstood, so that the call is escalated.
    """

    def __init__(self, project: Path, roots: Sequence[str]) -> None:
        self._project = project
        self._roots = roots
        self._open: dict[str, int | None] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for folder in self._open.values():
            if folder is not None:
                os.close(folder)
        self._open.clear()

    def read(self, path: str) -> str | None:
        """A link's text; None for what is no link or is not there."""
        for root in self._roots:
            if path.startswith(root + "/"):
                return self._read(path[len(root) + 1 :])
        return None

    def _read(self, inner: str) -> str | None:
        above, _, name = inner.rpartition("/")
        try:
            folder = self._folder(above)
            return None if folder is None else os.readlink(name, dir_fd=folder)
        except OSError as error:
            if error.errno in _ABSENT:
                return None
            raise _unread(inner, error) from error
        except ValueError:
            return None  # a NUL: no such name can be there

    def _folder(self, inner: str) -> int | None:
        """The open folder at a path in the project; None where there is none."""
        if inner in self._open:
            return self._open[inner]
        if not inner:
            try:
                self._open[inner] = os.open(self._project, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            except OSError as error:
                raise _unread("", error) from error
            return self._open[inner]
        above, _, name = inner.rpartition("/")
        opened = None
        if (folder := self._folder(above)) is not None:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                opened = os.open(name, _FOLDER, dir_fd=folder)
        self._open[inner] = opened
        return opened


def _unread(inner: str, error: OSError) -> NotUnderstood:
    what = f"whether {inner} in the project is a link" if inner else "the project"
    return NotUnderstood(f"{what} cannot be seen ({error.strerror})")
