"""The connection with the kernel: makes the mount or takes over one that is made, serves it, ends it."""

import asyncio
import logging
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

from lighthouse.mount import mountpoint
from lighthouse.mount.mountpoint import MountRefused
from lighthouse.mount.requests import Requests

log = logging.getLogger(__name__)

# Workers come and go with the requests that wait for the content store at one time.
SPARE_WORKERS = 2
MAX_WORKERS = 1000
# Seconds until a kernel, a folder or a server that does not answer is given up.
PATIENCE = 10.0


class Connection:
    """One FUSE session. pyfuse3 keeps it in a global, so each of its copies has one at a time."""

    _taken: ClassVar[set[ModuleType]] = set()

    def __init__(self, fuse: ModuleType, place: str | None, requests: Requests) -> None:
        # The mount point if the mount is ours; None if it is its maker's, who also unmounts.
        self.place = place
        self._fuse = fuse
        self._requests = requests
        # Done when requests are no longer answered.
        self.task = asyncio.get_running_loop().create_task(_serve(fuse), name="mount")

    @classmethod
    async def open(
        cls,
        operations: Any,
        opened: asyncio.Event,
        target: str,
        project: Path,
        *,
        fuse: ModuleType,
        options: frozenset[str] = mountpoint.READING,
    ) -> "Connection":
        """Serve `operations` on the folder or `/dev/fd/N` that `target` names; a folder outside `project`.

        `fuse` is the copy of pyfuse3 (lighthouse.mount.fuse) whose Operations they are. `options` are those
        of a mount on a folder, besides the usual ones. `opened` is to be set by `operations.init`; returns
        after that. Raises MountRefused; nothing is left then.
        """
        if fuse in cls._taken:
            raise MountRefused("this process serves such a mount already", "stop it first")
        cls._taken.add(fuse)
        try:
            fd = mountpoint.inherited_descriptor(target)
            place = None if fd is not None else await _prepare(target, project)
            requests = Requests(fuse)
            _init(fuse, operations, place or target, set() if place is None else mountpoint.options(options))
        except BaseException:
            cls._taken.discard(fuse)
            raise
        connection = cls(fuse, place, requests)
        waiting = asyncio.ensure_future(opened.wait())
        try:
            await asyncio.wait(
                {waiting, connection.task}, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED
            )
        except asyncio.CancelledError:
            await connection.close()
            raise
        finally:
            waiting.cancel()
        if not opened.is_set():
            await connection.close()
            raise MountRefused(
                f"the kernel opens no session on {target}", "a descriptor serves one start: mount anew"
            )
        return connection

    async def close(self, *, in_use: bool = False) -> None:
        """Stop serving; unmount if the mount is ours. Handles that readers still hold give errors then.

        `in_use`: a thread is still calling the kernel through the session.
        """
        if self.place is not None and mountpoint.is_mounted(self.place):
            try:
                await asyncio.to_thread(mountpoint.detach, self.place)
            except MountRefused as error:
                log.error("%s", error)  # noqa: TRY400  (one line says it)
        if not self.task.done():
            self._fuse.terminate()
            await asyncio.wait({self.task}, timeout=PATIENCE)
        if in_use or not self.task.done():
            # Freeing what is still used would end the process.
            log.error("the kernel holds a call of the mount up; its session is left as it is")
            return
        self._requests.end()
        self._fuse.close(unmount=False)
        Connection._taken.discard(self._fuse)


async def _prepare(target: str, project: Path) -> str:
    try:
        return await asyncio.wait_for(asyncio.to_thread(mountpoint.prepare, target, project), PATIENCE)
    except TimeoutError:
        raise MountRefused(
            f"{target} does not answer", f"its server hangs: end it, then run: umount -l {target}"
        ) from None


def _init(fuse: ModuleType, operations: Any, target: str, options: set[str]) -> None:
    try:
        fuse.init(operations, target, options)
    except RuntimeError as error:
        # After a failed mount there is a session to be freed; after fuse_session_new() failed there is none.
        if "mount" in str(error):
            fuse.close(unmount=False)
        raise MountRefused(
            f"{target} cannot be mounted ({error})",
            "the reason is on stderr; see lighthouse doctor",
        ) from error


async def _serve(fuse: ModuleType) -> None:
    await fuse.main(min_tasks=SPARE_WORKERS, max_tasks=MAX_WORKERS)
