"""Deadlines: one timer for all that a room has."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from lighthouse.casework.work import Work

RETRY_SECONDS = 1.0
# The clock that deadlines go by may be set; they are looked at again after so long at the latest.
WATCH_SECONDS = 30.0

Clock = Callable[[], float]
Look = Callable[[], Awaitable[float | None]]

log = logging.getLogger("lighthouse.casework")


class Alarm:
    """Calls `look` at the next deadline. It ends what is past its time, and returns the deadline after that.

    A deadline is a time of `clock`. What is past it when `look` returns could not be ended; it is tried
    again, and not without a pause.
    """

    def __init__(self, look: Look, work: Work, clock: Clock) -> None:
        self._look = look
        self._work = work
        self._clock = clock
        self._timer: asyncio.TimerHandle | None = None
        self._at = 0.0
        self._closed = False

    async def ring(self) -> None:
        """Look now, and from now on at each deadline."""
        try:
            following = await self._look()
        except Exception:
            log.exception("looking at what is past its time failed")
            following = self._clock()
        if following is not None:
            self.by(following)

    def by(self, deadline: float) -> None:
        """Look at this time at the latest."""
        if self._closed or (self._timer is not None and self._at <= deadline):
            return
        if self._timer is not None:
            self._timer.cancel()
        left = deadline - self._clock()
        wait = RETRY_SECONDS if left <= 0 else min(left, WATCH_SECONDS)
        self._at = deadline
        self._timer = asyncio.get_running_loop().call_later(wait, self._due)

    def close(self) -> None:
        """Ring no more."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self) -> None:
        self._timer = None
        self._work.spawn(self.ring())
