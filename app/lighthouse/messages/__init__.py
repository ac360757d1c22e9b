"""Messages between agents: in threads, found by their words, delivered until they are acknowledged."""

from lighthouse.messages.errors import (
    BadMessage,
    BadWords,
    IndexBehind,
    MailboxFull,
    NobodyThere,
    NoSuchMessage,
    SearchesBusy,
)
from lighthouse.messages.found import Coverage, MessagePage, Thread, ThreadPage, Wanted
from lighthouse.messages.message import EVERYBODY, Message, Posted, Receipt, Sent
from lighthouse.messages.messages import Messages

__all__ = [
    "EVERYBODY",
    "BadMessage",
    "BadWords",
    "Coverage",
    "IndexBehind",
    "MailboxFull",
    "Message",
    "MessagePage",
    "Messages",
    "NoSuchMessage",
    "NobodyThere",
    "Posted",
    "Receipt",
    "SearchesBusy",
    "Sent",
    "Thread",
    "ThreadPage",
    "Wanted",
]
