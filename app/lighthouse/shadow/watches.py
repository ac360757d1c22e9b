"""Which folder each inotify watch stands for, and the translation of what happened into names to look at.

Used by the scanning thread alone. A scan watches a folder before it lists it: whatever happens afterwards is
told, and read by a later scan under the path that the folder has by then.
"""

import errno
import logging

from lighthouse.paths import ProjectPath
from lighthouse.shadow import inotify
from lighthouse.shadow.touch import Touch

logger = logging.getLogger(__name__)


class Watches:
    """The watched folders of the project. `trouble` says why changes may come late, or is None."""

    def __init__(self) -> None:
        self.trouble: str | None = None
        self.overflows = 0
        self._paths: dict[int, ProjectPath] = {}
        self._numbers: dict[ProjectPath, int] = {}
        self._inotify: inotify.Inotify | None = None
        try:
            self._inotify = inotify.Inotify()
        except OSError as error:
            self._refused(error, "instances")

    @property
    def fd(self) -> int | None:
        """Readable when something happened; None where the kernel gave no inotify."""
        return None if self._inotify is None else self._inotify.fd

    def __len__(self) -> int:
        return len(self._paths)

    def begin_full(self) -> None:
        """A scan of everything begins: what was in the way of a watch may be gone."""
        if self._inotify is not None:
            self.trouble = None

    def add(self, folder_fd: int, path: ProjectPath) -> None:
        """Watch the open folder under this path."""
        if self._inotify is None or self.trouble is not None:
            return
        try:
            number = self._inotify.watch(folder_fd)
        except OSError as error:
            self._refused(error, "watches")
            return
        before = self._paths.get(number)
        if before is not None and before != path and self._numbers.get(before) == number:
            del self._numbers[before]
        self._paths[number] = path
        self._numbers[path] = number

    def remove(self, path: ProjectPath) -> None:
        """The folder is no longer part of the project under this path; one that was moved keeps its watch."""
        number = self._numbers.pop(path, None)
        if number is None or self._inotify is None or self._paths.get(number) != path:
            return
        del self._paths[number]
        self._inotify.unwatch(number)

    def drain(self) -> Touch:
        """Everything that happened since the last call; after an overflow that is the whole project."""
        touched = Touch()
        if self._inotify is None:
            return touched
        for number, mask, name in self._inotify.read():
            if mask & inotify.OVERFLOW:
                self.overflows += 1
                touched.named = True
                continue
            path = self._paths.get(number)
            if path is None:
                continue
            if mask & inotify.IGNORED:
                del self._paths[number]
                if self._numbers.get(path) == number:
                    del self._numbers[path]
            if name:
                touched.add((*path, name))
            elif not path or mask & inotify.UNMOUNT:
                # The project's folder itself, or a file system mounted beneath it, went away.
                touched.named = touched.named or bool(mask & ~inotify.ATTRIB)
        return touched

    def close(self) -> None:
        """End all watches."""
        if self._inotify is not None:
            self._inotify.close()
            self._inotify = None

    def _refused(self, error: OSError, what: str) -> None:
        limits = {
            errno.ENOSPC: f"raise fs.inotify.max_user_{what}",
            errno.EMFILE: f"raise fs.inotify.max_user_{what}",
        }
        hint = limits.get(error.errno or 0, "changes are found by scanning only")
        self.trouble = f"no more inotify {what} after {len(self._paths)} folders ({error.strerror}): {hint}"
        logger.warning(self.trouble)
