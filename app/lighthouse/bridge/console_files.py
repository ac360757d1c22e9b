"""The console's view of the project: folders and files of any version, with notes beside the lines."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from aiohttp import web

from lighthouse import paths
from lighthouse.annotations import Annotation, told
from lighthouse.bridge.annotation import Line
from lighthouse.bridge.call import Answer, Call, Route
from lighthouse.bridge.console_door import page
from lighthouse.bridge.moments import captured, version
from lighthouse.bridge.shadow import KINDS, octal, raw_path, shown_time
from lighthouse.console.content import MOST_BYTES, MOST_LINES, Lines, lines
from lighthouse.console.recent import recent
from lighthouse.console.visible import name_text
from lighthouse.paths import ProjectPath
from lighthouse.shadow import FOLDER, LINK, Entry, NotCaptured, Shadow

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge

PREFIX = "/console/files/"
MOST_NOTES = 200
MOST_ENTRIES = 5000
VERSIONS = 15

When = Annotated[str, msgspec.Meta(max_length=100)]


class FilesQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`at`: a number, a time or a snapshot's name; empty is the present. `line`: from where on."""

    at: When = ""
    line: Line = 1


@dataclass(frozen=True, slots=True)
class Step:
    """A folder on the way to a path, or the path itself."""

    name: str
    path: ProjectPath


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry of a folder."""

    name: str
    path: ProjectPath
    kind: str
    size: int
    mode: str
    changed: str
    mark: str | None
    notes: int


@dataclass(frozen=True, slots=True)
class Moment:
    """A version that can be chosen: what to ask for it by, and what it is."""

    at: str
    text: str


async def files(bridge: "Bridge", call: Call) -> web.Response:
    """A folder, file or link of the project at a moment. Links are told, never followed."""
    wanted: FilesQuery = call.query
    shadow = captured(bridge)
    path = paths.parse(raw_path(call.request, PREFIX))
    snapshot = await version(shadow, wanted.at or None)
    entry = await asyncio.to_thread(snapshot.lookup, path)
    if entry is None:
        raise NotCaptured(
            f"version {snapshot.seq} of the project holds no such path", "go to the folder above"
        )
    notes = await _notes(bridge, path, wanted.at)
    values: dict[str, Any] = {
        "title": name_text(path[-1]) if path else "Files",
        "here": "files",
        "at": wanted.at,
        "seq": snapshot.seq,
        "current": snapshot.seq == shadow.current.seq,
        "path": path,
        "steps": [Step(name_text(path[n]), path[: n + 1]) for n in range(len(path))],
        "moments": await moments(bridge, shadow),
        "entry": entry,
        "changed": shown_time(entry),
        "mode": octal(entry),
        "notes": notes,
    }
    if entry.kind == FOLDER:
        children = await asyncio.to_thread(snapshot.children, path)
        listed = _listed(path, children, notes)
        values |= {"entries": listed[:MOST_ENTRIES], "more": max(0, len(listed) - MOST_ENTRIES)}
        return await page(bridge, call.caller, "folder.html", values)
    if entry.kind == LINK:
        target = await asyncio.to_thread(shadow.read, entry.hash, 0, entry.size)
        return await page(bridge, call.caller, "link.html", values | {"target": name_text(target)})
    content = await asyncio.to_thread(_content, shadow, entry, wanted.line)
    values |= {"content": content, "marked": _marked(notes), "most_lines": MOST_LINES}
    return await page(bridge, call.caller, "file.html", values)


async def moments(bridge: "Bridge", shadow: Shadow) -> list[Moment]:
    """The versions that a person may want: those with names, and the latest."""
    named = [
        Moment(one.name, f"snapshot, version {one.seq}") for one in reversed(shadow.snapshots.all()[-50:])
    ]
    latest = await recent(bridge.store, wanted=VERSIONS, type="shadow.*")
    return named + [
        Moment(str(event.seq), f"{event.ts[:19].replace('T', ' ')} UTC") for event in latest.events
    ]


async def _notes(bridge: "Bridge", path: ProjectPath, at: str) -> list[Annotation]:
    if bridge.annotations is None:
        return []
    found = await bridge.annotations.listed(paths.to_bytes(path), at=at or None, limit=MOST_NOTES)
    return [told(one) for one in found.placed]


def _listed(path: ProjectPath, children: Any, notes: list[Annotation]) -> list[Listed]:
    """Folders first, each with the number of notes at or beneath it."""
    depth = len(path)
    noted: dict[bytes, int] = {}
    for note in notes:
        place = paths.from_json({"path": note.path, "path_b64": note.path_b64})
        noted[place[depth]] = noted.get(place[depth], 0) + 1
    ordered = sorted(children.values(), key=lambda entry: (entry.kind != FOLDER, entry.name))
    return [
        Listed(
            name_text(entry.name),
            (*path, entry.name),
            KINDS[entry.kind],
            entry.size,
            octal(entry),
            shown_time(entry),
            entry.mark,
            noted.get(entry.name, 0),
        )
        for entry in ordered
    ]


def _content(shadow: Shadow, entry: Entry, first: int) -> Lines:
    if entry.size > MOST_BYTES:
        return Lines(1, 0, 0, (), f"The file has {entry.size:,} bytes; up to {MOST_BYTES:,} are shown here.")
    return lines(shadow.read(entry.hash, 0, entry.size), first)


def _marked(notes: list[Annotation]) -> dict[int, list[Annotation]]:
    """The notes by the line where each begins; those on the whole file at 0."""
    marked: dict[int, list[Annotation]] = {}
    for note in notes:
        standing = note.lines if note.status != "orphaned" else None
        marked.setdefault(standing[0] if standing else 0, []).append(note)
    return marked


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/console/files/{path}",
        "console_files",
        "A folder or file of the project at any version, with its notes",
        files,
        {200: Answer("The page", media_type="text/html")},
        permission="console.use",
        query=FilesQuery,
        errors=(400, 404),
        path_parameters={
            "path": "the path from the project's root, its bytes percent-encoded; empty for the root"
        },
        face="console",
    ),
)
