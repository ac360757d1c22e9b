"""What agents have to be told, each through one mailbox that all rooms use, and who of them is there."""

from lighthouse.mailbox.errors import TooManySockets
from lighthouse.mailbox.letter import Letter, Post
from lighthouse.mailbox.mail import Mail
from lighthouse.mailbox.presence import Presence
from lighthouse.mailbox.reader import Reader

__all__ = ["Letter", "Mail", "Post", "Presence", "Reader", "TooManySockets"]
