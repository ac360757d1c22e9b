"""Opening judges first: what is wrong is refused in one line, and the folder stays as it was to the byte."""

import multiprocessing
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from lighthouse.events import EventStore, StoreRefused
from lighthouse.keys import KeyRing

Tamper = Callable[..., None]
Fill = Callable[[int], None]


def content(folder: Path) -> dict[str, bytes]:
    # -shm is SQLite's index of the -wal, made anew by every process that reads it
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith("-shm")}


def refusal(folder: Path, keyring: KeyRing) -> str:
    before = content(folder)
    with pytest.raises(StoreRefused) as refused:
        EventStore.open(folder, keyring)
    assert content(folder) == before
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_new_folder_is_made_for_the_owner_alone(folder: Path, keyring: KeyRing) -> None:
    EventStore.open(folder / "deep", keyring).close_sync()
    assert (folder / "deep").stat().st_mode & 0o777 == 0o700
    assert sorted(content(folder / "deep")) == ["anchor", "events.db", "lock"]


def test_reopening_goes_on_where_it_ended(folder: Path, keyring: KeyRing, fill: Fill) -> None:
    fill(3)
    fill(3)
    store = EventStore.open(folder, keyring)
    assert store.head.seq == 6
    store.close_sync()


def test_wrong_secret(folder: Path, keyring: KeyRing, fill: Fill) -> None:
    fill(3)
    assert "another secret" in refusal(folder, KeyRing(b"o" * 32))


def test_wrong_secret_with_its_own_anchor(folder: Path, keyring: KeyRing, fill: Fill, tmp_path: Path) -> None:
    other = KeyRing(b"o" * 32)
    EventStore.open(tmp_path / "other", other).close_sync()
    fill(3)
    shutil.copy(tmp_path / "other" / "anchor", folder / "anchor")
    assert "event 1 is signed with key" in refusal(folder, other)


def test_newer_schema(folder: Path, keyring: KeyRing, fill: Fill, tamper: Tamper) -> None:
    fill(3)
    tamper("PRAGMA user_version = 2")
    assert "schema 2, this Lighthouse knows 1" in refusal(folder, keyring)


@pytest.mark.parametrize("statement", ["DROP INDEX events_type", "DROP TRIGGER events_no_update"])
def test_altered_schema(folder: Path, keyring: KeyRing, fill: Fill, statement: str) -> None:
    fill(3)
    connection = sqlite3.connect(folder / "events.db", isolation_level=None)
    connection.execute(statement)
    connection.close()
    assert "missing or altered" in refusal(folder, keyring)


def test_database_of_something_else(folder: Path, keyring: KeyRing) -> None:
    folder.mkdir()
    connection = sqlite3.connect(folder / "events.db")
    connection.execute("CREATE TABLE songs (title)")
    connection.close()
    (folder / "lock").touch()
    assert "events is missing" in refusal(folder, keyring)


@pytest.mark.parametrize("page", range(8))
def test_damaged_page(folder: Path, keyring: KeyRing, fill: Fill, page: int) -> None:
    fill(100)
    damaged = bytearray((folder / "events.db").read_bytes())
    assert len(damaged) > 8 * 4096
    damaged[page * 4096 : page * 4096 + 100] = b"\xa5" * 100
    (folder / "events.db").write_bytes(damaged)
    refusal(folder, keyring)


def test_one_flipped_bit(folder: Path, keyring: KeyRing, fill: Fill) -> None:
    fill(100)
    damaged = (folder / "events.db").read_bytes().replace(b'{"n":50}', b'{"n":51}')
    (folder / "events.db").write_bytes(damaged)
    assert "event 51 was changed" in refusal(folder, keyring)


@pytest.mark.parametrize("keep", [1, 4096, 0.5])
def test_file_cut_short(folder: Path, keyring: KeyRing, fill: Fill, keep: float) -> None:
    fill(100)
    whole = (folder / "events.db").read_bytes()
    (folder / "events.db").write_bytes(whole[: int(keep * len(whole)) if keep < 1 else int(keep)])
    refusal(folder, keyring)


def test_cut_tail(folder: Path, keyring: KeyRing, fill: Fill, tamper: Tamper) -> None:
    fill(5)
    tamper("DELETE FROM events WHERE seq > 3")
    assert "ends at event 3, its anchor stands at 5" in refusal(folder, keyring)


def test_rolled_back_file(folder: Path, keyring: KeyRing, fill: Fill) -> None:
    fill(3)
    old = (folder / "events.db").read_bytes()
    fill(1)
    (folder / "events.db").write_bytes(old)
    assert "ends at event 3, its anchor stands at 4" in refusal(folder, keyring)


def test_rolled_back_file_with_other_events_after_it(folder: Path, keyring: KeyRing, fill: Fill) -> None:
    fill(3)
    shutil.copytree(folder, folder.parent / "fork")
    fill(1)
    fork = EventStore.open(folder.parent / "fork", keyring)
    fork.close_sync()
    shutil.copy(folder / "anchor", folder.parent / "the anchor")
    for name in ("events.db", "anchor"):
        shutil.copy(folder.parent / "fork" / name, folder / name)
    fill(2)
    shutil.copy(folder.parent / "the anchor", folder / "anchor")
    assert "event 4 is not the one its anchor noted" in refusal(folder, keyring)


def test_emptied_and_missing_database(folder: Path, keyring: KeyRing, fill: Fill) -> None:
    fill(3)
    (folder / "events.db").write_bytes(b"")
    assert "is gone, its anchor stands at event 3" in refusal(folder, keyring)
    (folder / "events.db").unlink()
    assert "is gone, its anchor stands at event 3" in refusal(folder, keyring)


def test_missing_anchor(folder: Path, keyring: KeyRing, fill: Fill) -> None:
    fill(3)
    (folder / "anchor").unlink()
    assert "its anchor is missing" in refusal(folder, keyring)


def test_damaged_anchor(folder: Path, keyring: KeyRing, fill: Fill) -> None:
    fill(3)
    (folder / "anchor").write_bytes(b"?" * 1024)
    assert "damaged" in refusal(folder, keyring)


def test_swapped_rows(folder: Path, keyring: KeyRing, fill: Fill, tamper: Tamper) -> None:
    fill(5)
    move = "UPDATE events SET seq = {} WHERE seq = {}"
    tamper(move.format(99, 2), move.format(2, 3), move.format(3, 99))
    assert "event 2 was changed" in refusal(folder, keyring)


@pytest.mark.parametrize("column", ["data", "agent_id", "ts", "mac"])
def test_edited_row(folder: Path, keyring: KeyRing, fill: Fill, tamper: Tamper, column: str) -> None:
    fill(5)
    tamper(f"UPDATE events SET {column} = '{{}}' WHERE seq = 4")
    assert "event 4 was changed" in refusal(folder, keyring)


def test_removed_row(folder: Path, keyring: KeyRing, fill: Fill, tamper: Tamper) -> None:
    fill(5)
    tamper("DELETE FROM events WHERE seq = 1")
    assert "event 1 is missing" in refusal(folder, keyring)


def test_store_ahead_of_its_anchor_is_a_crash_and_fine(folder: Path, keyring: KeyRing, fill: Fill) -> None:
    fill(3)
    old = (folder / "anchor").read_bytes()
    fill(2)
    (folder / "anchor").write_bytes(old)
    store = EventStore.open(folder, keyring)
    assert store.head.seq == 5
    store.close_sync()


def test_all_that_the_anchor_does_not_know_is_checked(
    folder: Path, keyring: KeyRing, fill: Fill, tamper: Tamper
) -> None:
    fill(3)
    old = (folder / "anchor").read_bytes()
    fill(2)
    (folder / "anchor").write_bytes(old)
    tamper("UPDATE events SET prev = 'x' WHERE seq = 4")
    assert "event 4" in refusal(folder, keyring)


def _hold(folder: Path, keyring_secret: bytes, ready: object, done: object) -> None:
    store = EventStore.open(folder, KeyRing(keyring_secret))
    ready.set()  # type: ignore[attr-defined]
    done.wait(30)  # type: ignore[attr-defined]
    store.close_sync()


def test_second_process_is_refused(folder: Path, keyring: KeyRing) -> None:
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    holder = context.Process(target=_hold, args=(folder, b"only-for-tests-0123456789-abcdef", ready, done))
    holder.start()
    try:
        assert ready.wait(30)
        assert "another process holds" in refusal(folder, keyring)
    finally:
        done.set()
        holder.join(30)
    EventStore.open(folder, keyring).close_sync()


def test_second_store_in_one_process_is_refused(folder: Path, keyring: KeyRing) -> None:
    store = EventStore.open(folder, keyring)
    with pytest.raises(StoreRefused, match="another process holds"):
        EventStore.open(folder, keyring)
    store.append_sync([], agent_id="ann")
    store.close_sync()


def test_folder_that_cannot_be_made(tmp_path: Path, keyring: KeyRing) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreRefused, match="cannot be used"):
        EventStore.open(tmp_path / "file" / "events", keyring)
