"""The content store's writing side: contents by hash in compressed chunks, trees, versions, stamps.

Used by one thread at a time. What is stored under a hash is never changed, so readers need no protection.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
import zstandard

from lighthouse.paths import ProjectPath, to_bytes
from lighthouse.shadow import merkle, schema

CHUNK = 1024 * 1024
PLAIN, ZSTD = 0, 1
# One transaction holds about this much, so that the journal stays small during a first capture.
BATCH_BYTES = 32 * 1024 * 1024


class Version(NamedTuple):
    """A row of `versions`: `seq` of the event, root hash, the event's time, totals."""

    seq: int
    root: bytes
    ts: str
    files: int
    bytes: int


class ContentStore:
    """The writing connection to `contents.db` in `folder`. Raises ContentsRefused."""

    def __init__(self, folder: Path) -> None:
        self._db = schema.open_writer(folder)
        self._compressor = zstandard.ZstdCompressor(level=3)
        self._unsaved = 0

    @contextmanager
    def recording(self) -> Iterator[None]:
        """As `writing`, for versions and stamps: atomic, and on disk with the next batch of contents.

        What a power cut takes of them is found again, versions in the log and stamps by reading the files.
        """
        self._db.execute("PRAGMA synchronous = NORMAL")
        try:
            with self.writing():
                yield
        finally:
            self._db.execute("PRAGMA synchronous = FULL")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One durable batch, committed at the end and in between when large; an error rolls the rest back.

        Half a batch does no harm: contents that no tree names are found again by their hash.
        """
        self._begin()
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def add(self, content: bytes) -> bytes:
        """Store a content unless it is known; its hash."""
        digest = hashlib.sha256(content).digest()
        if self.claim(digest, len(content)):
            for number, start in enumerate(range(0, len(content), CHUNK)):
                self.add_chunk(digest, number, content[start : start + CHUNK])
        return digest

    def claim(self, digest: bytes, size: int) -> bool:
        """Enter a content; False when it is known. After True its chunks must be added, or it be dropped."""
        row = (digest, size)
        new = self._db.execute("INSERT OR IGNORE INTO contents VALUES (?, ?)", row).rowcount == 1
        if new:
            self._unsaved += len(digest)
        return new

    def add_chunk(self, digest: bytes, number: int, data: bytes) -> None:
        """Store chunk `number` of a claimed content, compressed where that makes it smaller."""
        codec, stored = PLAIN, data
        if (compressed := self._compressor.compress(data)) and len(compressed) < len(data):
            codec, stored = ZSTD, compressed
        self._db.execute("INSERT OR REPLACE INTO chunks VALUES (?, ?, ?, ?)", (digest, number, codec, stored))
        self._unsaved += len(stored)

    def drop(self, digest: bytes) -> None:
        """Take back a content claimed in this batch whose bytes turned out to be others."""
        self._db.execute("DELETE FROM chunks WHERE hash = ?", (digest,))
        self._db.execute("DELETE FROM contents WHERE hash = ?", (digest,))

    def add_tree(self, tree_hash: bytes, packed: bytes) -> None:
        """Store a tree unless it is known."""
        if self._db.execute("SELECT 1 FROM trees WHERE hash = ?", (tree_hash,)).fetchone() is None:
            stored = merkle.compress(packed)
            self._db.execute("INSERT INTO trees VALUES (?, ?)", (tree_hash, stored))
            self._unsaved += len(stored)

    def add_version(self, version: Version) -> None:
        """Record a version; the same one again is the same one."""
        self._db.execute("INSERT OR REPLACE INTO versions VALUES (?, ?, ?, ?, ?)", version)

    def forget_versions_after(self, seq: int) -> None:
        """Drop version rows that no event stands behind; their trees stay."""
        self._db.execute("DELETE FROM versions WHERE seq > ?", (seq,))

    def last_version(self) -> Version | None:
        """The newest version row."""
        row = self._db.execute("SELECT * FROM versions ORDER BY seq DESC LIMIT 1").fetchone()
        return None if row is None else Version(*row)

    def save_stamps(self, stamps: Mapping[ProjectPath, Mapping[bytes, bytes]]) -> None:
        """Replace the stamps of these folders; no stamps remove a folder's row."""
        for path, found in stamps.items():
            if found:
                row = (to_bytes(path), msgspec.msgpack.encode(found))
                self._db.execute("INSERT OR REPLACE INTO stamps VALUES (?, ?)", row)
            else:
                self._db.execute("DELETE FROM stamps WHERE path = ?", (to_bytes(path),))

    def load_stamps(self) -> dict[bytes, dict[bytes, bytes]]:
        """All stamps, by folder path."""
        decode = msgspec.msgpack.Decoder(dict[bytes, bytes]).decode
        rows: Iterable[tuple[bytes, bytes]] = self._db.execute("SELECT path, data FROM stamps")
        return {path: decode(data) for path, data in rows}

    def close(self) -> None:
        """Close the connection; the journal is folded into the file."""
        self._db.close()

    def save(self) -> None:
        """Commit what a large batch has gathered so far, if it is much; only between contents."""
        if self._unsaved >= BATCH_BYTES:
            self._db.execute("COMMIT")
            self._begin()

    def _begin(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        self._unsaved = 0
