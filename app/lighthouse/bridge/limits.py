"""How much one caller may ask: token buckets, one per agent or peer, in bounded memory."""

import time
from collections import OrderedDict
from collections.abc import Callable

MAX_CALLERS = 4096


class RateLimit:
    """`rate` requests a second for each caller, and `burst` at once."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> float:
        """Take one request from the caller's bucket: 0 when granted, else the seconds until there is one."""
        now = self._clock()
        level, since = self._buckets.pop(caller, (self._burst, now))
        level = min(self._burst, level + (now - since) * self._rate)
        granted = level >= 1
        self._buckets[caller] = (level - 1 if granted else level, now)
        if len(self._buckets) > MAX_CALLERS:
            # The caller heard of least lately: its bucket has most likely filled up again.
            self._buckets.popitem(last=False)
        return 0.0 if granted else (1 - level) / self._rate
