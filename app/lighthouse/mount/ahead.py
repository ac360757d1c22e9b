"""Reading ahead: who reads the files of a folder one after the other finds the next ones in memory."""

import asyncio
from typing import TYPE_CHECKING

from lighthouse.mount.listing import Listings
from lighthouse.mount.reading import Reading
from lighthouse.shadow.entry import FILE

if TYPE_CHECKING:
    from lighthouse.mount.nodes import Node

# At most this much is fetched at a time; the shadow keeps eight times as much.
FILES = 32
BYTES = 2 * 1024 * 1024
LARGEST = 256 * 1024


class Ahead:
    """Told of each content that was not in memory, it fetches what is listed after the second of a folder.

    A thread's turn costs more than most files do: without this `grep -r` would wait for one at each.
    """

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._listings = Listings()
        self._folder: int | None = None
        self._fetching: asyncio.Future[None] | None = None

    def missed(self, file: "Node") -> None:
        """`file` is about to be read from the disk."""
        folder = file.parent
        if folder is None:
            return
        again, self._folder = self._folder == folder.number, folder.number
        if not again or (self._fetching is not None and not self._fetching.done()):
            return
        members = file.nodes.children(folder)
        if not members or file.name not in members:
            return
        contents: list[bytes] = []
        size = 0
        for name in self._listings.following(folder.number, members, file.name):
            entry = members[name]
            if entry.kind != FILE or entry.size > LARGEST:
                continue
            size += entry.size
            if size > BYTES or len(contents) == FILES:
                break
            contents.append(entry.hash)
        if contents:
            self._fetching = self._reading.fetch(contents)
            self._fetching.add_done_callback(_ended)


def _ended(fetching: asyncio.Future[None]) -> None:
    # A session that ended took its threads with it.
    if not fetching.cancelled():
        fetching.exception()
