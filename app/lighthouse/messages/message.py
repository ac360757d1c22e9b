"""A message, as its event tells it, and who acknowledged it when."""

from typing import Any

import msgspec

from lighthouse.casework import number_of
from lighthouse.events import Event

STREAM = "messages"
SENT = "message.sent"
DELIVERED = "message.delivered"
EVERYBODY = "*"


class Message(msgspec.Struct, frozen=True):
    """`agent_id` says `body` to the agent `to`, to everybody (`*`), or to those of the thread (null).

    The id of a thread is that of its first message.
    """

    id: str
    thread: str
    agent_id: str
    to: str | None
    subject: str
    body: str
    sent_at: str
    seq: int


class Posted(Message, frozen=True):
    """`recipients` with the time at which each acknowledged it. Those `left_out` had full mailboxes."""

    recipients: dict[str, str | None]
    left_out: list[str]


class Sent(Posted, frozen=True):
    """`unseen`: recipients of whom neither the log nor this run of the bridge knows anything."""

    unseen: list[str]


class Receipt(msgspec.Struct, frozen=True):
    """That this agent has the message; it is not delivered any more."""

    id: str
    agent_id: str
    acknowledged_at: str


def id_of(seq: int) -> str:
    """The id of the message that event `seq` sent."""
    return f"m{seq}"


def seq_of(id: str) -> int | None:
    """The number in a message's id; None where it is none."""
    return number_of(id, "m")


def thread_of(event: Event, said: dict[str, Any]) -> int:
    """The number of the thread that this event's message is in: its own, where it begins one."""
    return seq_of(said.get("thread", "")) or event.seq


def from_event(event: Event) -> Posted:
    """The message that this event sent, as it was then."""
    said = event.value
    return Posted(
        id=id_of(event.seq),
        thread=id_of(thread_of(event, said)),
        agent_id=event.agent_id,
        to=said.get("to"),
        subject=said.get("subject", ""),
        body=said["body"],
        sent_at=event.ts,
        seq=event.seq,
        recipients=dict.fromkeys(said["recipients"]),
        left_out=said.get("left_out", []),
    )
