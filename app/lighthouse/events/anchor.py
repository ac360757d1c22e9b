"""The anchor: the head of the log noted outside the database, so that a cut tail or a rolled-back file shows.

Two slots of 512 bytes are overwritten in turn, each signed; a slot torn by a power cut leaves the other.
"""

import contextlib
import hmac
import os
import time
from pathlib import Path
from typing import Self

import msgspec

from lighthouse.events.chain import Head
from lighthouse.events.errors import StoreRefused
from lighthouse.keys import KeyRing

SLOT = 512
SYNC_INTERVAL = 1.0


class _Noted(msgspec.Struct, forbid_unknown_fields=True):
    """What a slot says, in the order of the names, as it is signed."""

    kid: str
    mac: str
    schema: int
    seq: int


class _Slot(_Noted):
    sum: str


def _sum(key: bytes, slot: _Noted) -> str:
    noted = _Noted(slot.kid, slot.mac, slot.schema, slot.seq)
    return hmac.digest(key, msgspec.json.encode(noted), "sha256").hex()


def _slots(content: bytes) -> list[_Slot | None]:
    slots: list[_Slot | None] = []
    for start in (0, SLOT):
        try:
            slots.append(msgspec.json.decode(content[start : start + SLOT].rstrip(b"\0 \n"), type=_Slot))
        except (msgspec.DecodeError, UnicodeDecodeError):
            slots.append(None)
    return slots


def read_anchor(path: Path, keyring: KeyRing) -> tuple[Head, int] | None:
    """The newest head noted at `path` and the slot it stands in; None when the file does not exist.

    Raises StoreRefused when no slot is whole, or the slots are another secret's.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreRefused(f"the anchor {path} cannot be read", error.strerror) from error
    key, kid = keyring.key("anchor"), keyring.key_id("anchor")
    whole = [(slot, number) for number, slot in enumerate(_slots(content)) if slot is not None]
    good = [
        (slot, n) for slot, n in whole if slot.kid == kid and hmac.compare_digest(_sum(key, slot), slot.sum)
    ]
    if good:
        slot, number = max(good, key=lambda pair: pair[0].seq)
        return Head(slot.seq, slot.mac), number
    if any(slot.kid != kid for slot, _ in whole):
        raise StoreRefused(
            f"the anchor {path} was written with another secret",
            "start with the secret the store was made with",
        )
    raise StoreRefused(f"the anchor {path} is damaged", "restore the folder from a backup")


class Anchor:
    """Notes heads at `path`; for one thread at a time."""

    def __init__(self, path: Path, keyring: KeyRing, schema: int, slot: int) -> None:
        """`slot` is the one that holds the newest head: the other is written first."""
        self._key = keyring.key("anchor")
        self._kid = keyring.key_id("anchor")
        self._schema = schema
        self._next = 1 - slot
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._dirty = False
        self._synced_at = 0.0

    @classmethod
    def create(cls, path: Path, keyring: KeyRing, schema: int, head: Head) -> Self:
        """A new anchor with both slots saying `head`, on disk when this returns."""
        anchor = cls(path, keyring, schema, slot=1)
        anchor.note(head)
        anchor.note(head)
        anchor.sync()
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return anchor

    def note(self, head: Head) -> None:
        """Write `head` over the older slot; on disk after the next `sync`. Raises OSError."""
        noted = _Noted(self._kid, head.mac, self._schema, head.seq)
        slot = _Slot(noted.kid, noted.mac, noted.schema, noted.seq, _sum(self._key, noted))
        os.pwrite(self._file, msgspec.json.encode(slot).ljust(SLOT - 1) + b"\n", self._next * SLOT)
        self._next = 1 - self._next
        self._dirty = True

    def due_in(self) -> float | None:
        """Seconds until `sync` should be called; None when all is on disk."""
        if not self._dirty:
            return None
        return max(0.0, self._synced_at + SYNC_INTERVAL - time.monotonic())

    def sync(self) -> None:
        """Bring what was noted to the disk. Raises OSError; it is then due again after the interval."""
        self._synced_at = time.monotonic()
        os.fdatasync(self._file)
        self._dirty = False

    def close(self) -> None:
        """Sync and close; a failing sync is not an error here, the anchor then lags and that is allowed."""
        with contextlib.suppress(OSError):
            self.sync()
        os.close(self._file)
