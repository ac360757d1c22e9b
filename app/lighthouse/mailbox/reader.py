"""One socket's view of a mailbox: letters get numbers here, and only so many are out at once."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

from lighthouse.mailbox.letter import Key, Letter

WINDOW = 64
MAX_WAITING = 256


class Reader:
    """`letters` gives all that the agent has not acknowledged; what does not fit is asked for again.

    Where `rooms` are named, only their letters are sent here.
    """

    def __init__(
        self,
        letters: Callable[[], Iterable[Letter]],
        acknowledged: Callable[[Letter], None],
        rooms: frozenset[str] = frozenset(),
    ) -> None:
        self._letters = letters
        self._acknowledged = acknowledged
        self._rooms = rooms
        self._waiting = deque[Letter]()
        self._notices = deque[Letter]()
        # A notice, which nobody keeps open, is None.
        self._out: dict[int, Letter | None] = {}
        # What waits here or was sent, by its event, until it is over.
        self._known: dict[Key, int] = {}
        self._number = 0
        self._left_out = False
        self._wake = asyncio.Event()
        self._fill()

    async def next(self) -> tuple[int, Letter]:
        """The next letter and its number; waits while there is none, or too many are not acknowledged."""
        while not self._ready() or len(self._out) >= WINDOW:
            self._wake.clear()
            await self._wake.wait()
        self._number += 1
        if self._notices:
            letter = self._notices.popleft()
            self._out[self._number] = None
        else:
            letter = self._out[self._number] = self._waiting.popleft()
        return self._number, letter

    def acknowledge(self, number: int) -> bool:
        """Take back a number that was sent; false for one that never was. Twice is fine."""
        if not 1 <= number <= self._number:
            return False
        if number in self._out:
            if (letter := self._out.pop(number)) is not None:
                self._acknowledged(letter)
            self._wake.set()
        return True

    def offer(self, letter: Letter) -> None:
        """Send this one too, unless it is known, or of a room that nobody listens to here."""
        if self._rooms and letter.room not in self._rooms:
            return
        if self._known.get(letter.key, 0) >= letter.seq:
            return
        if len(self._waiting) >= MAX_WAITING:
            self._left_out = True
            return
        self._known[letter.key] = letter.seq
        self._waiting.append(letter)
        self._wake.set()

    def drop(self, key: Key) -> None:
        """What is about `key` need not be sent any more."""
        left = deque(letter for letter in self._waiting if letter.key != key)
        if len(left) != len(self._waiting):
            self._waiting = left
            del self._known[key]

    def retire(self, key: Key, notice: Letter | None) -> None:
        """`key` is over: it need not be sent any more; where it was, `notice` is sent."""
        self.drop(key)
        if self._known.pop(key, None) is not None and notice is not None:
            self._notices.append(notice)
            self._wake.set()

    def _ready(self) -> bool:
        if not self._waiting and self._left_out:
            self._fill()
        return bool(self._notices or self._waiting)

    def _fill(self) -> None:
        self._left_out = False
        for letter in self._letters():
            self.offer(letter)
