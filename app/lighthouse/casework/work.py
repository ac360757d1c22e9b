"""Work that comes to its end although whoever asked for it went away, and before its room closes."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Work:
    """On one event loop."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin it; nobody need await it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    async def finished(self, work: Coroutine[Any, Any, T]) -> T:
        """Begin it, and await its end. It goes on where this is cancelled."""
        return await asyncio.shield(self.spawn(work))

    async def close(self) -> None:
        """Await all that has begun, and what that begins."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # its caller is told, unless it went away
