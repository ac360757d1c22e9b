"""Verifying: each way to forge the log is found and named by its first bad sequence number."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from lighthouse.events import (
    Draft,
    EventStore,
    Query,
    StoreRefused,
    VerifyReport,
    verify_folder,
    verify_lines,
)
from lighthouse.keys import KeyRing

Tamper = Callable[..., None]
Fill = Callable[[int], None]
MOVE = "UPDATE events SET seq = {} WHERE seq = {}"


def fault(folder: Path, keyring: KeyRing) -> tuple[int | None, str]:
    report = verify_folder(folder, keyring)
    assert not report.ok
    assert report.reason
    return report.broken_seq, report.reason


async def test_open_store_while_it_is_written(store: EventStore, folder: Path, keyring: KeyRing) -> None:
    await store.append([Draft("note.added", {"n": n}) for n in range(1000)], agent_id="ann")
    await store.append([Draft("note.added", {"n": n}) for n in range(500)], agent_id="ann")
    seen: list[tuple[int, int]] = []
    report = await store.verify(lambda done, total: seen.append((done, total)))
    assert report == VerifyReport(1500, 1500, True)
    assert seen == [(1000, 1500), (1500, 1500)]
    assert verify_folder(folder, keyring) == report


def test_folder_at_rest_and_empty(folder: Path, keyring: KeyRing, fill: Fill) -> None:
    fill(0)
    assert verify_folder(folder, keyring) == VerifyReport(0, 0, True)
    fill(4)
    assert verify_folder(folder, keyring) == VerifyReport(4, 4, True)


def test_no_store(folder: Path, keyring: KeyRing) -> None:
    with pytest.raises(StoreRefused, match="no event store"):
        verify_folder(folder, keyring)
    assert not folder.exists()


@pytest.mark.parametrize("column", ["id", "ts", "type", "stream", "agent_id", "data", "prev", "kid", "mac"])
def test_edit(folder: Path, keyring: KeyRing, fill: Fill, tamper: Tamper, column: str) -> None:
    fill(5)
    tamper(f"UPDATE events SET {column} = '{{}}' WHERE seq = 3")
    assert fault(folder, keyring)[0] == 3


def test_gap(folder: Path, keyring: KeyRing, fill: Fill, tamper: Tamper) -> None:
    fill(5)
    tamper("DELETE FROM events WHERE seq = 3")
    assert fault(folder, keyring) == (3, "event 3 is missing: the next one is 4")


def test_gap_closed_up(folder: Path, keyring: KeyRing, fill: Fill, tamper: Tamper) -> None:
    fill(5)
    tamper("DELETE FROM events WHERE seq = 3", MOVE.format(3, 4), MOVE.format(4, 5))
    assert fault(folder, keyring)[0] == 3


def test_swap(folder: Path, keyring: KeyRing, fill: Fill, tamper: Tamper) -> None:
    fill(5)
    tamper(MOVE.format(99, 2), MOVE.format(2, 4), MOVE.format(4, 99))
    assert fault(folder, keyring)[0] == 2


def test_cut_tail(folder: Path, keyring: KeyRing, fill: Fill, tamper: Tamper) -> None:
    fill(5)
    tamper("DELETE FROM events WHERE seq > 3")
    bad, reason = fault(folder, keyring)
    assert bad == 4
    assert "anchor stands at event 5" in reason


def test_roll_back(folder: Path, keyring: KeyRing, fill: Fill) -> None:
    fill(2)
    old = (folder / "events.db").read_bytes()
    fill(3)
    (folder / "events.db").write_bytes(old)
    assert fault(folder, keyring)[0] == 3


def test_event_of_a_fork(folder: Path, keyring: KeyRing, fill: Fill) -> None:
    fill(2)
    anchor, fork = folder.parent / "anchor", folder.parent / "fork"
    shutil.copytree(folder, fork)
    fill(1)
    shutil.copy(folder / "anchor", anchor)
    shutil.rmtree(folder)
    shutil.copytree(fork, folder)
    fill(1)
    shutil.copy(anchor, folder / "anchor")
    assert fault(folder, keyring) == (3, "event 3 is not the one its anchor noted")


def test_wrong_secret(folder: Path, keyring: KeyRing, fill: Fill) -> None:
    fill(2)
    with pytest.raises(StoreRefused, match="another secret"):
        verify_folder(folder, KeyRing(b"o" * 32))
    (folder / "anchor").unlink()
    bad, reason = fault(folder, KeyRing(b"o" * 32))
    assert bad == 1
    assert "signed with key" in reason


def test_missing_anchor(folder: Path, keyring: KeyRing, fill: Fill) -> None:
    fill(2)
    (folder / "anchor").unlink()
    assert fault(folder, keyring) == (None, "the anchor is missing")


def test_damaged_page_names_the_event(folder: Path, keyring: KeyRing, fill: Fill) -> None:
    fill(100)
    content = bytearray((folder / "events.db").read_bytes())
    page = content.index(b'{"n":70}') // 4096 * 4096
    content[page : page + 50] = b"\xa5" * 50
    (folder / "events.db").write_bytes(content)
    bad, reason = fault(folder, keyring)
    assert bad is not None
    assert bad <= 71
    assert "cannot be read" in reason


def test_index_that_hides_an_event(folder: Path, keyring: KeyRing, fill: Fill, tamper: Tamper) -> None:
    fill(5)
    tamper(
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql = sql || ' WHERE seq < 3' WHERE name = 'events_type'",
        "PRAGMA writable_schema = RESET",
        "REINDEX events_type",
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql = replace(sql, ' WHERE seq < 3', '') WHERE name = 'events_type'",
        "PRAGMA writable_schema = RESET",
    )
    bad, reason = fault(folder, keyring)
    assert bad is None
    assert "damaged" in reason


async def exported(store: EventStore, count: int = 5) -> list[bytes]:
    await store.append(
        [Draft("note.added", {"n": n, "f": 1.5, "t": "ä"}) for n in range(count)], agent_id="ann"
    )
    return [msgspec.json.encode(event) for event in (await store.query(Query())).events]


async def test_exported_lines(store: EventStore, keyring: KeyRing) -> None:
    lines = await exported(store)
    assert verify_lines(lines, keyring) == VerifyReport(5, 5, True)
    assert verify_lines([*lines[:2], b"\n", *lines[2:]], keyring).ok
    assert verify_lines(lines[2:], keyring) == VerifyReport(3, 5, True)
    assert verify_lines([], keyring) == VerifyReport(0, 0, True)


async def test_exported_lines_written_another_way(store: EventStore, keyring: KeyRing) -> None:
    lines = [json.dumps(json.loads(line), indent=None, sort_keys=True) for line in await exported(store)]
    assert verify_lines(lines, keyring).ok


async def test_forged_lines(store: EventStore, keyring: KeyRing) -> None:
    lines = await exported(store)
    edited = lines[2].replace(b'"n":2', b'"n":3')
    assert verify_lines([*lines[:2], edited, *lines[3:]], keyring).broken_seq == 3
    assert verify_lines([*lines[:2], *lines[3:]], keyring).broken_seq == 3
    assert verify_lines([lines[0], lines[2], lines[1]], keyring).broken_seq == 2
    assert verify_lines(lines, KeyRing(b"o" * 32)).broken_seq == 1


@pytest.mark.parametrize("line", [b"{", b"[]", b"{}", b'{"seq":"1"}', b"\xff", b"[" * 100_000])
async def test_lines_that_are_no_events(store: EventStore, keyring: KeyRing, line: bytes) -> None:
    lines = await exported(store, 1)
    report = verify_lines([*lines, line], keyring)
    assert (report.ok, report.broken_seq, report.events) == (False, 2, 1)
