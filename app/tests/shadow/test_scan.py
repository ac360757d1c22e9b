"""Passes by hand: kinds, their changes, ignore rules, the unreadable; each sees what changed, no more."""

import ctypes
import os
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from lighthouse.shadow import files, scan, status
from lighthouse.shadow.capture import Passed
from lighthouse.shadow.errors import ProjectAway
from lighthouse.shadow.scan import Stopped

ByHand = Any
NOBODY = 65534


def told(passed: Passed) -> list[tuple[bytes, str]]:
    """What changed, without folders that only their entries made younger."""
    return sorted(
        (b"/".join(found.path), found.op)
        for found in passed.differences
        if not (found.op == "touched" and found.entry.kind == "d")
    )


def test_every_kind(project: Path, capture: ByHand) -> None:
    (project / "folder/empty").mkdir(parents=True)
    (project / "folder/file").write_bytes(b"content")
    (project / "link").symlink_to("/etc/passwd")
    (project / "away").symlink_to("..")
    (project / "dead").symlink_to("no/where")
    (project / "twice").hardlink_to(project / "folder/file")
    capture.scan()
    entries = capture.entries()
    kinds = {path: entry.kind for path, entry in entries.items()}
    assert kinds == {
        b"folder": "d",
        b"folder/empty": "d",
        b"folder/file": "f",
        b"link": "l",
        b"away": "l",
        b"dead": "l",
        b"twice": "f",
    }
    assert capture.content(b"link") == b"/etc/passwd"
    assert entries[b"link"].size == len("/etc/passwd")
    assert entries[b"twice"].hash == entries[b"folder/file"].hash


def test_special_files_are_skipped_and_counted(project: Path, capture: ByHand) -> None:
    os.mkfifo(project / "fifo")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(project / "socket"))
    (project / "file").touch()
    capture.scan()
    assert list(capture.entries()) == [b"file"]
    assert capture.tree.totals.skipped == 2
    (project / "fifo").unlink()
    capture.scan()
    assert capture.tree.totals.skipped == 1


def test_names_that_are_not_text(project: Path, capture: ByHand) -> None:
    root = os.fsencode(project)
    Path(os.fsdecode(root + b"/\xff\xfe")).mkdir()
    Path(os.fsdecode(root + b"/\xff\xfe/\x80")).write_bytes(b"x")
    Path(os.fsdecode(root + b"/new\nline")).write_bytes(b"y")
    capture.scan()
    assert sorted(capture.entries()) == [b"new\nline", b"\xff\xfe", b"\xff\xfe/\x80"]
    Path(os.fsdecode(root + b"/\xff\xfe/\x80")).write_bytes(b"z!")
    assert told(capture.scan()) == [(b"\xff\xfe/\x80", "modified")]


def test_what_happens_to_a_file(project: Path, capture: ByHand) -> None:
    path = project / "a/file"
    path.parent.mkdir()
    path.write_bytes(b"one")
    os.utime(path, ns=(1, 1))
    capture.scan()
    path.write_bytes(b"two")
    os.utime(path, ns=(1, 1))
    assert told(capture.scan()) == [(b"a/file", "modified")]
    path.chmod(0o600)
    assert told(capture.scan()) == [(b"a/file", "mode")]
    os.utime(path, ns=(5, 5))
    assert told(capture.scan()) == [(b"a/file", "touched")]
    path.unlink()
    assert told(capture.scan()) == [(b"a/file", "deleted")]
    assert told(capture.scan()) == []


@pytest.mark.parametrize("everything", [False, True])
def test_changes_of_kind(project: Path, capture: ByHand, everything: bool) -> None:
    path = project / "x"

    def look() -> list[tuple[bytes, str]]:
        return told(capture.scan(everything=everything))

    path.write_bytes(b"file")
    capture.scan()
    path.unlink()
    (path / "below").mkdir(parents=True)
    assert look() == [(b"x", "created"), (b"x", "deleted"), (b"x/below", "created")]
    path.joinpath("below").rmdir()
    path.rmdir()
    path.symlink_to("below")
    assert look() == [(b"x", "created"), (b"x", "deleted"), (b"x/below", "deleted")]
    path.unlink()
    path.write_bytes(b"below")
    assert look() == [(b"x", "created"), (b"x", "deleted")]
    path.unlink()
    os.mkfifo(path)
    assert look() == [(b"x", "deleted")]


def test_a_folder_renamed_then_written_to(project: Path, capture: ByHand) -> None:
    (project / "a/b").mkdir(parents=True)
    (project / "a/b/file").write_bytes(b"one")
    capture.scan()
    (project / "a").rename(project / "c")
    (project / "c/b/file").write_bytes(b"two!")
    capture.scan()
    assert capture.content(b"c/b/file") == b"two!"
    (project / "c/b/file").write_bytes(b"three")
    assert told(capture.scan()) == [(b"c/b/file", "modified")]


def test_folders_that_change_places(project: Path, capture: ByHand) -> None:
    for name in "ab":
        (project / name).mkdir()
        (project / name / "file").write_bytes(name.encode())
    capture.scan()
    (project / "a").rename(project / "t")
    (project / "b").rename(project / "a")
    (project / "t").rename(project / "b")
    capture.scan()
    assert (capture.content(b"a/file"), capture.content(b"b/file")) == (b"b", b"a")
    (project / "a/file").write_bytes(b"new in a")
    assert told(capture.scan()) == [(b"a/file", "modified")]


def test_a_folder_moved_away_is_not_followed(project: Path, tmp_path: Path, capture: ByHand) -> None:
    (project / "a/b").mkdir(parents=True)
    capture.scan()
    assert capture.capture.watched == 3
    (project / "a").rename(tmp_path / "outside")
    capture.scan()
    (tmp_path / "outside/b/file").touch()
    assert told(capture.scan()) == []
    assert capture.capture.watched == 1


def test_deleted_and_made_again(project: Path, capture: ByHand) -> None:
    (project / "a").mkdir()
    (project / "a/old").touch()
    capture.scan()
    (project / "a/old").unlink()
    (project / "a").rmdir()
    (project / "a").mkdir()
    (project / "a/new").touch()
    assert told(capture.scan()) == [(b"a/new", "created"), (b"a/old", "deleted")]
    (project / "a/more").touch()
    assert told(capture.scan()) == [(b"a/more", "created")]


def test_links_on_the_way_are_never_followed(project: Path, tmp_path: Path, capture: ByHand) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "file").write_bytes(b"secret")
    (project / "a").mkdir()
    (project / "a/file").write_bytes(b"mine")
    capture.scan()
    (project / "a/file").write_bytes(b"touched")
    (project / "a").rename(project / "b")
    (project / "a").symlink_to(secret)
    capture.scan()
    assert capture.entries()[b"a"].kind == "l"
    assert b"a/file" not in capture.entries()
    (secret / "file").write_bytes(b"changed outside")
    assert told(capture.scan()) == []


def test_ignored_is_not_there_and_not_watched(project: Path, capture: ByHand) -> None:
    (project / ".gitignore").write_bytes(b"*.log\n/build/\n")
    for name in ("build/deep", ".git/objects", "node_modules/x"):
        (project / name).mkdir(parents=True)
    (project / "x.log").touch()
    (project / "x.txt").touch()
    capture.scan()
    assert sorted(capture.entries()) == [b".gitignore", b"x.txt"]
    assert capture.capture.watched == 1
    (project / "build/file").touch()
    (project / "y.log").touch()
    assert told(capture.scan()) == []


def test_ignored_entries_make_no_version(project: Path, capture: ByHand) -> None:
    (project / "a").mkdir()
    capture.scan()
    before = capture.tree.hash
    (project / "a/__pycache__").mkdir()
    assert capture.scan().tree.hash == before
    assert capture.scan(everything=True).tree.hash == before


def test_a_changed_gitignore_is_applied_again(project: Path, capture: ByHand) -> None:
    (project / "a/b").mkdir(parents=True)
    (project / "a/b/x.log").touch()
    (project / "a/b/keep.log").touch()
    capture.scan()
    (project / ".gitignore").write_bytes(b"*.log\n")
    assert told(capture.scan()) == [
        (b".gitignore", "created"),
        (b"a/b/keep.log", "deleted"),
        (b"a/b/x.log", "deleted"),
    ]
    (project / "a/.gitignore").write_bytes(b"!keep.log\n")
    assert told(capture.scan()) == [(b"a/.gitignore", "created"), (b"a/b/keep.log", "created")]
    (project / ".gitignore").unlink()
    assert told(capture.scan()) == [(b".gitignore", "deleted"), (b"a/b/x.log", "created")]


def test_a_gitignore_that_is_a_link_is_not_read(project: Path, tmp_path: Path, capture: ByHand) -> None:
    (tmp_path / "patterns").write_bytes(b"*\n")
    (project / ".gitignore").symlink_to(tmp_path / "patterns")
    (project / "file").touch()
    capture.scan()
    assert b"file" in capture.entries()


def test_a_settled_file_is_not_read_again(
    project: Path, capture: ByHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "a").mkdir()
    (project / "a/file").write_bytes(b"one")
    monkeypatch.setattr(files, "RACY_NS", -(10**12))
    capture.scan()
    assert capture.files_read == 1
    capture.scan(everything=True)
    assert capture.files_read == 0
    (project / "a/other").write_bytes(b"two")
    capture.scan()
    assert capture.files_read == 1


def test_a_file_replaced_under_the_same_size_and_time_is_seen(
    project: Path, capture: ByHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "RACY_NS", -(10**12))
    (project / "file").write_bytes(b"one")
    os.utime(project / "file", ns=(1, 1))
    capture.scan()
    capture.capture._watches.drain()
    (project / "new").write_bytes(b"two")
    os.utime(project / "new", ns=(1, 1))
    (project / "new").rename(project / "file")
    capture.capture._watches.drain()
    assert told(capture.scan(everything=True)) == [(b"file", "modified")]


def test_what_the_watcher_told_of_is_read_whatever_its_stamp_says(
    project: Path, capture: ByHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a disk whose change times move slowly."""
    monkeypatch.setattr(files, "RACY_NS", -(10**12))
    monkeypatch.setattr(files, "stamp_of", lambda _: b"always the same!")
    (project / "file").write_bytes(b"one")
    os.utime(project / "file", ns=(1, 1))
    capture.scan()
    (project / "file").write_bytes(b"two")
    os.utime(project / "file", ns=(1, 1))
    assert told(capture.scan()) == [(b"file", "modified")]


def test_a_racy_file_is_read_again(project: Path, capture: ByHand) -> None:
    (project / "file").write_bytes(b"one")
    capture.scan()
    capture.scan(everything=True)
    assert capture.files_read == 1


def test_over_the_limit_is_marked_and_told(project: Path, make_capture: Callable[..., ByHand]) -> None:
    capture = make_capture(max_file_bytes=10)
    (project / "big").write_bytes(b"x" * 11)
    capture.scan()
    assert capture.content(b"big") == b"lighthouse: not captured: 11 bytes, over the limit of 10\n"
    assert capture.tree.totals.too_large == 1
    assert status.describe(capture.tree, capture.reader)["problems"] == [
        {"path": "big", "reason": "11 bytes, over the limit of 10"}
    ]
    (project / "big").write_bytes(b"small")
    capture.scan()
    assert (capture.content(b"big"), capture.tree.totals.too_large) == (b"small", 0)


def test_too_deep_is_marked(project: Path, capture: ByHand) -> None:
    here = os.open(project, os.O_RDONLY)
    for _ in range(scan.MAX_DEPTH + 1):
        os.mkdir(b"d", dir_fd=here)
        below = os.open(b"d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    capture.scan()
    deepest = capture.entries()[b"/".join([b"d"] * (scan.MAX_DEPTH + 1))]
    assert deepest.mark == "unreadable"
    assert capture.tree.totals.unreadable == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="changing to another user takes root")
def test_what_another_user_may_not_read_is_marked_and_told(project: Path, capture: ByHand) -> None:
    """Root reads everything; so these passes run on a thread whose file accesses are those of `nobody`."""
    for folder in (project, *project.parents):
        if folder.stat().st_mode & 0o001 == 0:
            folder.chmod(folder.stat().st_mode | 0o055)
    (project / "open").write_bytes(b"open")
    (project / "closed").write_bytes(b"closed")
    (project / "closed").chmod(0o600)
    for name, mode in (("shut", 0o700), ("listed", 0o744)):
        (project / name / "sub").mkdir(parents=True)
        (project / name / "file").write_bytes(b"inside")
        (project / name).chmod(mode)
    with ThreadPoolExecutor(1) as nobody:
        libc = ctypes.CDLL(None)
        nobody.submit(libc.setfsuid, NOBODY).result()
        nobody.submit(libc.setfsgid, NOBODY).result()
        nobody.submit(capture.scan).result()
        assert capture.content(b"open") == b"open"
        assert b"cannot read this file (Permission denied)" in capture.content(b"closed")
        problems = {problem["path"] for problem in status.describe(capture.tree, capture.reader)["problems"]}
        assert problems == {"closed", "shut", "listed/file", "listed/sub"}
        assert capture.entries()[b"shut"].mark == "unreadable"

        (project / "shut").chmod(0o755)
        (project / "closed").chmod(0o644)
        nobody.submit(capture.scan).result()
        assert (capture.content(b"closed"), capture.content(b"shut/file")) == (b"closed", b"inside")

        (project / "shut").chmod(0o700)
        passed = nobody.submit(capture.scan).result()
        assert (b"shut/file", "deleted") in told(passed)
        assert (b"shut", "modified") in told(passed)


def test_a_project_that_goes_away(project: Path, tmp_path: Path, capture: ByHand) -> None:
    (project / "file").write_bytes(b"here")
    capture.scan()
    project.rename(tmp_path / "elsewhere")
    with pytest.raises(ProjectAway, match="No such file"):
        capture.scan()
    project.write_bytes(b"a file in its place")
    with pytest.raises(ProjectAway, match="Not a directory"):
        capture.scan()
    project.unlink()
    (tmp_path / "elsewhere").rename(project)
    (project / "new").touch()
    assert told(capture.scan()) == [(b"new", "created")]
    (project / "newer").touch()
    assert told(capture.scan()) == [(b"newer", "created")]


def test_a_project_replaced_while_it_is_scanned_is_no_version(
    project: Path, tmp_path: Path, capture: ByHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "file").touch()
    capture.scan()
    listdir = os.listdir

    def replaced(fd: int) -> list[str]:
        monkeypatch.undo()
        project.rename(tmp_path / "old")
        project.mkdir()
        return listdir(fd)

    monkeypatch.setattr(scan.os, "listdir", replaced)
    with pytest.raises(ProjectAway, match="replaced"):
        capture.scan(everything=True)
    assert told(capture.scan()) == [(b"file", "deleted")]


def test_an_unmounted_project_is_not_an_empty_one(project: Path, capture: ByHand) -> None:
    (project / "file").touch()
    capture.scan()
    capture.capture._device += 1
    (project / "file").unlink()
    with pytest.raises(ProjectAway, match="empty and on another file system"):
        capture.scan(everything=True)


def test_a_pass_can_be_stopped(project: Path, capture: ByHand) -> None:
    capture.scan()
    capture.capture.stop()
    with pytest.raises(Stopped):
        capture.scan(everything=True)


def test_what_was_told_before_a_failed_pass_is_not_lost(
    project: Path, capture: ByHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture.scan()
    (project / "file").touch()
    capture.capture.scan(capture.tree, False)
    # That pass was never recorded, as when the event store is away.
    assert told(capture.scan()) == [(b"file", "created")]
