"""Which agents are there: what they hold ends when they have been gone for a while."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

HEARD_SECONDS = 60.0
GRACE_SECONDS = 30.0
MAX_KNOWN = 10_000

Clock = Callable[[], float]
Connected = Callable[[], bool]


class _Open:
    """A request that is being answered, and whether its connection was seen to be broken."""

    __slots__ = ("broken", "connected")

    def __init__(self, connected: Connected) -> None:
        self.connected = connected
        self.broken = False


class Presence:
    """An agent is there while a request or socket of its is open, and for a minute after each request.

    At a start everybody counts as heard of at that moment: they may have been there when the bridge ended.
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._unknown_until = clock() + HEARD_SECONDS
        self._until: dict[str, float] = {}
        self._open: dict[str, list[_Open]] = {}

    @contextmanager
    def during(self, agent_id: str, connected: Connected) -> Iterator[None]:
        """A request of the agent's is answered; it may take as long as a socket does."""
        self.heard(agent_id)
        request = _Open(connected)
        mine = self._open.setdefault(agent_id, [])
        mine.append(request)
        try:
            yield
        finally:
            mine.remove(request)
            if not mine:
                del self._open[agent_id]
            if not request.broken:
                self._last_seen_now(agent_id)

    def heard(self, agent_id: str) -> None:
        """The agent asked for something just now."""
        if len(self._until) >= MAX_KNOWN and agent_id not in self._until:
            now = self._clock()
            self._until = {agent: until for agent, until in self._until.items() if until > now}
        self._until[agent_id] = self._clock() + HEARD_SECONDS

    @property
    def known(self) -> list[str]:
        """Who was heard of since the start; the last of them at least, where they are many."""
        return list(self._until)

    def alive(self, agent_id: str) -> bool:
        """Whether it is there."""
        return self.absent(agent_id) == 0.0

    def gone(self, agent_id: str) -> bool:
        """Whether it has been away for so long that what it holds is for others now."""
        return self.absent(agent_id) >= GRACE_SECONDS

    def absent(self, agent_id: str) -> float:
        """For how many seconds it has not been there; 0 while it is."""
        for request in self._open.get(agent_id, ()):
            if request.connected():
                return 0.0
            if not request.broken:
                request.broken = True
                self._last_seen_now(agent_id)
        return max(0.0, self._clock() - self._until.get(agent_id, self._unknown_until))

    def _last_seen_now(self, agent_id: str) -> None:
        self._until[agent_id] = max(self._until.get(agent_id, 0.0), self._clock())
