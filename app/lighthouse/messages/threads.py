"""Who is in which thread, of those that were last written to: a reply needs no look into the index."""

from collections import OrderedDict
from collections.abc import Iterable

MAX_KEPT = 2000


class Threads:
    """By the numbers of their first messages; the index knows the others."""

    def __init__(self) -> None:
        self._parties: OrderedDict[int, set[str]] = OrderedDict()

    def add(self, thread: int, agents: Iterable[str]) -> None:
        """A message in it, by and to these."""
        if thread in self._parties:
            self._parties[thread].update(agents)
            self._parties.move_to_end(thread)

    def begin(self, thread: int, agents: Iterable[str]) -> None:
        """Its first message. Of a thread whose beginning was not seen here, not all may be known."""
        self._parties[thread] = set(agents)
        if len(self._parties) > MAX_KEPT:
            self._parties.popitem(last=False)

    def get(self, thread: int) -> set[str] | None:
        """Who is in it; None where nothing is known of such a thread here."""
        return self._parties.get(thread)
