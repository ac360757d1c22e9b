"""Where a search goes on: the version, the path, the line; as text that only the same search takes."""

import base64
import binascii
from typing import NamedTuple

import msgspec

from lighthouse import paths
from lighthouse.paths import ProjectPath
from lighthouse.search.errors import BadCursor
from lighthouse.search.query import Query


class Place(NamedTuple):
    """The line `number` at the byte `offset` of the file at `path`; `taken` of its lines were matches."""

    seq: int
    path: ProjectPath
    offset: int = 0
    number: int = 1
    taken: int = 0


class _Cursor(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    digest: bytes
    seq: int
    path: bytes
    offset: int
    number: int
    taken: int


def encode(place: Place, query: Query) -> str:
    """The place as a cursor of `query`."""
    seq, path, offset, number, taken = place
    packed = msgspec.msgpack.encode(_Cursor(query.digest, seq, paths.to_bytes(path), offset, number, taken))
    return base64.urlsafe_b64encode(packed).decode()


def decode(cursor: str, query: Query) -> Place:
    """The place that a cursor of `query` names. Raises BadCursor."""
    try:
        found = msgspec.msgpack.decode(base64.urlsafe_b64decode(cursor), type=_Cursor)
        path = paths.parse(found.path)
    except (binascii.Error, ValueError, msgspec.MsgspecError, paths.BadPath) as error:
        raise BadCursor("the cursor is not one of a search", "use it as it was given") from error
    if found.digest != query.digest:
        raise BadCursor("the cursor belongs to another search", "repeat the search it came from unchanged")
    if min(found.seq, found.offset, found.taken) < 0 or found.number < 1:
        raise BadCursor("the cursor is not one of a search", "use it as it was given")
    return Place(found.seq, path, found.offset, found.number, found.taken)
