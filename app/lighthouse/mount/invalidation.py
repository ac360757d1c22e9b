"""Takes back what the kernel was told.

On a thread of its own: such a call may have to wait for a look-up, and those are answered on the event loop.
"""

import asyncio
import errno
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import NamedTuple

log = logging.getLogger(__name__)

# A name nobody can look for by accident; see _settle_folder.
NO_NAME = b"\x01lighthouse: no such name"
NOT_THERE = {errno.ENOENT}
CONNECTION_GONE = {errno.ENOTCONN, errno.ENODEV, errno.EBADF, errno.ECONNABORTED}


class StaleName(NamedTuple):
    """What `name` in `folder` led to is no more, or is another thing."""

    folder: int
    name: bytes


class StaleAttributes(NamedTuple):
    """`inode`, reached through `folder`, stays what it is, but its mode or times changed."""

    folder: int
    inode: int


class StaleListing(NamedTuple):
    """The folder `inode`, reached through `folder`, has other names in it, or they lead elsewhere."""

    folder: int
    inode: int


Notice = StaleName | StaleAttributes | StaleListing


class Invalidator:
    """Sends notices to the kernel in the order they were given; `fuse` is what serves the session."""

    def __init__(self, fuse: ModuleType) -> None:
        self._fuse = fuse
        self._queue: queue.SimpleQueue[Sequence[Notice] | Callable[[], object] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="mount-invalidation", daemon=True)
        self._thread.start()

    def send(self, notices: Sequence[Notice]) -> None:
        """Queue notices; returns at once."""
        if notices:
            self._queue.put(notices)

    def then(self, callback: Callable[[], object]) -> None:
        """Call `callback` on the thread, once everything queued so far has reached the kernel."""
        self._queue.put(callback)

    async def settle(self) -> None:
        """Return when everything queued so far has reached the kernel."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self.then(lambda: loop.call_soon_threadsafe(_finish, done))
        await done

    async def stop(self, patience: float) -> bool:
        """Send what is queued, then end the thread. The session must still be served meanwhile.

        False if the kernel holds the thread up for longer than `patience` seconds.
        """
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join, patience)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            if callable(item):
                try:
                    item()
                except Exception:
                    log.exception("what was to be done after an invalidation failed")
            else:
                self._send(item)

    def _send(self, notices: Sequence[Notice]) -> None:
        settled: set[int] = set()
        for notice in notices:
            try:
                if isinstance(notice, StaleName):
                    self._forget_name(notice.folder, notice.name)
                    settled.add(notice.folder)
                else:
                    listed = isinstance(notice, StaleListing)
                    for folder in notice if listed else notice[:1]:
                        if folder not in settled:
                            self._forget_name(folder, NO_NAME)
                            settled.add(folder)
                    self._fuse.invalidate_inode(notice.inode, attr_only=not listed)
            except OSError as error:
                if error.errno in CONNECTION_GONE:
                    log.debug("the mount is gone; nothing to invalidate")
                    return
                if error.errno not in NOT_THERE:
                    log.exception("the kernel refused to forget %s", notice)

    def forget_pages(self, inode: int) -> None:
        """Have the kernel drop what it has read of a file. On the thread, from a callback of `then`."""
        try:
            self._fuse.invalidate_inode(inode, attr_only=False)
        except OSError as error:
            if error.errno not in NOT_THERE | CONNECTION_GONE:
                raise

    def _forget_name(self, folder: int, name: bytes) -> None:
        """Have the kernel drop `name`, after every look-up and listing under way in `folder` has ended.

        The second half matters for attributes too: an answer given before the change may still be on its way
        into the kernel's cache, and dropping what is not there yet would do nothing. Hence NO_NAME.
        """
        try:
            self._fuse.invalidate_entry(folder, name)
        except OSError as error:
            if error.errno not in NOT_THERE:
                raise


def _finish(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)
