"""The proposals as a file system of their own, beside the project's: a second connection with the kernel."""

import asyncio
import logging
import os

from lighthouse.config import Settings
from lighthouse.mount import mountpoint
from lighthouse.mount.connection import PATIENCE, Connection
from lighthouse.mount.fuse import WRITE
from lighthouse.mount.invalidation import Invalidator
from lighthouse.mount.mountpoint import MountRefused
from lighthouse.mount.proposal_inodes import Inodes
from lighthouse.mount.proposal_operations import ProposalOperations
from lighthouse.mount.reading import Reading
from lighthouse.proposals import Proposal, Proposals
from lighthouse.proposals.overlay import Overlay
from lighthouse.shadow import Shadow

log = logging.getLogger(__name__)


class ProposalMount:
    """Serves the proposals where they are written. It may be started again after a stop.

    A mount of its own answers opens, unlike the project's, for files are written here.
    """

    def __init__(self, proposals: Proposals, shadow: Shadow, settings: Settings) -> None:
        self._proposals = proposals
        self._shadow = shadow
        self._project = settings.project_path
        uid, gid = settings.mount_uid, settings.mount_gid
        self._owner = os.getuid() if uid is None else uid, os.getgid() if gid is None else gid
        self._detail = "not mounted"
        self._connection: Connection | None = None
        self._invalidator: Invalidator | None = None
        self._operations: ProposalOperations | None = None
        self._inodes = Inodes()
        self._reading: Reading | None = None
        proposals.add_listener(self._follow)

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
            raise MountRefused("the proposals are served already", "stop it first")
        opened = asyncio.Event()
        self._reading = Reading(self._shadow)
        self._operations = ProposalOperations(
            self._proposals, self._inodes, self._reading, self._owner, ready=opened.set, stale=self._stale
        )
        try:
            connection = await Connection.open(
                self._operations, opened, target, self._project, fuse=WRITE, options=mountpoint.WRITING
            )
        except BaseException as error:
            self._reading.close()
            self._detail = str(error) or "the start was broken off"
            raise
        self._invalidator = Invalidator(WRITE)
        self._connection = connection
        self._detail = f"serving {connection.place or 'the connection handed over as ' + target}"
        connection.task.add_done_callback(self._ended)

    async def stop(self) -> None:
        """End the session; what the kernel has handed over by then is saved. Twice is fine."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        connection.task.remove_done_callback(self._ended)
        invalidator, self._invalidator = self._invalidator, None
        quiet = invalidator is None or await invalidator.stop(PATIENCE)
        await connection.close(in_use=not quiet)
        if self._operations is not None:
            await self._operations.end()
        self._inodes.forget_all()
        if self._reading is not None:
            self._reading.close()
        self._detail = "not mounted"

    async def settle(self) -> None:
        """Return when the kernel knows of every proposal that was rebased or ended so far."""
        if self._invalidator is not None and self.alive:
            await self._invalidator.settle()

    def _follow(self, proposal: Proposal, before: Overlay | None) -> None:
        if self._operations is not None:
            self._operations.came_or_went()
        notices = self._inodes.changed(proposal, before)
        if self._invalidator is not None:
            self._invalidator.send(notices)

    def _stale(self, inode: int) -> None:
        """What was written to a file is lost, and the kernel must not show it any longer."""
        if self.alive:
            loop = asyncio.get_running_loop()
            loop.run_in_executor(None, WRITE.invalidate_inode, inode).add_done_callback(_tell)

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        self._detail = "the session of the proposals ended: unmounted or aborted from outside" + (
            f" ({error})" if error else ""
        )
        log.error("%s", self._detail)


def _tell(done: "asyncio.Future[None]") -> None:
    if not done.cancelled() and done.exception() is not None:
        log.debug("the kernel keeps an inode: %s", done.exception())
