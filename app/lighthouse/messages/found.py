"""What is asked of the index, and what it answers, always with how much of the log it knew."""

from dataclasses import dataclass

import msgspec

from lighthouse.messages.message import Posted


@dataclass(frozen=True)
class Wanted:
    """Which messages. `match` is what `words.expression` made; `before` and `after` are sequence numbers.

    The latest come first, those of one `thread`, told by any of its messages, in their order.
    """

    match: str | None = None
    thread: int | None = None
    agent_id: str | None = None
    to: str | None = None
    limit: int = 20
    before: int | None = None
    after: int | None = None


class Coverage(msgspec.Struct, kw_only=True):
    """`complete`: what was stored when this was asked is all taken into account. Else what came after the
    event `covered_to` is not, or (`timed_out`) the search ended early; `problem` says why, if it is known."""

    complete: bool
    covered_to: int
    timed_out: bool = False
    problem: str | None = None


class MessagePage(Coverage, kw_only=True):
    """Messages; `next_cursor` is null on the last page."""

    messages: list[Posted]
    next_cursor: str | None = None


class Thread(msgspec.Struct):
    """`id` is that of its first message, by `agent_id`; `agents` wrote in it or were written to.

    `unread` of its messages wait for whoever asks to acknowledge them.
    """

    id: str
    subject: str
    agent_id: str
    agents: list[str]
    messages: int
    unread: int
    begun_at: str
    last_at: str
    last_id: str


class ThreadPage(Coverage, kw_only=True):
    """Threads, the one with the latest message first; `next_cursor` is null on the last page."""

    threads: list[Thread]
    next_cursor: str | None = None
