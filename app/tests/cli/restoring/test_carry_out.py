"""Whatever was and whatever is on disk: a plan carried out makes it what it was, and spares what it must."""

import hashlib
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lighthouse.cli.restoring.carry_out import carry_out
from lighthouse.cli.restoring.disk import Changed, Disk
from lighthouse.cli.restoring.entries import Now, Then
from lighthouse.cli.restoring.plan import Plan, make_plan
from lighthouse.paths import ProjectPath
from lighthouse.shadow import FILE, LINK
from tests.shadow.test_patch import pairs
from tests.shadow.trees import Leaves, found, write

KINDS = {FILE: "file", LINK: "symlink"}


def captured(leaves: Leaves) -> dict[ProjectPath, Then]:
    """What the bridge would tell of these files."""
    known: dict[ProjectPath, Then] = {}
    for path, (kind, mode, content) in sorted(leaves.items()):
        for length in range(1, len(path)):
            known[path[:length]] = Then("folder", 0o755, 0, b"", b"", None)
        target = content if kind == LINK else b""
        digest = hashlib.sha256(content).digest()
        known[path] = Then(KINDS[kind], mode, len(content), digest, target, None)  # type: ignore[arg-type]
    return known


class Project:
    """A folder with some files, and a place for contents beside it."""

    def __init__(self, base: Path, leaves: Leaves) -> None:
        self.folder, self.contents = base / "project", base / "contents"
        self.folder.mkdir()
        self.contents.mkdir()
        write(self.folder, leaves)
        self.disk = Disk(self.folder)

    def restore(
        self, then: Leaves, current: dict[ProjectPath, Then], *, delete: bool
    ) -> tuple[Plan, list[ProjectPath]]:
        for _, _, content in then.values():
            (self.contents / hashlib.sha256(content).hexdigest()).write_bytes(content)
        plan = make_plan(captured(then), current, self.disk, [()], delete=delete)
        _, failed = carry_out(plan, self.disk, lambda digest: self.contents / digest.hex())
        return plan, [left.path for left in failed]


def modes(leaves: Leaves) -> dict[ProjectPath, int]:
    return {path: mode for path, (kind, mode, _) in leaves.items() if kind == FILE}


@settings(max_examples=100, deadline=None)
@given(pairs())
def test_everything_becomes_what_it_was(both: tuple[Leaves, Leaves]) -> None:
    then, now = both
    with tempfile.TemporaryDirectory() as base:
        project = Project(Path(base), now)
        plan, failed = project.restore(then, captured(now), delete=True)
        assert (plan.left, failed) == ([], [])
        there = found(project.folder)
        assert {path: content for path, (_, _, content) in there.items()} == {
            path: content for path, (_, _, content) in then.items()
        }
        for path, mode in modes(then).items():
            assert (project.folder / os.fsdecode(b"/".join(path))).stat().st_mode & 0o777 == mode
        again, _ = project.restore(then, captured(then), delete=True)
        assert again.steps == []
        project.disk.close()


@settings(max_examples=100, deadline=None)
@given(pairs(), st.randoms(use_true_random=False), st.booleans())
def test_what_is_not_captured_stays(both: tuple[Leaves, Leaves], draw, delete: bool) -> None:
    then, now = both
    ignored = {path for path in now if draw.random() < 0.4}
    known = captured({path: leaf for path, leaf in now.items() if path not in ignored})
    with tempfile.TemporaryDirectory() as base:
        project = Project(Path(base), now)
        project.restore(then, known, delete=delete)
        there = found(project.folder)
        for path in ignored:
            assert there[path][2] == now[path][2]
        project.disk.close()


LEAF = {(b"a",): (FILE, 0o644, b"then")}


@pytest.fixture
def project(tmp_path: Path):
    made = Project(tmp_path, {(b"a",): (FILE, 0o644, b"now"), (b"d", b"b"): (FILE, 0o644, b"b")})
    yield made
    made.disk.close()


def test_what_changes_between_looking_and_writing_is_left_alone(project, monkeypatch) -> None:
    current = captured({(b"a",): (FILE, 0o644, b"now"), (b"d", b"b"): (FILE, 0o644, b"b")})
    then = {**LEAF, (b"c",): (FILE, 0o644, b"c")}
    for _, _, content in then.values():
        (project.contents / hashlib.sha256(content).hexdigest()).write_bytes(content)
    plan = make_plan(captured(then), current, project.disk, [()], delete=True)
    (project.folder / "a").write_text("later")
    (project.folder / "c").write_text("also later")
    (project.folder / "d" / "b").write_text("later too")
    done, failed = carry_out(plan, project.disk, lambda digest: project.contents / digest.hex())
    assert done == set()
    assert {left.path for left in failed} == {(b"a",), (b"c",), (b"d", b"b")}
    assert {place.name: place.read_text() for place in project.folder.rglob("*") if place.is_file()} == {
        "a": "later", "c": "also later", "b": "later too",
    }  # fmt: skip


def test_a_failure_leaves_the_old_file_and_no_draft(project, monkeypatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    current = captured({(b"a",): (FILE, 0o644, b"now")})
    _, failed = project.restore(LEAF, current, delete=False)
    assert failed == [(b"a",)]
    assert (project.folder / "a").read_text() == "now"
    assert sorted(place.name for place in project.folder.iterdir()) == ["a", "d"]


def test_a_folder_that_became_a_link_leads_nowhere(project, tmp_path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "b").write_text("precious")
    (project.folder / "d" / "b").unlink()
    (project.folder / "d").rmdir()
    (project.folder / "d").symlink_to(outside)
    seen = Now("file", 0o644, 8, b"", (0, 0, 0, 0))
    assert project.disk.look((b"d", b"b")) is None
    for act in (
        lambda: project.disk.remove((b"d", b"b"), seen),
        lambda: project.disk.open((b"d", b"b")),
        lambda: project.disk.set_mode((b"d", b"b"), 0o777, "file"),
        lambda: project.disk.make_folder((b"d", b"new")),
    ):
        with pytest.raises((OSError, Changed)):
            act()
    assert [place.name for place in outside.iterdir()] == ["b"]
    assert (outside / "b").stat().st_mode & 0o777 != 0o777


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_root_gives_files_to_whose_they_are(project) -> None:
    os.chown(project.folder, 12345, 23456)
    os.chown(project.folder / "a", 111, 222)
    then = {**LEAF, (b"new", b"file"): (FILE, 0o600, b"x"), (b"l",): (LINK, 0o777, b"nowhere")}
    project.restore(then, captured({(b"a",): (FILE, 0o644, b"now")}), delete=False)
    for name, owner in {
        "a": (111, 222),
        "new": (12345, 23456),
        "new/file": (12345, 23456),
        "l": (12345, 23456),
    }.items():
        st = (project.folder / name).lstat()
        assert (st.st_uid, st.st_gid) == owner
