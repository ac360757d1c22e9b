"""What a client reads without a tool: the project now and as it was, notes, proposals, contexts, events."""

import mimetypes
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import msgspec
from mcp.server import MCPServer
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError

from lighthouse.client.answers import Shadowed
from lighthouse.client.errors import Refused
from lighthouse.errors import LighthouseError
from lighthouse.mcp.link import Link

MAX_BYTES = 1024 * 1024
MAX_NAMES = 2000
MAX_NOTES = 200
MAX_LISTED = 100
JSON = "application/json"


def add(server: MCPServer[None], link: Link) -> None:
    """Publish them on `server`, read over `link`."""

    @server.resource("lighthouse://status", title="Status", mime_type=JSON)
    async def status() -> str:
        """How the bridge is: project, captured files and problems, log, mount, what waits."""
        async with link.bridge(_failure) as bridge:
            return _json(asdict(await bridge.status()))

    @server.resource("lighthouse://experts", title="Experts", mime_type=JSON)
    async def experts() -> str:
        """Everyone who registered as an expert: for what, and whether they are there."""
        async with link.bridge(_failure) as bridge:
            return _json([asdict(one) for one in await bridge.experts()])

    @server.resource("lighthouse://tasks", title="Open tasks", mime_type=JSON)
    async def tasks() -> str:
        """What agents gave each other to do and has not ended, the latest first."""
        async with link.bridge(_failure) as bridge:
            return _json(asdict(await bridge.tasks(state="open", limit=MAX_LISTED)))

    @server.resource("lighthouse://leases", title="Leases", mime_type=JSON)
    async def leases() -> str:
        """Who holds which paths, or waits for them."""
        async with link.bridge(_failure) as bridge:
            return _json(asdict(await bridge.leases(limit=MAX_LISTED)))

    @server.resource("lighthouse://project/", title="The project's root")
    async def root() -> str:
        """The names in the project's root, folders with a slash."""
        async with link.bridge(_failure) as bridge:
            return str(_content(await bridge.read("", size=MAX_BYTES)))

    @server.resource("lighthouse://project/{+path}", title="A file or folder as it stands")
    async def project(path: str) -> str | bytes:
        """A file of the project as captured, or the names in a folder."""
        async with link.bridge(_failure) as bridge:
            return _content(await bridge.read(path, size=MAX_BYTES))

    @server.resource("lighthouse://history/{at}/{+path}", title="A file or folder as it was")
    async def history(at: str, path: str) -> str | bytes:
        """The same at a sequence number, an RFC 3339 time or a snapshot's name."""
        async with link.bridge(_failure) as bridge:
            return _content(await bridge.read(path, at=at, size=MAX_BYTES))

    @server.resource("lighthouse://annotations/{+path}", title="Notes", mime_type=JSON)
    async def annotations(path: str) -> str:
        """The open notes at and beneath a path, and where each of them stands today."""
        async with link.bridge(_failure) as bridge:
            return _json(asdict(await bridge.annotations(path, limit=MAX_NOTES)))

    @server.resource("lighthouse://proposal/{name}", title="A proposal's patch", mime_type="text/x-diff")
    async def proposal(name: str) -> str | bytes:
        """What a proposal changes, as a patch that git applies."""
        async with link.bridge(_failure) as bridge:
            return _text_or_bytes(await bridge.proposal_patch(name))

    @server.resource("lighthouse://context/{name}", title="A context", mime_type=JSON)
    async def context(name: str) -> str:
        """What a reviewer was given: purpose, notes, the files and their version."""
        async with link.bridge(_failure) as bridge:
            return _json(asdict(await bridge.context(name)))

    @server.resource("lighthouse://thread/{id}", title="A thread of messages", mime_type=JSON)
    async def thread(id: str) -> str:
        """What agents wrote to each other in a thread, from its beginning."""
        async with link.bridge(_failure) as bridge:
            page = await bridge.messages(thread=id, limit=MAX_LISTED)
        if page.complete and not page.messages:
            raise ResourceNotFoundError(f"there is no thread {id}")
        return _json(asdict(page))

    @server.resource("lighthouse://collaboration/{id}", title="A collaboration or pair", mime_type=JSON)
    async def collaboration(id: str) -> str:
        """What happened in a session from its beginning, with patches and notes as they were then."""
        async with link.bridge(_failure) as bridge:
            return _json(asdict(await bridge.collaboration(id, limit=MAX_LISTED)))

    @server.resource("lighthouse://event/{seq}", title="An event", mime_type=JSON)
    async def event(seq: int) -> str:
        """An event of the log by its sequence number."""
        async with link.bridge(_failure) as bridge:
            page = await bridge.query_events(from_seq=seq, to_seq=seq)
        if not page.events:
            raise ResourceNotFoundError(f"the log has no event {seq}")
        return _json(asdict(page.events[0]))


def typed(uri: str, found: Iterable[ReadResourceContents]) -> list[ReadResourceContents]:
    """The same, with the media type that a file's name tells where the content is no text."""
    return [
        ReadResourceContents(each.content, mimetypes.guess_type(uri)[0] or "application/octet-stream")
        if isinstance(each.content, bytes)
        else each
        for each in found
    ]


def _failure(error: LighthouseError) -> Exception:
    missing = isinstance(error, Refused) and error.status == 404
    return ResourceNotFoundError(str(error)) if missing else ResourceError(str(error))


def _content(found: Shadowed) -> str | bytes:
    if found.kind == "symlink":
        return f"a symlink to {found.target}"
    if found.kind == "folder":
        names = [f"{entry.name}/" if entry.kind == "folder" else entry.name for entry in found.entries]
        left = len(names) - MAX_NAMES
        return "\n".join([*names[:MAX_NAMES], f"… and {left} more"] if left > 0 else names)
    if found.mark is not None:
        raise ResourceError(f"the content of {found.path} is not captured: {found.mark}")
    if found.size > len(found.content):
        raise ResourceError(f"{found.path} has {found.size} bytes: read pieces with lighthouse_read_file")
    return _text_or_bytes(found.content)


def _text_or_bytes(content: bytes) -> str | bytes:
    _check_size(content)
    try:
        return content if b"\0" in content else content.decode()
    except UnicodeDecodeError:
        return content


def _check_size(content: bytes) -> None:
    if len(content) > MAX_BYTES:
        raise ResourceError(f"it has {len(content)} bytes, which is more than one answer may have")


def _json(value: Any) -> str:
    content = msgspec.json.encode(value)
    _check_size(content)
    return content.decode()
