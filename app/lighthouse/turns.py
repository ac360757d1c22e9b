"""Turns by name: of the same name one after the other, so that nobody who asks a lot keeps others waiting."""

import asyncio
from weakref import WeakValueDictionary


class Turns:
    """Locks that are there while somebody holds or awaits them. On one event loop."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, name: str) -> asyncio.Lock:
        """The lock of that name: `async with turns.of(name):`."""
        return self._locks.setdefault(name, asyncio.Lock())
