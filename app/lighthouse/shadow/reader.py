"""The content store's reading side: pieces of contents and whole trees, from any thread, bounded caches."""

import hashlib
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

import zstandard

from lighthouse.shadow import merkle, schema
from lighthouse.shadow.contents import CHUNK, ZSTD, Version
from lighthouse.shadow.entry import Entry
from lighthouse.shadow.errors import ContentMissing

CACHED_CHUNK_BYTES = 16 * 1024 * 1024
CACHED_TREE_BYTES = 8 * 1024 * 1024
# What an Entry, its name, hash and numbers take in memory, roughly.
ENTRY_BYTES = 350
KEPT_SIZES = 4096

K = TypeVar("K")
V = TypeVar("V")


class Bounded(Generic[K, V]):
    """The values used last, up to a sum of costs. The caller holds the lock."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._used = 0
        self._values: OrderedDict[K, tuple[V, int]] = OrderedDict()

    def get(self, key: K) -> V | None:
        found = self._values.get(key)
        if found is None:
            return None
        self._values.move_to_end(key)
        return found[0]

    def put(self, key: K, value: V, cost: int) -> None:
        if key in self._values or cost > self._room:
            return
        self._values[key] = value, cost
        self._used += cost
        while self._used > self._room:
            self._used -= self._values.popitem(last=False)[1][1]


class ContentReader:
    """Read-only access to `contents.db`; every method may be called from any thread."""

    def __init__(self, folder: Path) -> None:
        self._db = schema.open_reader(folder)
        self._lock = threading.Lock()
        self._chunks: Bounded[tuple[bytes, int], bytes] = Bounded(CACHED_CHUNK_BYTES)
        self._trees: Bounded[bytes, Mapping[bytes, Entry]] = Bounded(CACHED_TREE_BYTES)
        self._sizes: Bounded[bytes, int] = Bounded(KEPT_SIZES)

    def size(self, digest: bytes) -> int:
        """Bytes of a content. Raises ContentMissing."""
        with self._lock:
            size = self._sizes.get(digest)
            if size is None:
                row = self._one("SELECT size FROM contents WHERE hash = ?", (digest,))
                if row is None:
                    raise _missing("content", digest)
                size = int(row[0])
                self._sizes.put(digest, size, 1)
            return size

    def read(self, digest: bytes, offset: int, size: int) -> bytes:
        """Up to `size` bytes from `offset`; fewer only at the end. Raises ContentMissing."""
        found = self._gather(digest, offset, size, load=True)
        if found is None:
            raise _missing("content", digest)
        return found

    def read_cached(self, digest: bytes, offset: int, size: int) -> bytes | None:
        """As `read`, but None instead of touching the disk."""
        return self._gather(digest, offset, size, load=False)

    def tree(self, tree_hash: bytes) -> Mapping[bytes, Entry]:
        """A folder's entries. Raises ContentMissing."""
        if tree_hash == merkle.EMPTY_HASH:
            return merkle.EMPTY
        with self._lock:
            entries = self._trees.get(tree_hash)
            if entries is not None:
                return entries
            row = self._one("SELECT data FROM trees WHERE hash = ?", (tree_hash,))
        if row is None:
            raise _missing("tree", tree_hash)
        entries = merkle.decode(tree_hash, merkle.decompress(row[0]))
        with self._lock:
            self._trees.put(tree_hash, entries, ENTRY_BYTES * (len(entries) + 1))
        return entries

    def version_at(self, seq: int) -> Version | None:
        """The version that was current when event `seq` was the last one."""
        with self._lock:
            row = self._one("SELECT * FROM versions WHERE seq <= ? ORDER BY seq DESC LIMIT 1", (seq,))
        return None if row is None else Version(*row)

    def version_at_time(self, ts: str) -> Version | None:
        """The version that was current at `ts`, which is in the form of the events' times."""
        with self._lock:
            row = self._one("SELECT * FROM versions WHERE ts <= ? ORDER BY ts DESC, seq DESC LIMIT 1", (ts,))
        return None if row is None else Version(*row)

    def count_after(self, seq: int) -> int:
        """How many versions there are after event `seq`."""
        with self._lock:
            return int(self._one("SELECT count(*) FROM versions WHERE seq > ?", (seq,))[0])

    def close(self) -> None:
        """Close the connection; every later call that needs it raises ContentMissing."""
        with self._lock:
            self._db.close()

    def _gather(self, digest: bytes, offset: int, size: int, *, load: bool) -> bytes | None:
        pieces: list[bytes] = []
        offset, left = max(offset, 0), size
        while left > 0:
            number, start = divmod(offset, CHUNK)
            chunk = self._chunk(digest, number, load=load)
            if chunk is None:
                return None
            piece = chunk[start : start + left]
            pieces.append(piece)
            offset += len(piece)
            left -= len(piece)
            if len(chunk) < CHUNK or not piece:
                break
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _chunk(self, digest: bytes, number: int, *, load: bool) -> bytes | None:
        """A chunk; empty behind the end; None when it would have to be loaded and must not be."""
        key = digest, number
        with self._lock:
            if (chunk := self._chunks.get(key)) is not None:
                return chunk
            if not load:
                return None
            row = self._one("SELECT codec, data FROM chunks WHERE hash = ? AND n = ?", key)
        if row is None:
            if number * CHUNK < self.size(digest):
                raise _missing("content", digest)
            chunk = b""
        else:
            chunk = _unpack(digest, number, *row)
        with self._lock:
            self._chunks.put(key, chunk, len(chunk) + 200)
        return chunk

    def _one(self, sql: str, values: tuple[bytes | int | str, ...]) -> Any:
        try:
            return self._db.execute(sql, values).fetchone()
        except sqlite3.Error as error:
            raise ContentMissing(
                f"the content store cannot be read ({error})", "see lighthouse doctor"
            ) from error


def _unpack(digest: bytes, number: int, codec: int, data: bytes) -> bytes:
    try:
        if codec == ZSTD:
            data = zstandard.ZstdDecompressor().decompress(data, max_output_size=CHUNK)
    except zstandard.ZstdError as error:
        raise _damaged(digest) from error
    # A content of one chunk, as nearly all are, is proven by its name; a larger one by its verification.
    if number == 0 and len(data) < CHUNK and hashlib.sha256(data).digest() != digest:
        raise _damaged(digest)
    return data


def _missing(what: str, digest: bytes) -> ContentMissing:
    return ContentMissing(f"{what} {digest.hex()} is not stored", "restore the content store from a backup")


def _damaged(digest: bytes) -> ContentMissing:
    return ContentMissing(f"content {digest.hex()} is damaged", "restore the content store from a backup")
