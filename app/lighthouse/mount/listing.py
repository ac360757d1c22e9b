"""The order in which folders are listed, and where a listing under way goes on."""

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Collection, Iterator
from itertools import islice

KEPT = 64
# Positions 1 and 2 are those of "." and "..", which every listing begins with.
DOTS = 2
# Positions are signed 64-bit numbers to programs, and nought is the beginning.
_POSITIONS = (1 << 62) - 1

Order = tuple[list[int], list[bytes]]


class Listings:
    """Folders are listed in the order of a number that is made from each name.

    So a position says where to go on whatever became of the folder meanwhile, for any number of readers and
    without noting who is under way: what came or went is told or not, and nothing is told twice or left out.
    """

    def __init__(self) -> None:
        self._orders: OrderedDict[int, tuple[Collection[bytes], Order]] = OrderedDict()

    def after(self, folder: int, names: Collection[bytes], position: int) -> Iterator[tuple[int, bytes]]:
        """Position and name of each of `names` that follows `position` in the folder of that number.

        The same collection must not have other names the next time.
        """
        positions, ordered = self._order(folder, names)
        begin = bisect_right(positions, position)
        return zip(positions[begin:], ordered[begin:], strict=True)

    def following(self, folder: int, names: Collection[bytes], name: bytes) -> Iterator[bytes]:
        """Those of `names` that are listed after `name`, which is one of them."""
        positions, ordered = self._order(folder, names)
        begin = bisect_left(positions, _position(name))
        return (other for other in islice(ordered, begin, None) if other != name)

    def _order(self, folder: int, names: Collection[bytes]) -> Order:
        kept = self._orders.get(folder)
        if kept is not None and kept[0] is names:
            self._orders.move_to_end(folder)
            return kept[1]
        order = _ordered(names)
        self._orders[folder] = names, order
        self._orders.move_to_end(folder)
        if len(self._orders) > KEPT:
            self._orders.popitem(last=False)
        return order


def _position(name: bytes) -> int:
    # Python's own hash of bytes: fast, and keyed for each process, as nobody is to choose names that collide.
    return hash(name) & _POSITIONS


def _ordered(names: Collection[bytes]) -> Order:
    pairs = sorted((_position(name), name) for name in names)
    positions: list[int] = []
    last = DOTS
    for number, _ in pairs:
        last = max(number, last + 1)
        positions.append(last)
    return positions, [name for _, name in pairs]
