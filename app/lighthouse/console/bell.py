"""Tells every open page that something waits for a person, or no longer does."""

import asyncio


class Bell:
    """Rung on the event loop; whoever listens wakes once, however often it was rung meanwhile."""

    def __init__(self) -> None:
        self._count = 0
        self._rung = asyncio.Event()

    @property
    def count(self) -> int:
        """How often it was rung: what `after` takes."""
        return self._count

    def ring(self) -> None:
        """Wake all who listen."""
        self._count += 1
        self._rung.set()
        self._rung = asyncio.Event()

    async def after(self, count: int) -> int:
        """Wait until it has been rung more than `count` times; how often it was."""
        while self._count <= count:
            await self._rung.wait()
        return self._count
