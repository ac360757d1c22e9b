"""GET /shadow/read/{path}: a file, folder or symbolic link as captured, now or at a past version."""

import asyncio
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote_to_bytes

from aiohttp import web

from lighthouse import paths
from lighthouse.bridge.call import Answer, Call, Route
from lighthouse.bridge.moments import captured, version
from lighthouse.bridge.problems import Rejected
from lighthouse.bridge.schemas import Folder, FolderEntry, ShadowRead, Symlink
from lighthouse.events.event import timestamp
from lighthouse.shadow import Entry, NotCaptured, Shadow, Snapshot

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge

PREFIX = "/shadow/read/"
CHUNK = 1024 * 1024
KINDS: dict[str, Literal["file", "folder", "symlink"]] = {"f": "file", "d": "folder", "l": "symlink"}
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


async def read(bridge: "Bridge", call: Call) -> web.StreamResponse | Folder | Symlink:
    """A file as bytes, a folder or a symbolic link as JSON. Links are told, never followed."""
    wanted: ShadowRead = call.query
    shadow = captured(bridge)
    path = paths.parse(raw_path(call.request, PREFIX))
    snapshot = await version(shadow, wanted.at)
    entry = await asyncio.to_thread(snapshot.lookup, path)
    if entry is None:
        raise NotCaptured(f"version {snapshot.seq} of the project holds no such path", "list its folder")
    if entry.kind == "d":
        children = await asyncio.to_thread(snapshot.children, path)
        entries = [_described(children[name]) for name in sorted(children)]
        return Folder(kind="folder", seq=snapshot.seq, entries=entries, **paths.to_json(path))
    if entry.kind == "l":
        target = await asyncio.to_thread(shadow.read, entry.hash, 0, entry.size)
        named = paths.name_to_json(target, "target")
        return Symlink(kind="symlink", seq=snapshot.seq, **paths.to_json(path), **named)
    return await _send(call.request, shadow, snapshot, entry)


def raw_path(request: web.Request, prefix: str) -> bytes:
    """The path's bytes as sent: aiohttp's own decoding would lose names that are not UTF-8."""
    raw = request.rel_url.raw_path
    if not raw.startswith(prefix):
        raise Rejected(400, "the path is written in an unusual way", f"start it with {prefix}")
    return unquote_to_bytes(raw.removeprefix(prefix).encode("utf-8", "surrogateescape"))


def octal(entry: Entry) -> str:
    """The permission bits as text such as `0644`."""
    return f"{entry.mode:04o}"


def shown_time(entry: Entry) -> str:
    """The modification time in the form of the events' times."""
    return timestamp(datetime.fromtimestamp(entry.mtime_ns / 1e9, UTC))


def _described(entry: Entry) -> FolderEntry:
    return FolderEntry(
        kind=KINDS[entry.kind],
        size=entry.size,
        mode=octal(entry),
        mtime=shown_time(entry),
        hash=entry.hash.hex(),
        mark=entry.mark,
        **paths.name_to_json(entry.name),
    )


async def _send(request: web.Request, shadow: Shadow, snapshot: Snapshot, entry: Entry) -> web.StreamResponse:
    etag = f'"{entry.hash.hex()}"'
    headers = {
        "ETag": etag,
        "X-Lighthouse-Seq": str(snapshot.seq),
        "Accept-Ranges": "bytes",
        "Content-Disposition": "attachment",
    }
    if entry.mark is not None:
        headers["X-Lighthouse-Mark"] = entry.mark
    if etag in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    span = _range(request, entry.size, headers)
    first, last = span or (0, entry.size - 1)
    if span:
        headers["Content-Range"] = f"bytes {first}-{last}/{entry.size}"
    status, length = 206 if span else 200, last - first + 1
    headers["Content-Type"] = "application/octet-stream"
    if length > CHUNK:
        headers["Content-Length"] = str(length)
        return await _send_in_chunks(
            request, shadow, entry.hash, first, web.StreamResponse(status=status, headers=headers)
        )
    body = await asyncio.to_thread(shadow.read, entry.hash, first, length)
    return web.Response(status=status, body=body, headers=headers)


def _range(request: web.Request, size: int, headers: dict[str, str]) -> tuple[int, int] | None:
    """First and last byte of a satisfiable single range; None where the whole is to be sent.

    What is no single range of bytes is ignored, as RFC 9110 wants; one past the end raises Rejected (416).
    """
    asked = _RANGE.fullmatch(request.headers.get("Range", ""))
    if asked is None or asked.groups() == ("", ""):
        return None
    if request.headers.get("If-Range", headers["ETag"]) != headers["ETag"]:
        return None
    if asked[1] == "":
        first, last = max(0, size - int(asked[2])), size - 1
        satisfiable = int(asked[2]) > 0 and size > 0
    else:
        first, last = int(asked[1]), min(int(asked[2] or size), size - 1)
        if asked[2] and int(asked[2]) < first:
            return None
        satisfiable = first < size
    if not satisfiable:
        told = {name: headers[name] for name in ("X-Lighthouse-Seq",)} | {"Content-Range": f"bytes */{size}"}
        raise Rejected(416, f"the file has {size} bytes", "ask for a range within them", told)
    return first, last


async def _send_in_chunks(
    request: web.Request, shadow: Shadow, content: bytes, first: int, response: web.StreamResponse
) -> web.StreamResponse:
    left = response.content_length or 0
    await response.prepare(request)
    while left:
        part = await asyncio.to_thread(shadow.read, content, first, min(CHUNK, left))
        await response.write(part)
        first += len(part)
        left -= len(part)
    await response.write_eof()
    return response


_FILE_HEADERS = {
    "ETag": "the content's SHA-256 in hexadecimal, quoted",
    "X-Lighthouse-Seq": "the version it was read from",
    "X-Lighthouse-Mark": "`too_large` or `unreadable`: why a line of text stands in for the content",
}

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/shadow/read/{path}",
        "shadow_read",
        "Read the project as captured: a file's bytes, or a folder or symbolic link as JSON",
        read,
        {
            200: Answer(
                "A file's bytes, or JSON", (Folder, Symlink), "application/octet-stream", _FILE_HEADERS
            ),
            206: Answer("The range of bytes asked for", None, "application/octet-stream", _FILE_HEADERS),
            304: Answer("The content is what `If-None-Match` names", media_type=""),
        },
        permission="shadow.read",
        query=ShadowRead,
        errors=(400, 404, 416),
        path_parameters={
            "path": "the path from the project's root, its bytes percent-encoded; empty for the root"
        },
    ),
)
