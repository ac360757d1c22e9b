"""Trees: a folder's entries in their canonical form, whose SHA-256 names the folder.

Equal folders have equal hashes: a version of the project is one root hash, and what did not change is shared.
"""

import hashlib
from collections.abc import Iterable, Mapping

import msgspec
import zstandard

from lighthouse.shadow.entry import Entry
from lighthouse.shadow.errors import ContentMissing

# Far above any folder that a file system serves well; bounds what a damaged row may make us allocate.
MAX_TREE_BYTES = 1 << 30

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Entry])


def encode(entries: Iterable[Entry]) -> tuple[bytes, bytes]:
    """`(hash, msgpack)` of a folder; the order of `entries` does not matter."""
    packed = _encoder.encode(sorted(entries, key=_name))
    return hashlib.sha256(packed).digest(), packed


def decode(tree_hash: bytes, packed: bytes) -> dict[bytes, Entry]:
    """The folder's entries by name, in order. Raises ContentMissing where the bytes do not match the hash."""
    if hashlib.sha256(packed).digest() != tree_hash:
        raise ContentMissing(f"tree {tree_hash.hex()} is damaged", "restore the content store from a backup")
    try:
        return {entry.name: entry for entry in _decoder.decode(packed)}
    except msgspec.DecodeError as error:
        raise ContentMissing(f"tree {tree_hash.hex()} is in a form this version does not know") from error


def compress(packed: bytes) -> bytes:
    """The stored form. The hash is over `packed`, for zstd's output may differ between its versions."""
    return zstandard.ZstdCompressor(level=3).compress(packed)


def decompress(stored: bytes) -> bytes:
    """The opposite of `compress`. Raises ContentMissing for bytes that are not zstd's."""
    try:
        return zstandard.ZstdDecompressor().decompress(stored, max_output_size=MAX_TREE_BYTES)
    except zstandard.ZstdError as error:
        raise ContentMissing("a stored tree is damaged", "restore the content store from a backup") from error


def _name(entry: Entry) -> bytes:
    return entry.name


EMPTY: Mapping[bytes, Entry] = {}
EMPTY_HASH, EMPTY_PACKED = encode(())
