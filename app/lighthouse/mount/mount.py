"""The mount as a whole: the tree, the connection that serves it, and how it follows the project."""

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from typing import Any

from lighthouse.config import Settings
from lighthouse.events import EventStore
from lighthouse.mount import fixed
from lighthouse.mount.attributes import Owner
from lighthouse.mount.connection import PATIENCE, Connection
from lighthouse.mount.event_stream import BOUND, EventStream
from lighthouse.mount.fixed import FixedFolder, JsonFile, StreamFile
from lighthouse.mount.fuse import READ
from lighthouse.mount.invalidation import Invalidator, Notice
from lighthouse.mount.mountpoint import MountRefused
from lighthouse.mount.nodes import Nodes
from lighthouse.mount.operations import TreeOperations
from lighthouse.mount.reading import Reading
from lighthouse.shadow import Shadow, TreeChange

log = logging.getLogger(__name__)


class Mount:
    """The project's shadow as a file system. It may be started again after a stop; see docs/spec-mount.md.

    `health` is rendered into debug/health.json and must return at once. Owner and group are the settings'
    `mount_uid` and `mount_gid`, else the process's own.
    """

    def __init__(
        self,
        shadow: Shadow,
        store: EventStore,
        health: Callable[[], Mapping[str, Any]],
        settings: Settings,
        *,
        stream_bound: int = BOUND,
    ) -> None:
        self._shadow = shadow
        self._store = store
        self._health = health
        self._project = settings.project_path
        uid, gid = settings.mount_uid, settings.mount_gid
        self._owner = Owner(os.getuid() if uid is None else uid, os.getgid() if gid is None else gid)
        self._stream_bound = stream_bound
        self._detail = "not mounted"
        self._nodes: Nodes | None = None
        self._operations: TreeOperations | None = None
        self._stream: EventStream | None = None
        self._reading: Reading | None = None
        self._connection: Connection | None = None
        self._invalidator: Invalidator | None = None
        self._early: list[Notice] = []
        shadow.add_listener(self._follow)

    @property
    def alive(self) -> bool:
        """Whether the kernel's requests are being answered."""
        return self._connection is not None and not self._connection.task.done()

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
            self._stream = EventStream(self._store, self._stream_bound)
            await self._stream.start()
            self._reading = Reading(self._shadow)
            opened = asyncio.Event()
            self._operations = self._tree(opened, self._stream, self._reading)
            connection = await Connection.open(self._operations, opened, target, self._project, fuse=READ)
            self._invalidator = Invalidator(READ)
            self._invalidator.send(self._early)
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
        quiet = await self._end_invalidation()
        await connection.close(in_use=not quiet)
        await self._release()
        self._detail = "not mounted"

    async def settle(self) -> None:
        """Return when no reader can see anything older than the shadow's version at the time of the call."""
        if self._invalidator is not None and self.alive:
            await self._invalidator.settle()

    def _tree(self, opened: asyncio.Event, stream: EventStream, reading: Reading) -> TreeOperations:
        top = {b"current": fixed.CURRENT, b"streams": fixed.STREAMS, b"debug": fixed.DEBUG}
        folders = (
            FixedFolder(fixed.ROOT, top),
            FixedFolder(fixed.STREAMS, {b"events": fixed.STREAM_EVENTS}),
            FixedFolder(fixed.DEBUG, {b"health.json": fixed.DEBUG_HEALTH}),
        )
        self._nodes = Nodes(self._shadow.current, top=fixed.CURRENT, outer=fixed.ROOT)
        return TreeOperations(
            self._nodes,
            {folder.inode: folder for folder in folders},
            {fixed.STREAM_EVENTS: StreamFile(stream.lines), fixed.DEBUG_HEALTH: JsonFile(self._health)},
            owner=self._owner,
            read=reading.read,
            totals=self._totals,
            ready=opened.set,
        )

    def _totals(self) -> tuple[int, int]:
        status = self._shadow.status()
        return status["files"], status["bytes"]

    def _follow(self, change: TreeChange) -> None:
        if self._nodes is None:
            return
        notices = self._nodes.update(change.new)
        if self._invalidator is None:
            # A session is being opened: the kernel may already know of what changed, but cannot be told yet.
            self._early += notices
        else:
            self._invalidator.send(notices)

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        self._detail = "the session ended: unmounted or aborted from outside" + (
            f" ({error})" if error else ""
        )
        log.error("%s", self._detail)

    async def _end_invalidation(self) -> bool:
        invalidator, self._invalidator = self._invalidator, None
        return invalidator is None or await invalidator.stop(PATIENCE)

    async def _release(self) -> None:
        await self._end_invalidation()
        if self._stream is not None:
            self._stream.stop()
        if self._reading is not None:
            self._reading.close()
        self._nodes = None
        self._early = []
