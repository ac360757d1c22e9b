"""Whatever is done to a project, the passes that follow it end where a fresh capture of it begins."""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from lighthouse.config import Settings
from lighthouse.paths import ProjectPath
from lighthouse.shadow import change, files, projection
from lighthouse.shadow.capture import Capture
from lighthouse.shadow.entry import FOLDER, Entry
from lighthouse.shadow.folder import Folder
from lighthouse.shadow.reader import ContentReader

NAMES = [b"a", b"b", b"c.log", b"\xff"]
paths = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map(b"/".join)
PATTERNS = [b"", b"*.log\n", b"a\n", b"/b/\n", b"*\n!a/\n", b"!c.log\n"]


def flat(tree: Folder, path: ProjectPath = ()) -> dict[ProjectPath, Entry]:
    """Every entry by path; folders without what depends on when one looked: their time, and so their hash."""
    entries: dict[ProjectPath, Entry] = {}
    for name, entry in tree.entries.items():
        if entry.kind == FOLDER:
            entry = Entry(name, FOLDER, entry.mode, 0, 0, b"", entry.mark)
            entries |= flat(tree.folders[name], (*path, name))
        entries[*path, name] = entry
    return entries


class Project(RuleBasedStateMachine):
    """A project with operations on it, and a capture that is told by the watcher alone."""

    def __init__(self) -> None:
        super().__init__()
        self.base = Path(tempfile.mkdtemp())
        self.root = os.fsencode(self.base / "project")
        (self.base / "project").mkdir()
        (self.base / "state").mkdir()
        self.capture = Capture(self.base / "project", self.base / "state", Settings())
        self.tree: Folder | None = None
        self.scan()

    def teardown(self) -> None:
        self.compare()
        self.capture.close()
        shutil.rmtree(self.base)

    def at(self, path: bytes) -> str:
        return os.fsdecode(self.root + b"/" + path)

    @rule(path=paths, content=st.sampled_from([b"", b"one", b"two"]))
    def write(self, path: bytes, content: bytes) -> None:
        with suppress(OSError):
            # Not to wait for a reader where the name is a FIFO's.
            fd = os.open(self.at(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NONBLOCK)
            os.write(fd, content)
            os.close(fd)

    @rule(path=paths)
    def make_folder(self, path: bytes) -> None:
        with suppress(OSError):
            Path(self.at(path)).mkdir(parents=True)

    @rule(path=paths, other=paths)
    def link(self, path: bytes, other: bytes) -> None:
        with suppress(OSError):
            Path(self.at(path)).symlink_to(os.fsdecode(other))

    @rule(path=paths, other=paths)
    def hard_link(self, path: bytes, other: bytes) -> None:
        with suppress(OSError):
            os.link(self.at(other), self.at(path), follow_symlinks=False)

    @rule(path=paths)
    def fifo(self, path: bytes) -> None:
        with suppress(OSError):
            os.mkfifo(self.at(path))

    @rule(path=paths, other=paths)
    def move(self, path: bytes, other: bytes) -> None:
        with suppress(OSError):
            Path(self.at(path)).rename(self.at(other))

    @rule(path=paths)
    def move_out_and_back(self, path: bytes) -> None:
        outside = self.base / "outside"
        with suppress(OSError):
            Path(self.at(path)).rename(outside)
            outside.rename(self.at(path))

    @rule(path=paths)
    def delete(self, path: bytes) -> None:
        target = Path(self.at(path))
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target, ignore_errors=True)
        else:
            with suppress(OSError):
                target.unlink()

    @rule(path=paths, mode=st.sampled_from([0o755, 0o700, 0o644]))
    def chmod(self, path: bytes, mode: int) -> None:
        with suppress(OSError):
            Path(self.at(path)).chmod(mode)

    @rule(path=paths)
    def set_time_back(self, path: bytes) -> None:
        with suppress(OSError):
            os.utime(self.at(path), ns=(1, 1), follow_symlinks=False)

    @rule(folder=st.one_of(st.just(b""), paths), patterns=st.sampled_from(PATTERNS))
    def write_gitignore(self, folder: bytes, patterns: bytes) -> None:
        with suppress(OSError):
            Path(self.at(folder), ".gitignore").write_bytes(patterns)

    @rule(folder=st.one_of(st.just(b""), paths))
    def delete_gitignore(self, folder: bytes) -> None:
        with suppress(OSError):
            Path(self.at(folder), ".gitignore").unlink()

    @rule(everything=st.booleans())
    def look(self, everything: bool) -> None:
        self.scan(everything)

    def scan(self, everything: bool = False) -> None:
        old = self.tree
        passed = self.capture.scan(old, everything)
        self.capture.record((), passed.stamps)
        self.tree = passed.tree
        assert (old is None or passed.tree.hash == old.hash) == (not passed.differences)

    def fresh(self) -> Folder:
        state = Path(tempfile.mkdtemp(dir=self.base))
        other = Capture(self.base / "project", state, Settings())
        try:
            return other.scan(None, True).tree
        finally:
            other.close()

    @rule()
    def compare(self) -> None:
        """The captured tree is what a fresh capture finds, and is stored whole."""
        old = self.tree
        self.scan()
        assert self.tree is not None
        fresh = self.fresh()
        assert flat(self.tree) == flat(fresh)
        assert self.tree.totals == fresh.totals
        if old is not None:
            self.differences_lead_from(old, self.tree)
        self.all_is_stored()

    def differences_lead_from(self, old: Folder, new: Folder) -> None:
        """The listed differences, applied to the old tree, give the new one."""
        entries = flat(old)
        for found in change.differences(old, new):
            entries.pop(found.path, None)
            if found.op != "deleted":
                entries[found.path] = flat(new)[found.path]
        assert entries == flat(new)

    def all_is_stored(self) -> None:
        reader = ContentReader(self.base / "state")
        assert self.tree is not None
        try:
            stored = projection.load(reader, self.tree.hash, {})
            assert stored is not None
            assert flat(stored) == flat(self.tree)
            for entry in flat(stored).values():
                if entry.kind != FOLDER:
                    assert len(reader.read(entry.hash, 0, entry.size + 1)) == entry.size
        finally:
            reader.close()


class SettledProject(Project):
    """The same where every file counts as settled at once: only stamps keep contents from being mixed up."""

    def __init__(self) -> None:
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(files, "RACY_NS", -(10**18))
        super().__init__()

    def teardown(self) -> None:
        self.patch.undo()
        super().teardown()


bounds = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestProject = Project.TestCase
TestProject.settings = bounds
TestSettledProject = SettledProject.TestCase
TestSettledProject.settings = bounds
