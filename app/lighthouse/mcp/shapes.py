"""How the bridge's answers look to a model: bounded, as text where it is text, and with how to go on."""

import base64
import codecs
from dataclasses import dataclass
from typing import Literal

import msgspec

from lighthouse.client.answers import Event, EventPage, FolderEntry, Shadowed

MAX_PAGE_BYTES = 128 * 1024
"""Events beyond this many bytes of JSON are left for the next call; one event may be larger by itself."""


@dataclass(frozen=True)
class Events:
    """Events, oldest first. Not null: call again with from_seq = next_from_seq to go on."""

    events: list[Event]
    next_from_seq: int | None = None


@dataclass(frozen=True)
class PathContent:
    """What is at a path in version `seq`. Not null: call again with offset = next_offset to go on."""

    path: str
    kind: Literal["file", "folder", "symlink"]
    seq: int
    content: str | None = None
    encoding: Literal["utf-8", "base64"] | None = None
    size: int | None = None
    next_offset: int | None = None
    sha256: str | None = None
    mark: str | None = None
    entries: list[FolderEntry] | None = None
    target: str | None = None


def bounded(page: EventPage) -> Events:
    """The page's first events, as many as fit, and where the next call begins."""
    kept: list[Event] = []
    room = MAX_PAGE_BYTES
    for event in page.events:
        room -= len(msgspec.json.encode(event))
        if kept and room < 0:
            return Events(kept, event.seq)
        kept.append(event)
    return Events(kept, kept[-1].seq + 1 if kept and page.next_cursor else None)


def file_content(found: Shadowed) -> PathContent:
    """A file's piece as text, or as base64 where it is not UTF-8."""
    piece = found.content
    end = found.offset + len(piece)
    last = end >= found.size
    text = _text(piece, final=last)
    if text is not None:
        end = found.offset + len(text.encode())
    return PathContent(
        found.path,
        found.kind,
        found.seq,
        content=base64.b64encode(piece).decode("ascii") if text is None else text,
        encoding="base64" if text is None else "utf-8",
        size=found.size,
        next_offset=None if end >= found.size else end,
        sha256=found.sha256,
        mark=found.mark,
    )


def folder_content(found: Shadowed, offset: int, most: int) -> PathContent:
    """At most `most` of a folder's names from the `offset`-th on."""
    end = offset + most
    return PathContent(
        found.path,
        found.kind,
        found.seq,
        entries=found.entries[offset:end],
        size=len(found.entries),
        next_offset=end if end < len(found.entries) else None,
    )


def _text(piece: bytes, *, final: bool) -> str | None:
    if b"\0" in piece:
        return None
    try:
        # A piece may end within a character: that one is left to the next piece.
        text = codecs.getincrementaldecoder("utf-8")().decode(piece, final)
    except UnicodeDecodeError:
        return None
    return text if text or not piece else None
