"""How the bridge's answers look to a model: bounded, as text where it is text, and with how to go on."""

import base64
import codecs
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar, cast

import msgspec
from typing_extensions import TypedDict

from lighthouse.client.answers import EventPage, Shadowed

Shape = TypeVar("Shape")

MAX_BYTES = 64 * 1024
MAX_PAGE = 50
MAX_PAGE_BYTES = 128 * 1024
"""Events beyond this many bytes of JSON are left for the next call; one event may be larger by itself."""


class ShownEvent(TypedDict, total=False):
    seq: int
    id: str
    ts: str
    type: str
    stream: str
    agent_id: str
    data: dict[str, Any]


class Events(TypedDict, total=False):
    """Oldest first. Where there are more, go on with from_seq = next_from_seq."""

    events: list[ShownEvent]
    next_from_seq: int


class Entry(TypedDict, total=False):
    name: str
    kind: str
    size: int
    mark: str


class PathContent(TypedDict, total=False):
    """In version `seq`. Where there is more, go on with offset = next_offset."""

    path: str
    kind: str
    seq: int
    content: str
    encoding: str
    size: int
    next_offset: int
    sha256: str
    mark: str
    entries: list[Entry]
    target: str


def bounded(page: EventPage) -> Events:
    """The page's first events, as many as fit, and where the next call begins."""
    kept: list[ShownEvent] = []
    room = MAX_PAGE_BYTES
    for event in page.events:
        # What proves an event is for `lighthouse events verify`.
        shown = ShownEvent(
            seq=event.seq,
            id=event.id,
            ts=event.ts,
            type=event.type,
            stream=event.stream,
            agent_id=event.agent_id,
            data=event.data,
        )
        room -= len(msgspec.json.encode(shown))
        if kept and room < 0:
            return Events(events=kept, next_from_seq=event.seq)
        kept.append(shown)
    if kept and page.next_cursor:
        return Events(events=kept, next_from_seq=kept[-1]["seq"] + 1)
    return Events(events=kept)


def file_content(found: Shadowed) -> PathContent:
    """A file's piece as text, or as base64 where it is not UTF-8."""
    piece = found.content
    end = found.offset + len(piece)
    text = _text(piece, final=end >= found.size)
    if text is not None:
        end = found.offset + len(text.encode())
    told = PathContent(
        path=found.path,
        kind=found.kind,
        seq=found.seq,
        content=base64.b64encode(piece).decode("ascii") if text is None else text,
        encoding="base64" if text is None else "utf-8",
        size=found.size,
    )
    if end < found.size:
        told["next_offset"] = end
    if found.sha256 is not None:
        told["sha256"] = found.sha256
    if found.mark is not None:
        told["mark"] = found.mark
    return told


def folder_content(found: Shadowed, offset: int, most: int) -> PathContent:
    """At most `most` of a folder's names from the `offset`-th on."""
    end = offset + most
    told = PathContent(
        path=found.path,
        kind=found.kind,
        seq=found.seq,
        entries=[picked(entry, Entry) for entry in found.entries[offset:end]],
        size=len(found.entries),
    )
    if end < len(found.entries):
        told["next_offset"] = end
    return told


def symlink(found: Shadowed) -> PathContent:
    """A symlink, which is never followed."""
    return PathContent(path=found.path, kind=found.kind, seq=found.seq, target=found.target or "")


def _text(piece: bytes, *, final: bool) -> str | None:
    if b"\0" in piece:
        return None
    try:
        # A piece may end within a character: that one is left to the next piece.
        text = codecs.getincrementaldecoder("utf-8")().decode(piece, final)
    except UnicodeDecodeError:
        return None
    return text if text or not piece else None


def picked(answer: Any, shape: type[Shape], *always: str) -> Shape:
    """The fields of `shape`, a TypedDict without required keys, that say anything; some `always`."""
    found = {name: getattr(answer, name, None) for name in shape.__annotations__}
    told = {
        name: value for name, value in found.items() if name in always or value not in (None, "", 0, [], {})
    }
    return cast(Shape, msgspec.to_builtins(told))


def fitting(answers: Sequence[Any], shape: type[Shape]) -> list[Shape]:
    """The first ones, as many as fit into MAX_BYTES of JSON; one may be larger by itself."""
    kept: list[Shape] = []
    room = MAX_BYTES
    for answer in answers:
        one = picked(answer, shape)
        room -= len(msgspec.json.encode(one))
        if kept and room < 0:
            break
        kept.append(one)
    return kept


class Following(TypedDict, total=False):
    """Where a list goes on; nothing, where it ends."""

    next_cursor: str


Page = tuple[Sequence[Any], str | None]
"""Of a list, what the bridge answered, and the cursor of what comes next."""


async def paged(fetch: Callable[[int], Awaitable[Page]], shape: type[Shape]) -> tuple[list[Shape], Following]:
    """As much of a list as fits, and where it goes on. `fetch` is given how many to ask the bridge for."""
    found, cursor = await fetch(MAX_PAGE)
    shown = fitting(found, shape)
    if len(shown) < len(found):
        # The bridge's own cursor is needed for where it was cut.
        found, cursor = await fetch(len(shown))
        shown = [picked(one, shape) for one in found]
    return shown, {} if cursor is None else {"next_cursor": cursor}
