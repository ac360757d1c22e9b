"""`history/`: every version of the project, by sequence number, by time and by the names of snapshots."""

from collections.abc import Callable, Mapping

from lighthouse.shadow import NoSuchVersion, Shadow
from lighthouse.shadow.errors import BadMoment
from lighthouse.shadow.projection import mtime_ns
from lighthouse.shadow.tree import Tree


class History:
    """Versions as NamedViews. Each has its number as its one name; other numbers and times lead to that.

    Snapshots are listed, and folders of their own. Nothing else is listed: there are too many.
    """

    def __init__(self, shadow: Shadow) -> None:
        self._shadow = shadow

    def names(self) -> Mapping[str, int]:
        return {named.name: mtime_ns(named.created_at) for named in self._shadow.snapshots.all()}

    def open(self, name: str) -> Tree | str | None:
        try:
            version = self._shadow.moment(name)
        except (BadMoment, NoSuchVersion):
            return None
        if self._shadow.snapshots.get(name) is None and name != str(version.seq):
            return str(version.seq)
        # From the store, though it may be the present one: a folder looked into must not hold it in memory.
        return self._shadow.open_tree(version.root, version.mtime_ns)

    def add_listener(self, callback: Callable[[str], None]) -> None:
        self._shadow.snapshots.add_listener(callback)
