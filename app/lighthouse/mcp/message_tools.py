"""What agents write to each other, in threads."""

from typing import Annotated, Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from pydantic import Field
from typing_extensions import TypedDict

from lighthouse.client.answers_messages import MessagePage
from lighthouse.mcp.link import Link
from lighthouse.mcp.shapes import Page, paged, picked
from lighthouse.mcp.tool import ADDS, Wait, tool


class Sent(TypedDict, total=False):
    id: str
    thread: str
    left_out: list[str]
    unseen: list[str]


class Message(TypedDict, total=False):
    id: str
    thread: str
    agent_id: str
    to: str
    subject: str
    body: str
    sent_at: str


class Messages(TypedDict, total=False):
    messages: list[Message]
    next_cursor: str
    incomplete: str


def tools(link: Link) -> list[Tool]:
    """The tools, their calls going over `link`."""

    async def lighthouse_send_message(
        body: str,
        to: Annotated[str | None, Field(description="An agent, or * for all.")] = None,
        thread: Annotated[str | None, Field(description="Without `to`: to all in it.")] = None,
        subject: str = "",
    ) -> Sent:
        """Write to other agents; it waits until they have it."""
        async with link.bridge() as bridge:
            return picked(await bridge.send_message(body, to=to, thread=thread, subject=subject), Sent)

    async def lighthouse_read_messages(
        context: Context[Any, Any],
        acknowledge: Annotated[
            list[str] | None, Field(max_length=100, description="Ids: they come no more.")
        ] = None,
        words: Annotated[str | None, Field(description="Search all instead.")] = None,
        thread: str | None = None,
        wait_seconds: Wait = 0,
        cursor: str | None = None,
    ) -> Messages:
        """What was written to you and you did not acknowledge."""
        pages: list[MessagePage] = []
        async with link.waiting(context, wait_seconds, "a message") as bridge:
            for each in acknowledge or ():
                await bridge.acknowledge_message(each)

            async def fetch(limit: int) -> Page:
                if words is None and thread is None:
                    page = await bridge.unread_messages(wait_seconds=wait_seconds, limit=limit, cursor=cursor)
                else:
                    page = await bridge.messages(words, thread=thread, limit=limit, cursor=cursor)
                pages.append(page)
                return page.messages, page.next_cursor

            shown, following = await paged(fetch, Message)
        found = Messages(messages=shown)
        if "next_cursor" in following:
            found["next_cursor"] = following["next_cursor"]
        if not pages[-1].complete:
            why = pages[-1].problem or ("the search took too long" if pages[-1].timed_out else "")
            found["incomplete"] = f"covers the log up to event {pages[-1].covered_to} only. {why}".rstrip()
        return found

    return [tool(lighthouse_send_message, ADDS), tool(lighthouse_read_messages, ADDS)]
