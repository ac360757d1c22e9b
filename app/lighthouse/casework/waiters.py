"""Those who wait for one thing to happen: each with a bound of its own, all let go at a stop."""

import asyncio


class Waiters:
    """On one event loop."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()
        self._released = False

    def __len__(self) -> int:
        return len(self._waiting)

    async def wait(self, seconds: float) -> None:
        """Return when they are woken, or the time is over; at once after a release."""
        if seconds <= 0 or self._released:
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(waiter)
        try:
            await asyncio.wait({waiter}, timeout=seconds)
        finally:
            self._waiting.discard(waiter)

    def wake(self) -> None:
        """It happened."""
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)

    def release(self) -> None:
        """Let everybody go on; nobody waits from now on."""
        self._released = True
        self.wake()
