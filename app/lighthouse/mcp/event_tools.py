"""The log of events."""

from typing import Annotated, Any

from mcp.server.mcpserver.tools import Tool
from pydantic import Field

from lighthouse.client.answers import NewEvent, StoredEvent
from lighthouse.mcp.link import Link
from lighthouse.mcp.shapes import Events, bounded
from lighthouse.mcp.tool import ADDS, READS, OwnId, Seq, tool


def tools(link: Link) -> list[Tool]:
    """The tools, their calls going over `link`."""

    async def lighthouse_store_event(
        type: Annotated[str, Field(description="Like note.added.")],
        data: dict[str, Any],
        stream: str = "default",
        idempotency_key: Annotated[str | None, Field(description="Stored once under it.")] = None,
        expected_seq: Annotated[Seq | None, Field(description="The stream's last; 0: none.")] = None,
        agent_id: OwnId = None,
    ) -> StoredEvent:
        """Append an event to the tamper-evident log, as yourself. On return it is on disk."""
        event = NewEvent(type, data, stream, idempotency_key, expected_seq)
        async with link.bridge() as bridge:
            return await bridge.store_event(event, agent_id=agent_id)

    async def lighthouse_query_events(
        type: Annotated[str | None, Field(description="Or a prefix: note.*")] = None,
        stream: str | None = None,
        agent_id: str | None = None,
        from_seq: Seq | None = None,
        to_seq: Seq | None = None,
        since: Annotated[str | None, Field(description="RFC 3339.")] = None,
        until: Annotated[str | None, Field(description="RFC 3339, not included.")] = None,
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

    return [tool(lighthouse_store_event, ADDS), tool(lighthouse_query_events, READS)]
