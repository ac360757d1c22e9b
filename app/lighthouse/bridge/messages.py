"""/message/send, /messages, /message/{id}/ack and /threads: what agents say to each other."""

from typing import TYPE_CHECKING

from lighthouse.bridge import long_poll
from lighthouse.bridge.call import Answer, Call, Route
from lighthouse.bridge.cursors import cursor, place
from lighthouse.bridge.messages_schemas import MessageAcknowledge, MessageSend, MessagesQuery, ThreadsQuery
from lighthouse.bridge.problems import Rejected
from lighthouse.casework import number_of
from lighthouse.messages import (
    BadMessage,
    MessagePage,
    Messages,
    Posted,
    Receipt,
    Sent,
    ThreadPage,
    Wanted,
)
from lighthouse.messages.finding import PAGE_BYTES
from lighthouse.messages.words import expression
from lighthouse.sessions import NotAllowed

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge


async def send(bridge: "Bridge", call: Call) -> Sent:
    """A message; on disk before it is answered."""
    said: MessageSend = call.body
    return await room(bridge).send(
        call.caller.agent_id,
        said.body,
        to=said.to,
        thread=said.thread,
        subject=said.subject,
        idempotency_key=said.idempotency_key,
    )


async def listed(bridge: "Bridge", call: Call) -> MessagePage:
    """Messages: all, those that words are found in, or those that wait for the caller."""
    asked: MessagesQuery = call.query
    if asked.unread:
        return await _unread(bridge, call)
    if asked.wait_seconds:
        raise Rejected(422, "only unread messages are waited for", "ask for unread=true, or do not wait")
    thread = None if asked.thread is None else number_of(asked.thread, "m")
    if asked.thread is not None and thread is None:
        raise BadMessage(f"{asked.thread!r} is not the id of a thread", "like m17, see GET /threads")
    at = place(asked.cursor, "before" if thread is None else "after")
    return await room(bridge).find(
        Wanted(
            match=None if asked.q is None else expression(asked.q),
            thread=thread,
            agent_id=asked.agent_id,
            to=asked.to,
            limit=asked.limit,
            before=at if thread is None else None,
            after=None if thread is None else at,
        ),
        call.caller.agent_id,
    )


async def _unread(bridge: "Bridge", call: Call) -> MessagePage:
    asked: MessagesQuery = call.query
    if (asked.q, asked.thread, asked.agent_id, asked.to) != (None, None, None, None):
        raise Rejected(422, "unread messages are listed as they are", "leave out q, thread, agent_id and to")
    after = place(asked.cursor, "after") or 0
    messages, caller = room(bridge), call.caller.agent_id

    def look() -> list[Posted]:
        return [one for one in messages.unread(caller) if one.seq > after]

    found = await long_poll.found(
        bridge, call, asked.wait_seconds, look, lambda seconds: messages.news(caller, seconds)
    )
    page: list[Posted] = []
    size = 0
    for one in found[: asked.limit]:
        page.append(one)
        size += len(one.body)
        if size > PAGE_BYTES:
            break
    following = cursor(page[-1].seq) if len(page) < len(found) else None
    return MessagePage(messages=page, next_cursor=following, complete=True, covered_to=messages.newest)


async def show(bridge: "Bridge", call: Call) -> Posted:
    """One message, and who acknowledged it."""
    return await room(bridge).get(call.request.match_info["id"], call.caller.agent_id)


async def acknowledge(bridge: "Bridge", call: Call) -> Receipt:
    """The caller has the message; on disk before it is answered."""
    message_id, caller = call.request.match_info["id"], call.caller.agent_id
    try:
        return await room(bridge).acknowledge(message_id, caller)
    except NotAllowed as error:
        bridge.audit.rejected(403, error.message, "/message/{id}/ack", call.peer, caller)
        raise


async def threads(bridge: "Bridge", call: Call) -> ThreadPage:
    """Threads, the one with the latest message first."""
    asked: ThreadsQuery = call.query
    before = place(asked.cursor, "before")
    return await room(bridge).threads(call.caller.agent_id, asked.agent_id, asked.limit, before)


def room(bridge: "Bridge") -> Messages:
    """The room, once it is there."""
    if bridge.messages is None:
        raise Rejected(503, "the messages are not known yet", "try again in a moment")
    return bridge.messages


ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/message/send",
        "message_send",
        "Say something to an agent, to everybody, or to those of a thread",
        send,
        {200: Answer("The message, and for whom it is", Sent)},
        permission="message.write",
        body=MessageSend,
        errors=(404, 409, 507),
    ),
    Route(
        "GET",
        "/messages",
        "messages",
        "Messages: all, those that words are found in, or those that wait for the caller",
        listed,
        {200: Answer("A page of messages, and how much of the log it covers", MessagePage)},
        permission="events.read",
        query=MessagesQuery,
    ),
    Route(
        "GET",
        "/messages/{id}",
        "message",
        "One message, and who acknowledged it",
        show,
        {200: Answer("The message", Posted)},
        permission="events.read",
        errors=(404,),
        path_parameters={"id": "the message's id"},
    ),
    Route(
        "POST",
        "/message/{id}/ack",
        "message_acknowledge",
        "Say that the caller has a message, which then does not come again",
        acknowledge,
        {200: Answer("When it was first acknowledged", Receipt)},
        permission="events.read",
        body=MessageAcknowledge,
        body_optional=True,
        errors=(404, 409, 507),
        path_parameters={"id": "the message's id"},
    ),
    Route(
        "GET",
        "/threads",
        "threads",
        "Threads of messages, the one with the latest message first",
        threads,
        {200: Answer("A page of threads, and how much of the log it covers", ThreadPage)},
        permission="events.read",
        query=ThreadsQuery,
    ),
)
