"""A letter, and what a room has to know of the letters it sends."""

from collections.abc import Iterable
from typing import Any, Protocol

import msgspec

Key = tuple[str, str]


class Letter(msgspec.Struct, frozen=True, eq=False):
    """Of the event `seq` an agent is told `data` about the thing `id`, as a message of the type `kind`.

    `data` is a struct, or a function that gives one when the letter is sent. A later letter of the same kind
    and id is news, the same one again is not.
    """

    kind: str
    id: str
    seq: int
    data: Any

    @property
    def room(self) -> str:
        """Whose letter it is: the first word of its kind."""
        return self.kind.partition(".")[0]

    @property
    def key(self) -> Key:
        """What the letter is about."""
        return self.kind, self.id

    def read(self) -> Any:
        """The data as they are now."""
        return self.data() if callable(self.data) else self.data


class Post(Protocol):
    """A room that sends letters. It knows at any time what is open for whom, so mailboxes keep nothing."""

    def open_letters(self, agent_id: str) -> Iterable[Letter]:
        """What the agent has to be told, acknowledged by it in this run of the bridge or not."""
        ...

    def acknowledged(self, agent_id: str, letter: Letter) -> None:
        """The agent took this letter, which may be another room's.

        A room that has it open no more then, as it noted so for good, withdraws it without a notice.
        """
        ...
