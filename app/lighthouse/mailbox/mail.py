"""The mailboxes of all agents, and the rooms whose letters go through them.

Nothing here is on disk: a letter is a fact of the log put into words. The room that it is of knows it until
it is acknowledged for good or over, also after a restart, and is asked for it whenever a socket is opened.
"""

from collections.abc import Callable

from lighthouse.mailbox.letter import Letter, Post
from lighthouse.mailbox.mailbox import Mailbox
from lighthouse.mailbox.reader import Reader

OnSocket = Callable[[str, bool], None]


class Mail:
    """On one event loop. Rooms are added before the first socket is opened."""

    def __init__(self) -> None:
        self._boxes: dict[str, Mailbox] = {}
        self._posts: list[Post] = []
        self._watching: list[OnSocket] = []

    def add(self, post: Post) -> None:
        """A room that has letters for agents."""
        self._posts.append(post)

    def watch(self, on_socket: OnSocket) -> None:
        """Call `on_socket` with an agent, and whether it opened a socket or closed one."""
        self._watching.append(on_socket)

    def open(self, agent_id: str, rooms: frozenset[str] = frozenset()) -> Reader:
        """A socket of the agent is open, for all letters or those of some rooms. Raises TooManySockets."""
        box = self._boxes.get(agent_id) or self._box(agent_id)
        reader = box.open(rooms)
        self._boxes[agent_id] = box
        for on_socket in self._watching:
            on_socket(agent_id, True)
        return reader

    def close(self, agent_id: str, reader: Reader) -> None:
        """That socket is gone."""
        self._boxes[agent_id].close(reader)
        self._forget_empty(agent_id)
        for on_socket in self._watching:
            on_socket(agent_id, False)

    def send(self, agent_id: str, letter: Letter) -> None:
        """Tell the agent now, if it has a socket open."""
        if (box := self._boxes.get(agent_id)) is not None:
            box.send(letter)

    def drop(self, agent_id: str, kind: str, thing: str) -> None:
        """The agent did what there was to do; sockets that were told of it still hear of its end."""
        if (box := self._boxes.get(agent_id)) is not None:
            box.drop((kind, thing))

    def withdraw(self, agent_id: str, kind: str, thing: str, notice: Letter | None = None) -> None:
        """It is over, and open no more: sockets that were told of it are sent `notice`, once."""
        if (box := self._boxes.get(agent_id)) is not None:
            box.retire((kind, thing), notice)
            self._forget_empty(agent_id)

    def sockets_of(self, agent_id: str) -> int:
        """How many sockets this agent has open."""
        box = self._boxes.get(agent_id)
        return 0 if box is None else box.readers

    @property
    def sockets(self) -> int:
        """How many sockets are open."""
        return sum(box.readers for box in self._boxes.values())

    def _box(self, agent_id: str) -> Mailbox:
        def letters() -> list[Letter]:
            found = [letter for post in self._posts for letter in post.open_letters(agent_id)]
            return sorted(found, key=lambda letter: letter.seq)

        def acknowledged(letter: Letter) -> None:
            for post in self._posts:
                post.acknowledged(agent_id, letter)

        return Mailbox(letters, acknowledged)

    def _forget_empty(self, agent_id: str) -> None:
        if self._boxes[agent_id].empty:
            del self._boxes[agent_id]
