"""How pyfuse3 waits for requests on asyncio: the few calls it makes to trio, answered by the running loop.

pyfuse3 brings such a module, but that one keeps every finished worker for the life of the mount, lets a
request that was withdrawn between "readable" and the read block the whole loop, and switches tasks at each
request.
"""

import asyncio
import errno
import logging
import os
import select
from collections import deque
from collections.abc import Callable, Coroutine
from types import ModuleType, SimpleNamespace
from typing import Any

log = logging.getLogger(__name__)

# Requests answered in a row before the other tasks of the loop get their turn.
RUN = 16


class Closing(Exception):
    """The session is being ended; whoever waits for a request shall stop waiting."""


class ReadTurn:
    """The lock around reading a request. Unfair on purpose: a worker that did not have to wait reads on."""

    def __init__(self) -> None:
        self._held = False
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._offered = False

    async def __aenter__(self) -> None:
        while self._held:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn
        self._held = True

    async def __aexit__(self, *_: object) -> None:
        self._held = False
        if self._waiting and not self._offered:
            self._offered = True
            asyncio.get_running_loop().call_soon(self._offer)

    def _offer(self) -> None:
        self._offered = False
        while self._waiting and not self._held:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return


class Workers:
    """The nursery: runs pyfuse3's workers until all of them have ended, and forgets each as it ends."""

    async def __aenter__(self) -> "Workers":
        self._tasks: set[asyncio.Task[None]] = set()
        return self

    def start_soon(self, work: Callable[..., Coroutine[Any, Any, None]], *args: Any, name: str) -> None:
        """Run `work(*args)` as a task."""
        task = asyncio.get_running_loop().create_task(work(*args), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        # The request was withdrawn (its caller was killed) before it could be read; another worker reads on.
        if not (isinstance(error, OSError) and error.errno == errno.EAGAIN):
            log.error("a worker of the mount ended", exc_info=error)

    async def __aexit__(self, *_: object) -> None:
        while self._tasks:
            await asyncio.wait(tuple(self._tasks))


class _Watch:
    """One session's descriptor: whether a request waits there, and who waits for one."""

    def __init__(self, fd: int) -> None:
        self.run = 0
        self._fd = fd
        self._loop = asyncio.get_running_loop()
        self._waiting: asyncio.Future[None] | None = None
        self._registered = False
        self._poll = select.poll()
        self._poll.register(fd, select.POLLIN)
        # A read that finds nothing must fail, not stop the loop.
        os.set_blocking(fd, False)

    def ready(self) -> bool:
        """Whether a read would find something, be it the end."""
        return bool(self._poll.poll(0))

    async def wait(self) -> None:
        """Sleep until the descriptor is readable; raises Closing."""
        self._waiting = self._loop.create_future()
        if not self._registered:
            self._loop.add_reader(self._fd, self._wake)
            self._registered = True
        try:
            await self._waiting
        finally:
            self._waiting = None

    def _wake(self) -> None:
        if self._waiting is None:
            # All workers are busy: do not be called again and again until one comes back.
            self._unregister()
        elif not self._waiting.done() and self.ready():
            self._waiting.set_result(None)

    def _unregister(self) -> None:
        if self._registered:
            self._loop.remove_reader(self._fd)
            self._registered = False

    def close(self) -> None:
        """Let go of whoever waits."""
        self._unregister()
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(Closing())


_TASK = SimpleNamespace(name="mount")


class Requests:
    """How one session waits for its requests; `fuse` is the copy of pyfuse3 that serves it."""

    def __init__(self, fuse: ModuleType) -> None:
        self._watch: _Watch | None = None
        # In place of trio.
        vars(fuse)["trio"] = SimpleNamespace(
            Lock=ReadTurn,
            ClosedResourceError=Closing,
            open_nursery=Workers,
            lowlevel=SimpleNamespace(
                wait_readable=self._wait_readable,
                notify_closing=self._notify_closing,
                current_task=lambda: _TASK,
                current_trio_token=lambda: "asyncio",
            ),
        )

    def end(self) -> None:
        """Wake the one who waits, with Closing, and forget the descriptor before it is closed."""
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    async def _wait_readable(self, fd: int) -> None:
        # Only the holder of the ReadTurn comes here.
        watch = self._watch
        if watch is None:
            watch = self._watch = _Watch(fd)
        if watch.run < RUN and watch.ready():
            watch.run += 1
            return
        watch.run = 0
        while True:
            await watch.wait()
            # Other callbacks ran since the loop saw it readable, and the request's caller may be gone.
            if watch.ready():
                return

    def _notify_closing(self, fd: int) -> None:
        self.end()
