"""The file systems that show the same tree: the disk itself, bindfs, a plain pyfuse3 pass-through, and the shadow."""

import os
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from pathlib import Path

from bench.bridge import Bridge
from bench.report import LIGHTHOUSE

NATIVE, BINDFS, PYFUSE3 = "native", "bindfs", "pyfuse3"
START_SECONDS = 60.0


class Contender(ABC):
    """Something that shows the tree in `folder` between `start` and `stop`."""

    name: str
    folder: Path

    @abstractmethod
    def start(self) -> None:
        """Show the tree; nothing of it is cached in the kernel yet by this file system."""

    @abstractmethod
    def stop(self) -> None:
        """Show it no more. Twice is fine."""

    @property
    @abstractmethod
    def pid(self) -> int | None:
        """The process that serves it, if there is one."""


class Native(Contender):
    """The files as they lie on the disk."""

    name = NATIVE
    pid = None

    def __init__(self, tree: Path) -> None:
        self.folder = tree

    def start(self) -> None:
        """It is there."""

    def stop(self) -> None:
        """It stays."""


class _Mounted(Contender):
    """A program that serves a mount in the foreground until it is unmounted."""

    def __init__(self, tree: Path, work: Path) -> None:
        self.folder = work / self.name
        self.folder.mkdir()
        self._tree = tree
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self, tree: Path, folder: Path) -> list[str]:
        """The program and its arguments."""

    def start(self) -> None:
        self._process = subprocess.Popen(self.command(self._tree, self.folder))
        end = time.monotonic() + START_SECONDS
        while not self.folder.is_mount():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{self.name} did not mount")
            time.sleep(0.01)

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            unmount(self.folder)
            process.wait(START_SECONDS)

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid


class Bindfs(_Mounted):
    """Debian's bindfs as it comes, read-only."""

    name = BINDFS

    def command(self, tree: Path, folder: Path) -> list[str]:
        return ["bindfs", "-f", "-r", "--no-allow-other", str(tree), str(folder)]


class Pyfuse3(_Mounted):
    """The pass-through of passthrough.py."""

    name = PYFUSE3

    def command(self, tree: Path, folder: Path) -> list[str]:
        return [sys.executable, "-m", "bench.passthrough", str(tree), str(folder)]


class Shadow(Contender):
    """A real `lighthouse serve` of the tree: `current/` of its mount."""

    name = LIGHTHOUSE

    def __init__(self, tree: Path, work: Path) -> None:
        self.bridge = Bridge(tree, work / "state", mount=work / LIGHTHOUSE)
        self.folder = work / LIGHTHOUSE / "current"

    def start(self) -> None:
        self.bridge.start()

    def stop(self) -> None:
        self.bridge.stop()

    @property
    def pid(self) -> int | None:
        return self.bridge.pid


def all_of(tree: Path, work: Path) -> list[Contender]:
    """One of each."""
    return [Native(tree), Bindfs(tree, work), Pyfuse3(tree, work), Shadow(tree, work)]


def unmount(folder: Path) -> None:
    """Take the mount away, also from under those who use it."""
    if os.path.ismount(folder):
        subprocess.run(["fusermount3", "-u", "-z", str(folder)], check=True)
