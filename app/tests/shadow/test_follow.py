"""A shadow that follows: changes appear by themselves, through everything that can happen to a project."""

import asyncio
import os
import shutil
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from lighthouse.events import EventStore, Query
from lighthouse.shadow import Shadow, inotify
from lighthouse.shadow.entry import Entry

MakeShadow = Callable[..., Awaitable[Shadow]]
WaitFor = Callable[..., Awaitable[None]]

NEVER = 3600.0


def entry(shadow: Shadow, path: str) -> Entry | None:
    return shadow.current.lookup(tuple(os.fsencode(path).split(b"/")))


def reads(shadow: Shadow, path: str, content: bytes) -> Callable[[], bool]:
    """A condition: the file is captured with this content."""

    def holds() -> bool:
        found = entry(shadow, path)
        return found is not None and found.kind == "f" and shadow.read(found.hash, 0, found.size) == content

    return holds


def gone(shadow: Shadow, path: str) -> Callable[[], bool]:
    return lambda: entry(shadow, path) is None


async def test_a_saved_file(project: Path, make_shadow: MakeShadow, wait_for: WaitFor) -> None:
    shadow = await make_shadow(reconcile_seconds=NEVER)
    (project / "file").write_bytes(b"one")
    await wait_for(reads(shadow, "file", b"one"))
    (project / "new").write_bytes(b"two")
    (project / "new").rename(project / "file")
    await wait_for(reads(shadow, "file", b"two"))
    (project / "file").unlink()
    await wait_for(gone(shadow, "file"))


async def test_in_folders_made_at_once(project: Path, make_shadow: MakeShadow, wait_for: WaitFor) -> None:
    shadow = await make_shadow(reconcile_seconds=NEVER)
    (project / "a/b/c/d").mkdir(parents=True)
    (project / "a/b/c/d/file").write_bytes(b"deep")
    await wait_for(reads(shadow, "a/b/c/d/file", b"deep"))
    (project / "a/b/c/d/file").write_bytes(b"deeper")
    await wait_for(reads(shadow, "a/b/c/d/file", b"deeper"))
    (project / "a").rename(project / "z")
    await wait_for(reads(shadow, "z/b/c/d/file", b"deeper"))
    (project / "z/b/c/d/file").write_bytes(b"renamed")
    await wait_for(reads(shadow, "z/b/c/d/file", b"renamed"))
    assert entry(shadow, "a") is None


async def test_names_that_are_not_text(project: Path, make_shadow: MakeShadow, wait_for: WaitFor) -> None:
    shadow = await make_shadow(reconcile_seconds=NEVER)
    name = os.fsdecode(b"\xff\xfe")
    (project / name).write_bytes(b"x")
    await wait_for(reads(shadow, name, b"x"))
    (project / "after").write_bytes(b"y")
    await wait_for(reads(shadow, "after", b"y"))
    assert shadow.health()[0]


async def test_a_link_to_a_folder_outside_is_not_watched(
    project: Path, tmp_path: Path, make_shadow: MakeShadow, wait_for: WaitFor
) -> None:
    (tmp_path / "outside/deep").mkdir(parents=True)
    (project / "link").symlink_to(tmp_path / "outside")
    shadow = await make_shadow(reconcile_seconds=NEVER)
    assert shadow.status()["watcher"]["folders_watched"] == 1
    (project / "other").symlink_to(tmp_path)
    await wait_for(lambda: entry(shadow, "other") is not None)
    assert shadow.status()["watcher"]["folders_watched"] == 1


async def test_many_files_at_once(
    project: Path, events: EventStore, make_shadow: MakeShadow, wait_for: WaitFor
) -> None:
    """As `git checkout` of another branch does it: files replaced, removed, added, in many folders."""
    for folder in range(20):
        (project / f"d{folder}").mkdir()
        for number in range(20):
            (project / f"d{folder}/f{number}").write_bytes(b"one")
    shadow = await make_shadow(reconcile_seconds=NEVER)

    def checkout() -> None:
        for folder in range(0, 20, 2):
            shutil.rmtree(project / f"d{folder}")
            (project / f"d{folder}").write_bytes(b"now a file")
        for folder in range(1, 20, 2):
            for number in range(20):
                path = project / f"d{folder}/f{number}"
                path.unlink()
                path.write_bytes(b"%d" % number)
            (project / f"n{folder}").mkdir()
            (project / f"n{folder}/new").write_bytes(b"new")

    worker = threading.Thread(target=checkout)
    worker.start()
    await asyncio.to_thread(worker.join)
    await wait_for(lambda: shadow.status()["files"] == 10 + 10 * 20 + 10)
    await wait_for(reads(shadow, "n19/new", b"new"))
    for folder in range(1, 20, 2):
        for number in range(20):
            assert reads(shadow, f"d{folder}/f{number}", b"%d" % number)()
    seq, root = shadow.current.seq, shadow.current.root
    await shadow.scan()
    assert (shadow.current.seq, shadow.current.root) == (seq, root)
    versions = (await events.query(Query(stream="shadow", limit=1000))).events
    previous = [event.value.get("previous") for event in versions]
    assert previous == [None, *(event.value["root"] for event in versions[:-1])]


async def test_a_file_that_never_rests_does_not_hide_others(
    project: Path, make_shadow: MakeShadow, wait_for: WaitFor
) -> None:
    shadow = await make_shadow(reconcile_seconds=NEVER)
    stop = threading.Event()

    def write() -> None:
        with (project / "log").open("ab", buffering=0) as file:
            while not stop.is_set():
                file.write(b"line\n")
                stop.wait(0.0005)

    worker = threading.Thread(target=write)
    worker.start()
    try:
        for number in range(5):
            (project / "file").write_bytes(b"%d" % number)
            await wait_for(reads(shadow, "file", b"%d" % number))
        found = entry(shadow, "log")
        assert found is not None
        assert shadow.read(found.hash, 0, found.size) == b"line\n" * (found.size // 5)
    finally:
        stop.set()
        worker.join()
    await wait_for(reads(shadow, "log", (project / "log").read_bytes()))


async def test_a_project_that_never_rests_is_still_scanned_whole(
    project: Path, make_shadow: MakeShadow, wait_for: WaitFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    shadow = await make_shadow(reconcile_seconds=0.2)
    scanned: list[bool] = []
    scan = shadow._capture.scan

    def noted(tree: object, everything: bool, paths: object) -> object:
        scanned.append(everything)
        (project / "file").write_bytes(b"%d" % len(scanned))
        return scan(tree, everything, paths)  # type: ignore[arg-type]

    monkeypatch.setattr(shadow._capture, "scan", noted)
    (project / "file").write_bytes(b"first")
    await wait_for(lambda: True in scanned and False in scanned)
    monkeypatch.undo()


async def test_a_changed_gitignore(project: Path, make_shadow: MakeShadow, wait_for: WaitFor) -> None:
    (project / "a").mkdir()
    (project / "a/x.log").write_bytes(b"x")
    shadow = await make_shadow(reconcile_seconds=NEVER)
    (project / ".gitignore").write_bytes(b"*.log\n")
    await wait_for(gone(shadow, "a/x.log"))
    (project / ".gitignore").write_bytes(b"")
    await wait_for(reads(shadow, "a/x.log", b"x"))


async def test_a_project_that_disappears_and_returns(
    project: Path, tmp_path: Path, make_shadow: MakeShadow, wait_for: WaitFor
) -> None:
    (project / "a").mkdir()
    (project / "a/file").write_bytes(b"one")
    shadow = await make_shadow(reconcile_seconds=NEVER)
    project.rename(tmp_path / "elsewhere")
    await wait_for(lambda: not shadow.health()[0])
    assert "No such file" in shadow.health()[1]
    assert shadow.status()["watcher"]["status"] == "failed"
    assert reads(shadow, "a/file", b"one")()
    (tmp_path / "elsewhere/a/file").write_bytes(b"two")
    (tmp_path / "elsewhere").rename(project)
    await wait_for(lambda: shadow.health()[0])
    assert reads(shadow, "a/file", b"two")()
    (project / "a/file").write_bytes(b"three")
    await wait_for(reads(shadow, "a/file", b"three"))


async def test_a_project_replaced_by_another(
    project: Path, tmp_path: Path, make_shadow: MakeShadow, wait_for: WaitFor
) -> None:
    (project / "old").touch()
    shadow = await make_shadow(reconcile_seconds=NEVER)
    other = tmp_path / "other"
    other.mkdir()
    (other / "file").write_bytes(b"other")
    project.rename(tmp_path / "elsewhere")
    other.rename(project)
    await wait_for(reads(shadow, "file", b"other"))
    assert entry(shadow, "old") is None
    (project / "file").write_bytes(b"changed")
    await wait_for(reads(shadow, "file", b"changed"))


async def test_when_the_kernel_lost_track_everything_is_scanned(
    project: Path, make_shadow: MakeShadow, wait_for: WaitFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An overflow takes 16,384 events by default; here the first reading loses what it was told."""
    shadow = await make_shadow(reconcile_seconds=NEVER)
    real = inotify.Inotify.read

    def lose(self: inotify.Inotify) -> list[inotify.Occurrence]:
        list(real(self))
        monkeypatch.undo()
        return [inotify.Occurrence(-1, inotify.OVERFLOW, b"")]

    monkeypatch.setattr(inotify.Inotify, "read", lose)
    (project / "file").write_bytes(b"x")
    await wait_for(reads(shadow, "file", b"x"))
    assert shadow.status()["watcher"]["overflows"] == 1


async def test_without_watches_changes_are_found_by_scanning(
    project: Path, make_shadow: MakeShadow, wait_for: WaitFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(inotify.Inotify, "watch", refuse)
    shadow = await make_shadow(reconcile_seconds=0.05)
    ok, detail = shadow.health()
    assert not ok
    assert "max_user_watches" in detail
    (project / "file").write_bytes(b"x")
    await wait_for(reads(shadow, "file", b"x"))
    monkeypatch.undo()
    await wait_for(lambda: shadow.health()[0])


async def test_without_inotify_at_all(
    project: Path, make_shadow: MakeShadow, wait_for: WaitFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(inotify.Inotify, "__init__", refuse)
    shadow = await make_shadow(reconcile_seconds=0.05)
    assert "max_user_instances" in shadow.health()[1]
    (project / "file").write_bytes(b"x")
    await wait_for(reads(shadow, "file", b"x"))


async def test_a_failing_scan_is_told_and_tried_again(
    project: Path, make_shadow: MakeShadow, wait_for: WaitFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    shadow = await make_shadow(reconcile_seconds=NEVER)

    def fail(*_: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("lighthouse.shadow.scan.Scan.run", fail)
    (project / "file").write_bytes(b"x")
    await wait_for(lambda: "Too many open files" in shadow.health()[1])
    monkeypatch.undo()
    await wait_for(reads(shadow, "file", b"x"))
    assert shadow.health()[0]


async def test_closing_ends_a_running_scan(project: Path, make_shadow: MakeShadow) -> None:
    for number in range(200):
        (project / f"d{number}").mkdir()
    shadow = await make_shadow(reconcile_seconds=0.001)
    await shadow.close()
    assert not any(thread.name.startswith("shadow") for thread in threading.enumerate())
