"""Session tokens."""

from typing import Annotated

from mcp.server.mcpserver.tools import Tool
from pydantic import Field
from typing_extensions import TypedDict

from lighthouse.mcp.link import Link
from lighthouse.mcp.shapes import picked
from lighthouse.mcp.tool import ADDS, READS, OwnId, tool


class Session(TypedDict, total=False):
    token: str
    token_id: str
    agent_id: str
    expires_at: str


class Speaker(TypedDict, total=False):
    valid: bool
    agent_id: str
    role: str
    kind: str
    token_id: str
    expires_at: str


def tools(link: Link) -> list[Tool]:
    """The tools, their calls going over `link`."""

    async def lighthouse_create_session(
        ttl_seconds: Annotated[int, Field(ge=1, le=86400)] = 3600, agent_id: OwnId = None
    ) -> Session:
        """A short-lived token that speaks as you, for a script of yours; the tools here need none."""
        async with link.bridge() as bridge:
            return picked(await bridge.create_session(ttl_seconds, agent_id=agent_id), Session)

    async def lighthouse_validate_session(
        token: Annotated[str | None, Field(description="Left out: your own session.")] = None,
    ) -> Speaker:
        """Whom a token speaks for, with which role and until when; without a token: who you are."""
        async with link.bridge() as bridge:
            found = await bridge.validate_session(token)
        return {**picked(found, Speaker), "valid": found.valid}

    return [tool(lighthouse_create_session, ADDS), tool(lighthouse_validate_session, READS)]
