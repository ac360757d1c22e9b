"""The tools, one for each thing that the bridge does today. A docstring is what the model reads: short."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from mcp.server.mcpserver.tools import Tool
from mcp_types import ToolAnnotations
from pydantic import ConfigDict, Field, create_model

from lighthouse.client.answers import Health, Identity, NewEvent, SessionToken, Status, StoredEvent
from lighthouse.mcp.link import Link
from lighthouse.mcp.shapes import Events, PathContent, bounded, file_content, folder_content

MAX_FOLDER_NAMES = 500

Seq = Annotated[int, Field(ge=0)]
OwnId = Annotated[str | None, Field(description="Only your own id is accepted; leave it out.")]

READS = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)
ADDS = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=False
)


def tools(link: Link) -> list[Tool]:
    """Every tool, its calls going over `link`."""

    async def lighthouse_health_check() -> Health:
        """Whether the Lighthouse bridge keeps its promises, part by part. Needs no token."""
        async with link.bridge() as bridge:
            return await bridge.health()

    async def lighthouse_get_bridge_status() -> Status:
        """The bridge in detail: project, captured files and what could not be read, log, mount, memory."""
        async with link.bridge() as bridge:
            return await bridge.status()

    async def lighthouse_create_session(
        ttl_seconds: Annotated[int, Field(ge=1, le=86400)] = 3600, agent_id: OwnId = None
    ) -> SessionToken:
        """A short-lived token that speaks as you, for a script of yours that calls the bridge itself.

        The tools here need none.
        """
        async with link.bridge() as bridge:
            return await bridge.create_session(ttl_seconds, agent_id=agent_id)

    async def lighthouse_validate_session(
        token: Annotated[str | None, Field(description="Left out: your own session.")] = None,
    ) -> Identity:
        """Whom a token speaks for, with which role and until when; without a token: who you are."""
        async with link.bridge() as bridge:
            return await bridge.validate_session(token)

    async def lighthouse_store_event(
        type: Annotated[str, Field(description="Dotted lower-case name such as note.added.")],
        data: Annotated[dict[str, Any], Field(description="JSON object, at most 256 KiB.")],
        stream: str = "default",
        idempotency_key: Annotated[
            str | None, Field(description="The same key and content again stores nothing twice.")
        ] = None,
        expected_seq: Annotated[
            Seq | None, Field(description="Refuse unless the stream's last event has this seq (0: none).")
        ] = None,
        agent_id: OwnId = None,
    ) -> StoredEvent:
        """Append an event to the tamper-evident log, as yourself. On return it is on disk."""
        event = NewEvent(type, data, stream, idempotency_key, expected_seq)
        async with link.bridge() as bridge:
            return await bridge.store_event(event, agent_id=agent_id)

    async def lighthouse_query_events(
        type: Annotated[str | None, Field(description="Exact, or a prefix such as note.*")] = None,
        stream: str | None = None,
        agent_id: Annotated[str | None, Field(description="Whose events.")] = None,
        from_seq: Seq | None = None,
        to_seq: Seq | None = None,
        since: Annotated[str | None, Field(description="RFC 3339 time, e.g. 2026-01-31T12:00:00Z.")] = None,
        until: Annotated[str | None, Field(description="RFC 3339 time, not included.")] = None,
        limit: Annotated[int, Field(ge=1, le=1000)] = 50,
    ) -> Events:
        """Events of the log that match everything given, oldest first."""
        async with link.bridge() as bridge:
            page = await bridge.query_events(
                type=type,
                stream=stream,
                agent_id=agent_id,
                from_seq=from_seq,
                to_seq=to_seq,
                since=since,
                until=until,
                limit=limit,
            )
        return bounded(page)

    async def lighthouse_read_file(
        path: Annotated[str, Field(description="From the project's root; '.' lists the root.")],
        at: Annotated[Seq | None, Field(description="The project as of this event; left out: now.")] = None,
        offset: Annotated[int, Field(ge=0, description="Byte of a file, or entry of a folder.")] = 0,
        max_bytes: Annotated[int, Field(ge=16, le=262144)] = 65536,
    ) -> PathContent:
        """A file, folder listing or symlink of the project as captured, now or at an earlier event."""
        async with link.bridge() as bridge:
            found = await bridge.read(path, at=at, offset=offset, size=max_bytes)
        if found.kind == "file":
            return file_content(found)
        if found.kind == "folder":
            return folder_content(found, offset, MAX_FOLDER_NAMES)
        return PathContent(found.path, found.kind, found.seq, target=found.target)

    return [
        _tool(lighthouse_health_check, READS),
        _tool(lighthouse_get_bridge_status, READS),
        _tool(lighthouse_create_session, ADDS),
        _tool(lighthouse_validate_session, READS),
        _tool(lighthouse_store_event, ADDS),
        _tool(lighthouse_query_events, READS),
        _tool(lighthouse_read_file, READS),
    ]


def _tool(function: Callable[..., Awaitable[Any]], annotations: ToolAnnotations) -> Tool:
    """The tool of `function`, which refuses arguments it does not know: no misspelt one is ignored."""
    tool = Tool.from_function(function, annotations=annotations)
    known = tool.fn_metadata.arg_model
    strict = create_model(known.__name__, __base__=known, __config__=ConfigDict(extra="forbid"))
    tool.fn_metadata.arg_model = strict
    tool.parameters = strict.model_json_schema(by_alias=True)
    return tool
