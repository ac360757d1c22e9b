"""One agent's mailbox: its sockets, and what it acknowledged of that which its rooms have open for it."""

from collections.abc import Callable

from lighthouse.mailbox.errors import TooManySockets
from lighthouse.mailbox.letter import Key, Letter
from lighthouse.mailbox.reader import Reader

MAX_READERS = 4


class Mailbox:
    """`letters` gives all that is open for the agent; `acknowledged` is told what it took."""

    def __init__(self, letters: Callable[[], list[Letter]], acknowledged: Callable[[Letter], None]) -> None:
        self._letters = letters
        self._told = acknowledged
        self._readers: list[Reader] = []
        self._taken: dict[Key, int] = {}

    @property
    def readers(self) -> int:
        """How many sockets are open."""
        return len(self._readers)

    @property
    def empty(self) -> bool:
        """Whether nothing has to be remembered of the agent."""
        return not (self._readers or self._taken)

    def open(self, rooms: frozenset[str] = frozenset()) -> Reader:
        """A socket: it is sent all that was not acknowledged. Raises TooManySockets."""
        if len(self._readers) >= MAX_READERS:
            raise TooManySockets(f"the agent has {MAX_READERS} sockets open already", "close one of them")
        reader = Reader(self._unread, self._acknowledge, rooms)
        self._readers.append(reader)
        return reader

    def close(self, reader: Reader) -> None:
        """The socket is gone."""
        self._readers.remove(reader)

    def send(self, letter: Letter) -> None:
        """Send a letter to every socket; to those that are opened later, its room still tells it."""
        if self._taken.get(letter.key, 0) < letter.seq:
            for reader in self._readers:
                reader.offer(letter)

    def drop(self, key: Key) -> None:
        """What is about `key` need not be sent: the agent has done what there was to do."""
        for reader in self._readers:
            reader.drop(key)

    def retire(self, key: Key, notice: Letter | None) -> None:
        """`key` is over: sockets that were told of it are sent `notice`."""
        self._taken.pop(key, None)
        for reader in self._readers:
            reader.retire(key, notice)

    def _unread(self) -> list[Letter]:
        letters = self._letters()
        open_now = {letter.key for letter in letters}
        self._taken = {key: seq for key, seq in self._taken.items() if key in open_now}
        return [letter for letter in letters if self._taken.get(letter.key, 0) < letter.seq]

    def _acknowledge(self, letter: Letter) -> None:
        self._taken[letter.key] = max(letter.seq, self._taken.get(letter.key, 0))
        self._told(letter)
