"""The answers about messages between agents."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Message:
    """`agent_id` says `body` to the agent `to`, to everybody (`*`), or to those of the thread (None).

    `recipients` with the time at which each acknowledged it; those `left_out` had full mailboxes.
    """

    id: str
    thread: str
    agent_id: str
    to: str | None
    subject: str
    body: str
    sent_at: str
    seq: int
    recipients: dict[str, str | None]
    left_out: list[str]


@dataclass(frozen=True)
class SentMessage(Message):
    """A message that was just sent; `unseen` are recipients of whom nothing at all is known."""

    unseen: list[str]


@dataclass(frozen=True)
class Receipt:
    """That this agent has the message."""

    id: str
    agent_id: str
    acknowledged_at: str


@dataclass(frozen=True)
class MessagePage:
    """Messages. Unless `complete`, what came after the event `covered_to` is not taken into account, or the
    search `timed_out`: an empty page then does not say that there is nothing. `problem` says why, if known.
    """

    messages: list[Message]
    next_cursor: str | None
    complete: bool
    covered_to: int
    timed_out: bool
    problem: str | None


@dataclass(frozen=True)
class Thread:
    """A thread; its `id` is that of its first message, by `agent_id`. `unread` of its messages wait for the
    caller to acknowledge them; `agents` wrote in it or were written to."""

    id: str
    subject: str
    agent_id: str
    agents: list[str]
    messages: int
    unread: int
    begun_at: str
    last_at: str
    last_id: str


@dataclass(frozen=True)
class ThreadPage:
    """Threads; the other fields are as in `MessagePage`."""

    threads: list[Thread]
    next_cursor: str | None
    complete: bool
    covered_to: int
    timed_out: bool
    problem: str | None
