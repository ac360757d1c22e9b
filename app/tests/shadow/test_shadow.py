"""A shadow from outside: its events and versions, restarts, reading now and back then, its state in words."""

import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from lighthouse.config import Settings
from lighthouse.events import Event, EventStore, Query, StoreUnavailable
from lighthouse.paths import BadPath
from lighthouse.shadow import (
    ContentMissing,
    ContentsRefused,
    NoSuchVersion,
    NotCaptured,
    ProjectAway,
    Shadow,
    TreeChange,
    capture,
    files,
    schema,
)

MakeShadow = Callable[..., Awaitable[Shadow]]


async def logged(events: EventStore) -> list[Event]:
    return (await events.query(Query(stream="shadow", limit=1000))).events


def settle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let fresh files count as settled."""
    monkeypatch.setattr(files, "RACY_NS", -(10**18))


async def test_the_first_capture_is_an_event(
    project: Path, events: EventStore, make_shadow: MakeShadow
) -> None:
    (project / "a").mkdir()
    (project / "a/file").write_bytes(b"content")
    shadow = await make_shadow(max_file_bytes=100)
    (event,) = await logged(events)
    assert (event.type, event.agent_id, event.seq) == ("shadow.captured", "lighthouse", shadow.current.seq)
    assert event.value == {
        "root": shadow.current.root.hex(),
        "files": 1,
        "bytes": 7,
        "unreadable": 0,
        "too_large": 0,
    }


async def test_a_change_is_an_event_and_told_to_listeners(
    project: Path, events: EventStore, make_shadow: MakeShadow
) -> None:
    (project / "old").write_bytes(b"x")
    shadow = await make_shadow(reconcile_seconds=3600)
    before = shadow.current
    told: list[TreeChange] = []
    shadow.add_listener(told.append)
    (project / "old").unlink()
    (project / "new").write_bytes(b"content")
    await shadow.scan()
    changes = (await logged(events))[1:]
    assert [event.type for event in changes] == ["shadow.changed"] * len(changes)
    assert changes[0].value["previous"] == before.root.hex()
    assert changes[-1].value["root"] == shadow.current.root.hex()
    listed = {change["path"]: change for event in changes for change in event.value["changes"]}
    assert listed["old"]["op"] == "deleted"
    assert listed["new"] == {
        "path": "new",
        "op": "created",
        "kind": "file",
        "size": 7,
        "hash": shadow.current.children(())[b"new"].hex,
    }
    assert [change.seq for change in told] == [event.seq for event in changes]
    assert told[0].old.root == before.root
    assert told[-1].new is shadow.current or told[-1].new.root == shadow.current.root
    assert {path for change in told for path, _ in change.paths} == {(b"old",), (b"new",)}


async def test_a_failing_listener_stops_nothing(project: Path, make_shadow: MakeShadow) -> None:
    shadow = await make_shadow(reconcile_seconds=3600)
    told: list[TreeChange] = []

    def fail(_: TreeChange) -> None:
        raise RuntimeError("no")

    shadow.add_listener(fail)
    shadow.add_listener(told.append)
    (project / "file").touch()
    await shadow.scan()
    assert told


async def test_an_unchanged_project_adds_no_event_and_is_not_read_again(
    project: Path, events: EventStore, make_shadow: MakeShadow, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(monkeypatch)
    (project / "a/b").mkdir(parents=True)
    (project / "a/b/file").write_bytes(b"content")
    (project / "link").symlink_to("a")
    first = await make_shadow()
    seq, root = first.current.seq, first.current.root
    await first.close()

    def read(*_: object) -> None:
        pytest.fail("a file was read")

    monkeypatch.setattr(files, "capture", read)
    second = await make_shadow()
    assert (second.current.seq, second.current.root) == (seq, root)
    assert len(await logged(events)) == 1
    assert second.status()["files"] == 2


async def test_a_change_while_the_bridge_was_down(
    project: Path, events: EventStore, make_shadow: MakeShadow, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(monkeypatch)
    (project / "file").write_bytes(b"one")
    first = await make_shadow()
    await first.close()
    (project / "file").write_bytes(b"two")
    second = await make_shadow()
    assert [event.type for event in await logged(events)] == ["shadow.captured"] * 2
    assert (await logged(events))[1].value["previous"] == first.current.root.hex()
    assert (await second.read_path("file")).data == b"two"
    assert (await second.read_path("file", first.current.seq)).data == b"one"


async def test_past_versions_open_by_sequence_number(
    project: Path, events: EventStore, make_shadow: MakeShadow
) -> None:
    shadow = await make_shadow(reconcile_seconds=3600)
    (project / "a").mkdir()
    seqs = []
    for number in range(3):
        (project / "a/file").write_bytes(b"%d" % number)
        seqs.append(await shadow.scan())
    for number, seq in enumerate(seqs):
        snapshot = shadow.open_version(seq)
        assert (await shadow.read_path("a/file", seq)).data == b"%d" % number
        assert list(snapshot.children((b"a",))) == [b"file"]
        assert shadow.open_tree(snapshot.root.hex()).children(()) == snapshot.children(())
    assert shadow.open_version(seqs[-1]) is shadow.current
    assert shadow.open_version(seqs[0]).lookup((b"a", b"file", b"x")) is None
    with pytest.raises(NoSuchVersion, match="no event"):
        shadow.open_version(events.head.seq + 1)
    with pytest.raises(NoSuchVersion, match="as early"):
        shadow.open_version(0)
    with pytest.raises(ContentMissing):
        shadow.open_tree("00" * 32)


async def test_reading_paths(project: Path, make_shadow: MakeShadow) -> None:
    (project / "a").mkdir()
    (project / "a/file").write_bytes(b"0123456789")
    (project / "link").symlink_to("a")
    shadow = await make_shadow()
    assert (await shadow.read_path("a/file", offset=2, size=3)).data == b"234"
    assert (await shadow.read_path("a/file", size=0)).data == b""
    assert (await shadow.read_path("a/file", offset=20)).data == b""
    folder = await shadow.read_path("./a/")
    assert (folder.entry.kind, list(folder.children)) == ("d", [b"file"])
    assert sorted((await shadow.read_path("")).children) == [b"a", b"link"]
    link = await shadow.read_path(b"link", offset=1, size=0)
    assert (link.entry.kind, link.data) == ("l", b"a")
    with pytest.raises(NotCaptured, match="link is a symbolic link"):
        await shadow.read_path("link/file")
    with pytest.raises(NotCaptured, match="nothing is captured"):
        await shadow.read_path("a/file/below")
    for path in ("../x", "/etc/passwd", "a\0b"):
        with pytest.raises(BadPath):
            await shadow.read_path(path)


async def test_status_and_health(project: Path, make_shadow: MakeShadow) -> None:
    (project / "big").write_bytes(b"x" * 11)
    (project / "small").write_bytes(b"x")
    shadow = await make_shadow(max_file_bytes=10)
    assert shadow.health() == (True, "following 1 folders")
    status = shadow.status()
    watcher = status.pop("watcher")
    assert watcher["status"] == "ok"
    assert status == {
        "version": shadow.current.seq,
        "root": shadow.current.root.hex(),
        "files": 2,
        "bytes": 1 + len(b"lighthouse: not captured: 11 bytes, over the limit of 10\n"),
        "unreadable": 0,
        "too_large": 1,
        "skipped_special": 0,
        "problems": [{"path": "big", "reason": "11 bytes, over the limit of 10"}],
        "problems_total": 1,
        "limits": {"max_file_bytes": 10},
    }


async def test_lost_versions_come_back_from_the_log(
    project: Path, state: Path, events: EventStore, make_shadow: MakeShadow
) -> None:
    (project / "file").write_bytes(b"one")
    first = await make_shadow()
    seq = first.current.seq
    await first.close()
    change_database(state, "DELETE FROM versions")
    second = await make_shadow()
    assert second.current.seq == seq
    assert len(await logged(events)) == 1


async def test_versions_that_the_log_does_not_know_are_dropped(
    project: Path, state: Path, events: EventStore, make_shadow: MakeShadow
) -> None:
    """As with a content store of another installation, or a newer one beside a restored log."""
    (project / "file").write_bytes(b"one")
    first = await make_shadow()
    await first.close()
    change_database(
        state, "INSERT INTO versions VALUES (99, zeroblob(32), '2026-01-01T00:00:00.000000Z', 1, 1)"
    )
    second = await make_shadow()
    assert second.current.seq == first.current.seq
    assert len(await logged(events)) == 1


@pytest.mark.parametrize("lost", ["trees", None])
async def test_lost_trees_are_captured_again(
    project: Path, state: Path, events: EventStore, make_shadow: MakeShadow, lost: str | None
) -> None:
    (project / "a").mkdir()
    (project / "a/file").write_bytes(b"one")
    first = await make_shadow()
    await first.close()
    if lost:
        change_database(state, f"DELETE FROM {lost}")
    else:
        (state / schema.DATABASE).unlink()
    second = await make_shadow()
    assert second.current.seq == first.current.seq
    assert (await second.read_path("a/file")).data == b"one"
    assert len(await logged(events)) == 1


async def test_an_event_store_that_fails_keeps_the_old_version(
    project: Path, events: EventStore, make_shadow: MakeShadow, monkeypatch: pytest.MonkeyPatch
) -> None:
    shadow = await make_shadow(reconcile_seconds=3600)
    before = shadow.current

    async def fail(*_: object, **__: object) -> list[Event]:
        raise StoreUnavailable("the log is away")

    with monkeypatch.context() as patch:
        patch.setattr(events, "append", fail)
        (project / "file").touch()
        with pytest.raises(StoreUnavailable):
            await shadow.scan()
        assert shadow.current is before
    seq = await shadow.scan()
    assert shadow.current.lookup((b"file",)) is not None
    assert [event.seq for event in await logged(events)] == [before.seq, seq]


async def test_a_version_that_cannot_be_recorded_is_recorded_later(
    project: Path, make_shadow: MakeShadow, monkeypatch: pytest.MonkeyPatch
) -> None:
    shadow = await make_shadow(reconcile_seconds=3600)
    record = capture.Capture.record

    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(capture.Capture, "record", fail)
        (project / "file").touch()
        seq = await shadow.scan()
        assert shadow.current.seq == seq
        assert shadow.health() == (False, "1 versions could not be recorded in the content store")
    assert capture.Capture.record is record
    await shadow.scan()
    assert shadow.health()[0]
    (project / "file").unlink()
    await shadow.scan()
    assert shadow.open_version(seq).lookup((b"file",)) is not None


async def test_more_changes_than_an_event_lists(
    project: Path, events: EventStore, make_shadow: MakeShadow
) -> None:
    shadow = await make_shadow(reconcile_seconds=3600)
    names = ["é" * 120 + f"{number:03}" for number in range(700)]
    for name in names:
        (project / name).touch()
    told: list[TreeChange] = []
    shadow.add_listener(told.append)
    await shadow.scan()
    values: list[dict[str, Any]] = [event.value for event in await logged(events)][1:]
    listed = sum(len(value["changes"]) + value.get("truncated", 0) for value in values)
    assert listed == 700 == sum(len(change.paths) for change in told)
    assert all(len(value["changes"]) <= 500 for value in values)


async def test_a_project_that_is_not_there(state: Path, events: EventStore, tmp_path: Path) -> None:
    shadow = Shadow(tmp_path / "nowhere", state, events, Settings())
    with pytest.raises(ProjectAway, match="No such file"):
        await shadow.start()


async def test_a_content_store_that_cannot_be_used(state: Path, events: EventStore, project: Path) -> None:
    (state / schema.DATABASE).write_bytes(b"no database at all" * 100)
    shadow = Shadow(project, state, events, Settings())
    with pytest.raises(ContentsRefused):
        await shadow.start()


def change_database(state: Path, sql: str) -> None:
    db = sqlite3.connect(state / schema.DATABASE)
    with db:
        db.execute(sql)
    db.close()
