"""What an agent has to be told and has not acknowledged yet, and the sockets it is told over.

Nothing here is on disk: a letter is a fact of the log put into words, and whoever posts it posts it again
after a restart, as long as it matters.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from lighthouse.experts.errors import TooManySockets

WINDOW = 64
MAX_READERS = 4
MAX_LETTERS = 256


class Letter(msgspec.Struct, frozen=True, eq=False):
    """A message of a `type` about the thing `key`; `read` gives its data as they are when it is sent.

    `final` is one after which there is nothing to tell of `key`.
    """

    key: str
    type: str
    read: Callable[[], Any]
    final: bool = False


class Reader:
    """One socket's view of the mailbox: letters get numbers here, and at most WINDOW are out at once."""

    def __init__(self, letters: list[Letter], acknowledged: Callable[[Letter], None]) -> None:
        self._waiting = deque(letters)
        self._out: dict[int, Letter] = {}
        # What was sent and has not ended, acknowledged or not: its end is told too.
        self._told = set[str]()
        self._number = 0
        self._acknowledged = acknowledged
        self._wake = asyncio.Event()

    async def next(self) -> tuple[int, Letter]:
        """The next letter and its number; waits while there is none, or too many are not acknowledged."""
        while not self._waiting or len(self._out) >= WINDOW:
            self._wake.clear()
            await self._wake.wait()
        letter = self._waiting.popleft()
        self._number += 1
        self._out[self._number] = letter
        if not letter.final:
            self._told.add(letter.key)
        return self._number, letter

    def acknowledge(self, number: int) -> bool:
        """Take back a number that was sent; false for one that never was. Twice is fine."""
        if not 1 <= number <= self._number:
            return False
        if (letter := self._out.pop(number, None)) is not None:
            self._acknowledged(letter)
            self._wake.set()
        return True

    def offer(self, letter: Letter) -> None:
        """Send this one too."""
        self._waiting.append(letter)
        self._wake.set()

    def drop(self, key: str) -> None:
        """What is about `key` need not be sent any more."""
        self._waiting = deque(letter for letter in self._waiting if letter.key != key or letter.final)

    def retire(self, notice: Letter) -> None:
        """What is about its key need not be sent any more; where it was, `notice` is sent."""
        self.drop(notice.key)
        if notice.key in self._told:
            self._told.remove(notice.key)
            self.offer(notice)


class Mailbox:
    """One agent's letters, by the thing that each is about."""

    def __init__(self) -> None:
        self._letters: dict[str, Letter] = {}
        self._readers: list[Reader] = []

    @property
    def readers(self) -> int:
        """How many sockets are open."""
        return len(self._readers)

    @property
    def full(self) -> bool:
        """Whether it takes no more letters."""
        return len(self._letters) >= MAX_LETTERS

    @property
    def empty(self) -> bool:
        """Whether nothing is to be told, and nobody listens."""
        return not (self._letters or self._readers)

    def open(self) -> Reader:
        """A socket: it is sent all that was not acknowledged. Raises TooManySockets."""
        if len(self._readers) >= MAX_READERS:
            raise TooManySockets(f"the agent has {MAX_READERS} sockets open already", "close one of them")
        reader = Reader(list(self._letters.values()), self._acknowledge)
        self._readers.append(reader)
        return reader

    def close(self, reader: Reader) -> None:
        """The socket is gone."""
        self._readers.remove(reader)

    def post(self, letter: Letter) -> None:
        """Keep a letter until it is acknowledged, and send it to every socket; once for each key.

        A full mailbox takes none: who asks, asks somebody else.
        """
        if letter.key not in self._letters and not self.full:
            self._letters[letter.key] = letter
            for reader in self._readers:
                reader.offer(letter)

    def drop(self, key: str) -> None:
        """The letter with this key no longer matters to the agent: it has done what there was to do."""
        self._letters.pop(key, None)
        for reader in self._readers:
            reader.drop(key)

    def retire(self, notice: Letter) -> None:
        """The letter with this key no longer matters; sockets that it was sent to are told by `notice`."""
        self._letters.pop(notice.key, None)
        for reader in self._readers:
            reader.retire(notice)

    def _acknowledge(self, letter: Letter) -> None:
        if self._letters.get(letter.key) is letter:
            del self._letters[letter.key]
