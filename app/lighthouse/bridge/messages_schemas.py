"""The wire forms of messages and threads; what is answered is lighthouse.messages' own."""

from typing import Annotated

import msgspec

from lighthouse.bridge.schemas import Request, Word
from lighthouse.bridge.validation_schemas import Wait

MAX_BODY = 16 * 1024

Id = Annotated[str, msgspec.Meta(min_length=2, max_length=20)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=100)]
Cursor = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


class MessageSend(Request):
    """To an agent, to everybody (`*`), or, where `to` is left out, to those of the `thread`."""

    body: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_BODY)]
    to: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None = None
    thread: Id | None = None
    subject: Annotated[str, msgspec.Meta(max_length=200)] = ""
    idempotency_key: Word | None = None


class MessageAcknowledge(Request):
    """Nothing has to be said."""


class MessagesQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`unread` are those that the caller did not acknowledge, and it is waited for one for `wait_seconds`."""

    q: Annotated[str, msgspec.Meta(min_length=1, max_length=500)] | None = None
    thread: Id | None = None
    agent_id: Word | None = None
    to: Word | None = None
    unread: bool = False
    wait_seconds: Wait = 0.0
    limit: Limit = 20
    cursor: Cursor | None = None


class ThreadsQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Threads of all, or those that one agent wrote in or was written to."""

    agent_id: Word | None = None
    limit: Limit = 20
    cursor: Cursor | None = None
