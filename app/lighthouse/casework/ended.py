"""The last things that ended, kept in memory for those who ask what became of them."""

from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")


class Ended(Generic[T]):
    """Bounded in number and bytes; whoever wants an older one reads the log."""

    def __init__(self, max_count: int, max_bytes: int) -> None:
        self._max_count = max_count
        self._max_bytes = max_bytes
        self._kept: OrderedDict[str, tuple[T, int]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, id: str, thing: T, size: int) -> None:
        """It ended just now."""
        self._kept[id] = thing, size
        self._bytes += size
        while len(self._kept) > self._max_count or self._bytes > self._max_bytes:
            self._bytes -= self._kept.popitem(last=False)[1][1]

    def get(self, id: str) -> T | None:
        """The one of that id, unless many have ended since."""
        found = self._kept.get(id)
        return None if found is None else found[0]

    def latest_first(self) -> list[T]:
        """All that are kept."""
        return [thing for thing, _ in reversed(self._kept.values())]
