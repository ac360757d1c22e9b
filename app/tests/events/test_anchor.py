"""The anchor's slots: the newer counts, a torn one does not hurt, a foreign or damaged file is refused."""

from pathlib import Path

import pytest

from lighthouse.events import EMPTY, Head, StoreRefused
from lighthouse.events.anchor import SLOT, Anchor, read_anchor
from lighthouse.keys import KeyRing

ONE, TWO, THREE = (Head(seq, str(seq) * 64) for seq in (1, 2, 3))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "anchor"


def write(path: Path, keyring: KeyRing, *heads: Head) -> None:
    anchor = Anchor.create(path, keyring, 1, EMPTY)
    for head in heads:
        anchor.note(head)
    anchor.close()


def test_newest_head_is_read(path: Path, keyring: KeyRing) -> None:
    for heads in ([], [ONE], [ONE, TWO], [ONE, TWO, THREE]):
        path.unlink(missing_ok=True)
        write(path, keyring, *heads)
        read = read_anchor(path, keyring)
        assert read is not None
        assert read[0] == (heads or [EMPTY])[-1]


def test_anchor_stays_small_and_private(path: Path, keyring: KeyRing) -> None:
    write(path, keyring, *[ONE, TWO, THREE] * 20)
    assert path.stat().st_size == 2 * SLOT
    assert path.stat().st_mode & 0o777 == 0o600


def test_missing_anchor_is_none(path: Path, keyring: KeyRing) -> None:
    assert read_anchor(path, keyring) is None


@pytest.mark.parametrize("cut", [0, 1, 100, SLOT - 2])
def test_torn_slot_leaves_the_other(path: Path, keyring: KeyRing, cut: int) -> None:
    write(path, keyring, ONE, TWO)
    _, newest = read_anchor(path, keyring) or (EMPTY, 0)
    with path.open("r+b") as file:
        file.seek(newest * SLOT + cut)
        file.write(b"?" * (SLOT - cut))
    read = read_anchor(path, keyring)
    assert read is not None
    assert read[0] == ONE


def test_reopened_anchor_writes_over_the_older_slot(path: Path, keyring: KeyRing) -> None:
    write(path, keyring, ONE, TWO)
    _, newest = read_anchor(path, keyring) or (EMPTY, 0)
    anchor = Anchor(path, keyring, 1, newest)
    before = path.read_bytes()[newest * SLOT :][:SLOT]
    anchor.note(THREE)
    assert path.read_bytes()[newest * SLOT :][:SLOT] == before
    anchor.close()


@pytest.mark.parametrize("content", [b"", b"\0" * 1024, b"{}", b"\xff" * 1024, b"[" * 1024])
def test_damaged_anchor_is_refused(path: Path, keyring: KeyRing, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(StoreRefused, match="damaged"):
        read_anchor(path, keyring)


def test_forged_anchor_is_refused(path: Path, keyring: KeyRing) -> None:
    write(path, keyring, ONE, TWO)
    path.write_bytes(path.read_bytes().replace(b'"seq":2', b'"seq":0').replace(b'"seq":1', b'"seq":0'))
    with pytest.raises(StoreRefused, match="damaged"):
        read_anchor(path, keyring)


def test_anchor_of_another_secret_is_refused(path: Path, keyring: KeyRing) -> None:
    write(path, keyring, ONE)
    with pytest.raises(StoreRefused, match="another secret"):
        read_anchor(path, KeyRing(b"o" * 32))


def test_sync_is_due_once_a_second_at_most(path: Path, keyring: KeyRing) -> None:
    anchor = Anchor.create(path, keyring, 1, EMPTY)
    assert anchor.due_in() is None
    anchor.note(ONE)
    due = anchor.due_in()
    assert due is not None
    assert 0 <= due <= 1
    anchor.sync()
    assert anchor.due_in() is None
    anchor.close()
