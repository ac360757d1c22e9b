"""Threads for one kind of request that takes long: others go on meanwhile, and few of these wait."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from lighthouse.bridge.problems import Rejected

T = TypeVar("T")


class Threads:
    """`threads` of them, and at most `waiting` calls that wait for one."""

    def __init__(self, name: str, threads: int, waiting: int) -> None:
        self._name = name
        self._most = threads + waiting
        self._under_way = 0
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)

    async def run(self, call: Callable[[], T], *, begun: bool = False) -> T:
        """What `call` returns. Raises Rejected (503) where too many wait, unless its answer has `begun`."""
        if self._under_way >= self._most and not begun:
            raise Rejected(503, f"too many requests for a {self._name} wait already", "try again in a moment")
        self._under_way += 1
        try:
            return await asyncio.wrap_future(self._pool.submit(call))
        finally:
            self._under_way -= 1

    async def close(self) -> None:
        """Wait for what runs; what waits is not begun."""
        await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)
