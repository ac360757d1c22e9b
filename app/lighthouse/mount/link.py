"""A symbolic link of the mount's own, beside what was captured."""

import time
from collections.abc import Callable

from pyfuse3 import EntryAttributes

from lighthouse.mount.attributes import LINK_MODE, Owner
from lighthouse.mount.inodes import Inode


class Link(Inode):
    """Leads to `leads_to`. What its name means is asked for anew at each look-up.

    `ended` is called when the kernel knows it no more.
    """

    __slots__ = ("ended", "leads_to", "mtime_ns")

    def __init__(self, number: int, leads_to: bytes, ended: Callable[[], None] | None = None) -> None:
        super().__init__(number)
        self.leads_to = leads_to
        self.ended = ended
        self.mtime_ns = time.time_ns()

    def attributes(self, owner: Owner) -> EntryAttributes:
        return owner.attributes(self.number, LINK_MODE, len(self.leads_to), self.mtime_ns, keep_name=0.0)

    async def target(self) -> bytes:
        return self.leads_to

    def unused(self) -> None:
        if self.ended is not None:
            self.ended()
