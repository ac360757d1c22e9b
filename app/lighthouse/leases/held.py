"""The leases that are not over, in the order they were asked for, and which of them stand in whose way."""

from collections.abc import Iterable, Iterator

from lighthouse.casework import Waiters
from lighthouse.leases.index import Index, IsFolder, Touch
from lighthouse.leases.lease import Lease
from lighthouse.leases.paths import read
from lighthouse.leases.pattern import Names, is_wild, meet


class Held:
    """A lease, ready for comparing, and who waits for it."""

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        # Its place in the order of asking.
        self.number = int(lease.id[1:])
        self.patterns = [read(path) for path in lease.paths]
        self.globs = sum(any(map(is_wild, names)) for names in self.patterns)
        self.waiters = Waiters()
        self.deadline = lease.deadline
        # It was told that this deadline is near.
        self.warned = 0.0

    @property
    def waits(self) -> bool:
        """Whether others are in its way."""
        return self.lease.state == "waiting"

    def touches(self, patterns: Iterable[Names]) -> bool:
        """Whether something may lie in both."""
        return any(meet(mine, other, beneath=True) for mine in self.patterns for other in patterns)


class Table:
    """On one event loop. Its index is made anew when it is asked for the first time after a change."""

    def __init__(self) -> None:
        self._live: dict[str, Held] = {}
        self._index: Index[Held] | None = None
        self.changes = 0

    def __len__(self) -> int:
        return len(self._live)

    def __iter__(self) -> Iterator[Held]:
        return iter(list(self._live.values()))

    def get(self, lease_id: str) -> Held | None:
        """The lease of that id while it is not over."""
        return self._live.get(lease_id)

    def of(self, agent_id: str) -> list[Held]:
        """What one agent has and waits for."""
        return [held for held in self._live.values() if held.lease.agent_id == agent_id]

    def put(self, lease: Lease) -> Held:
        """One was asked for."""
        self._live[lease.id] = held = Held(lease)
        self._index = None
        self.changes += 1
        return held

    def changed(self, held: Held) -> None:
        """It was granted or renewed, or it ended."""
        held.deadline = held.lease.deadline
        self.changes += 1
        if held.lease.over:
            self._index = None
            del self._live[held.lease.id]

    def in_the_way(self, patterns: list[Names], agent_id: str, own: Held | None = None) -> list[Held]:
        """Others' leases on such paths, and others who wait for such: for `own`, those who came earlier."""
        before = None if own is None else own.number
        found = {
            held.number: held
            for names in patterns
            for held in self._indexed().touched(Touch(names, "all"), _all_are_folders)
            if held.lease.agent_id != agent_id and (not held.waits or before is None or held.number < before)
        }
        return [held for _, held in sorted(found.items())]

    def touched(
        self, touches: Iterable[Touch], agent_id: str, now: float, is_folder: IsFolder
    ) -> tuple[Held, Touch] | None:
        """A lease in force of another agent on one of the paths, and that path."""
        if not self._live:
            return None
        for touch in touches:
            for held in self._indexed().touched(touch, is_folder):
                if not held.waits and held.lease.agent_id != agent_id and held.deadline > now:
                    return held, touch
        return None

    def _indexed(self) -> Index[Held]:
        if self._index is None:
            self._index = Index((names, held) for held in self._live.values() for names in held.patterns)
        return self._index


def _all_are_folders(names: Names) -> bool:
    return True
