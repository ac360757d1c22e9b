"""What needs the disk, on threads beside the event loop: contents and trees that are not in memory."""

import asyncio
import contextlib
import functools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from lighthouse.errors import LighthouseError
from lighthouse.shadow import Shadow

P = ParamSpec("P")
T = TypeVar("T")

# More would only queue at the store's lock.
THREADS = 2


class Reading:
    """Reads through the shadow."""

    def __init__(self, shadow: Shadow) -> None:
        self._shadow = shadow
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="mount-read")

    async def read(self, content: bytes, offset: int, size: int) -> bytes:
        """Up to `size` bytes of the content with that hash, fewer only at its end. Raises ContentMissing."""
        found = self._shadow.read_cached(content, offset, size)
        if found is not None:
            return found
        return await self.run(self._shadow.read, content, offset, size)

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call on one of the threads."""
        call = functools.partial(function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def fetch(self, contents: Sequence[bytes]) -> asyncio.Future[None]:
        """Bring contents to memory, as far as that is cheap."""
        return asyncio.ensure_future(self.run(self._fetch, contents))

    def _fetch(self, contents: Sequence[bytes]) -> None:
        for content in contents:
            # What is missing is told to who reads it.
            with contextlib.suppress(LighthouseError):
                self._shadow.read(content, 0, 1)

    def close(self) -> None:
        """End the threads; what they are reading is given up."""
        self._threads.shutdown(wait=False, cancel_futures=True)
