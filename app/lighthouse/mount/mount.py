"""The mount as a whole: the tree, the connection that serves it, and how it follows the project."""

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from lighthouse.config import Settings
from lighthouse.events import EventStore, Hold
from lighthouse.mount.attributes import Owner
from lighthouse.mount.connection import PATIENCE, Connection
from lighthouse.mount.event_stream import BOUND, EventStreams
from lighthouse.mount.fuse import READ
from lighthouse.mount.history import History
from lighthouse.mount.invalidation import Invalidator, Notice
from lighthouse.mount.mountpoint import MountRefused
from lighthouse.mount.operations import TreeOperations
from lighthouse.mount.probe import gives_inode
from lighthouse.mount.reading import Reading
from lighthouse.mount.top import Rooms, Top
from lighthouse.mount.views import Current, LiveView, NamedViews
from lighthouse.shadow import Shadow, TreeChange

log = logging.getLogger(__name__)

# How long the log waits for the kernel to forget what a new version made stale. It takes milliseconds, but
# more than a second on a machine that is far too busy.
PUBLISH_SECONDS = 5.0


class Mount:
    """The project's shadow as a file system. It may be started again after a stop; see docs/spec-mount.md.

    `health` and `metrics` are shown in debug/ and must return at once. `shadows` and `contexts` are the rooms
    behind the folders of those names; where there is none, there is no folder. Owner and group are the
    settings' `mount_uid` and `mount_gid`, else the process's own.
    """

    def __init__(
        self,
        shadow: Shadow,
        store: EventStore,
        health: Callable[[], Mapping[str, Any]],
        settings: Settings,
        *,
        shadows: LiveView | None = None,
        contexts: NamedViews | None = None,
        metrics: Callable[[], bytes] | None = None,
        stream_bound: int = BOUND,
    ) -> None:
        self._shadow = shadow
        self._store = store
        self._project = settings.project_path
        uid, gid = settings.mount_uid, settings.mount_gid
        self._owner = Owner(os.getuid() if uid is None else uid, os.getgid() if gid is None else gid)
        self._stream_bound = stream_bound
        self._detail = "not mounted"
        self._rooms = Rooms(
            current=Current(shadow),
            history=History(shadow),
            shadows=shadows,
            contexts=contexts,
            proposals=settings.proposals_mount_point,
            health=health,
            metrics=metrics,
            operations=lambda: self.operations_count,
        )
        self._top: Top | None = None
        self._operations: TreeOperations | None = None
        self._streams: EventStreams | None = None
        self._reading: Reading | None = None
        self._connection: Connection | None = None
        self._invalidator: Invalidator | None = None
        self._early: list[Notice] = []
        self._hold: Hold | None = None
        self._growing = False
        self._rooms.follow(self._changed)
        # After the rooms: what they had the kernel told of is on its way when a version may be told of.
        shadow.add_listener(self._adopted)

    @property
    def alive(self) -> bool:
        """Whether the kernel's requests are being answered."""
        return self._connection is not None and not self._connection.task.done()

    @property
    def lagging(self) -> bool:
        """Whether the kernel holds up a call that takes back what it cached: readers may see old bytes."""
        return self._hold is not None and self._hold.late

    @property
    def detail(self) -> str:
        """One line for people: what is served where, or why nothing is."""
        return self._detail

    @property
    def operations_count(self) -> dict[str, int]:
        """Requests of the kernel since the last start, by operation."""
        return dict(self._operations.count) if self._operations else {}

    async def start(self, target: str) -> None:
        """Mount on the folder `target`, or serve the connection `/dev/fd/N` that somebody else has mounted.

        Returns when the kernel has opened the session. Raises MountRefused; nothing is mounted then.
        """
        if self._connection is not None:
            raise MountRefused("the mount is served already", "stop it first")
        try:
            self._streams = EventStreams(self._store, self._grown, self._stream_bound)
            await self._streams.start()
            self._growing = False
            # The kernel knows nothing yet.
            self._streams.show(lambda _: None)
            self._reading = Reading(self._shadow)
            opened = asyncio.Event()
            self._top = Top(self._rooms, self._streams.files(), self._reading, self._shadow.read_cached)
            self._operations = TreeOperations(
                self._top.inodes,
                owner=self._owner,
                totals=self._totals,
                ready=opened.set,
                by_inode=gives_inode(),
            )
            connection = await Connection.open(self._operations, opened, target, self._project, fuse=READ)
            self._invalidator = Invalidator(READ)
            self._invalidator.send(self._early)
            self._hold = self._store.hold("shadow.", PUBLISH_SECONDS)
            self._release_events(self._shadow.current.seq)
            self._grown()
        except BaseException as error:
            await self._release()
            self._detail = str(error) or "the start was broken off"
            raise
        self._connection = connection
        self._detail = f"serving {connection.place or 'the connection handed over as ' + target}"
        connection.task.add_done_callback(self._ended)

    async def stop(self) -> None:
        """End the session. Our own mount is unmounted; one made by somebody else stays, dead, for its maker.

        Twice is fine.
        """
        connection, self._connection = self._connection, None
        if connection is None:
            return
        connection.task.remove_done_callback(self._ended)
        self._end_hold()
        quiet = await self._end_invalidation()
        await connection.close(in_use=not quiet)
        await self._release()
        self._detail = "not mounted"

    async def settle(self) -> None:
        """Return when no reader can see anything older than the shadow's version at the time of the call."""
        if self._invalidator is not None and self.alive:
            await self._invalidator.settle()

    def _totals(self) -> tuple[int, int]:
        status = self._shadow.status()
        return status["files"], status["bytes"]

    def _changed(self, change: Callable[[Top], list[Notice]]) -> None:
        if self._top is None:
            return
        notices = change(self._top)
        if self._invalidator is None:
            # A session is being opened: the kernel may already know of what changed, but cannot be told yet.
            self._early += notices
        else:
            self._invalidator.send(notices)

    def _adopted(self, change: TreeChange) -> None:
        self._release_events(change.seq)

    def _grown(self) -> None:
        """There is more in the streams; from any thread."""
        invalidator = self._invalidator
        if invalidator is not None and not self._growing:
            self._growing = True
            invalidator.then(partial(self._show_streams, invalidator))

    def _show_streams(self, invalidator: Invalidator) -> None:
        self._growing = False
        if self._streams is not None:
            self._streams.show(invalidator.forget_pages)

    def _release_events(self, seq: int) -> None:
        """Have the log tell of version `seq` as soon as nobody can see an older one in the mount."""
        if self._hold is not None and self._invalidator is not None:
            self._invalidator.then(partial(self._hold.release, seq))

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        self._detail = "the session ended: unmounted or aborted from outside" + (
            f" ({error})" if error else ""
        )
        log.error("%s", self._detail)

    def _end_hold(self) -> None:
        hold, self._hold = self._hold, None
        if hold is not None:
            hold.end()

    async def _end_invalidation(self) -> bool:
        invalidator, self._invalidator = self._invalidator, None
        return invalidator is None or await invalidator.stop(PATIENCE)

    async def _release(self) -> None:
        self._end_hold()
        await self._end_invalidation()
        if self._streams is not None:
            self._streams.stop()
        if self._reading is not None:
            self._reading.close()
        self._top = None
        self._early = []
