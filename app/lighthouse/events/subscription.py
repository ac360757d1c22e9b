"""Following the log from any sequence number: history, then live, without gap and without double."""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Self

from lighthouse.events.chain import Head
from lighthouse.events.errors import StoreUnavailable
from lighthouse.events.event import Event
from lighthouse.events.query import Query, Readers, find

# What a stream keeps is kept for each of hundreds, who all come at once after a restart.
BUFFER_EVENTS = 256
BUFFER_BYTES = 512 * 1024
PAGE_EVENTS = 128
PAGE_BYTES = 256 * 1024


class Subscription:
    """An asynchronous iterator of events; it ends with `aclose()` or with the store. For one task at a time.

    Live events are kept in a bounded buffer; a reader too slow for it is served from the database again.
    """

    def __init__(self, hub: "Hub", readers: Readers, from_seq: int) -> None:
        self._hub = hub
        self._readers = readers
        self._buffer: deque[Event] = deque()
        self._bytes = 0
        self._last = max(1, from_seq) - 1  # the last event handed out
        self._tail = self._last  # the last event handed out or buffered
        self._head = 0
        self._reading = False
        self._closed = False
        self._wake = asyncio.Event()

    @property
    def lag(self) -> int:
        """How many events are stored that were not yet handed out."""
        return max(0, self._head - self._last)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while not self._buffer:
            if self._closed:
                raise StopAsyncIteration
            if self._head > self._tail:
                await self._read_page()
            else:
                self._wake.clear()
                await self._wake.wait()
        if self._closed:
            raise StopAsyncIteration
        event = self._buffer.popleft()
        self._bytes -= _size(event)
        self._last = event.seq
        return event

    async def aclose(self) -> None:
        """End the iteration, for whoever waits in it too."""
        self._hub.remove(self)
        self.end()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def end(self) -> None:
        """Close without waiting; on the subscription's own loop."""
        self._closed = True
        self._buffer.clear()
        self._wake.set()

    def offer(self, events: Sequence[Event], head: int) -> None:
        """Take events just stored, if they follow what is buffered and there is room; on the own loop."""
        self._head = max(self._head, head)
        if not self._reading:
            for event in events:
                if event.seq <= self._tail:
                    continue
                if event.seq > self._tail + 1 or not self._room():
                    break
                self._buffer.append(event)
                self._bytes += _size(event)
                self._tail = event.seq
        self._wake.set()

    def _room(self) -> bool:
        return len(self._buffer) < BUFFER_EVENTS and self._bytes < BUFFER_BYTES

    async def _read_page(self) -> None:
        query, last = Query(from_seq=self._tail + 1, limit=PAGE_EVENTS), self._head
        self._reading = True
        try:
            page = await self._readers.run(lambda connection: find(connection, query, last, PAGE_BYTES))
        except StoreUnavailable:
            if not self._hub.ended:
                raise
            self.end()
            return
        finally:
            self._reading = False
        if page.events and not self._closed:
            self._buffer.extend(page.events)
            self._bytes += sum(_size(event) for event in page.events)
            self._tail = page.events[-1].seq


def _size(event: Event) -> int:
    return memoryview(event.data).nbytes


class Hub:
    """Knows the subscriptions of each event loop, and hands them what the writer stored."""

    def __init__(self) -> None:
        self.ended = False
        self._by_loop: dict[asyncio.AbstractEventLoop, set[Subscription]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        with self._lock:
            return sum(len(group) for group in self._by_loop.values())

    def add(self, subscription: Subscription) -> None:
        """Serve `subscription` from now on; on its loop."""
        with self._lock:
            if self.ended:
                subscription.end()
                return
            self._by_loop.setdefault(asyncio.get_running_loop(), set()).add(subscription)

    def remove(self, subscription: Subscription) -> None:
        """Serve it no more; twice is fine."""
        with self._lock:
            for loop, group in list(self._by_loop.items()):
                group.discard(subscription)
                if not group:
                    del self._by_loop[loop]

    def publish(self, events: Sequence[Event]) -> None:
        """From the writer's thread: one wake-up per loop."""
        with self._lock:
            loops = list(self._by_loop)
        for loop in loops:
            with contextlib.suppress(RuntimeError):  # a closed loop has nobody who waits
                loop.call_soon_threadsafe(self._deliver, loop, events)

    def end(self) -> None:
        """End all subscriptions."""
        with self._lock:
            self.ended = True
            groups, self._by_loop = self._by_loop, {}
        for loop, group in groups.items():
            for subscription in group:
                with contextlib.suppress(RuntimeError):
                    loop.call_soon_threadsafe(subscription.end)

    def _deliver(self, loop: asyncio.AbstractEventLoop, events: Sequence[Event]) -> None:
        with self._lock:
            group = list(self._by_loop.get(loop, ()))
        for subscription in group:
            subscription.offer(events, events[-1].seq)


def follow(hub: Hub, readers: Readers, from_seq: int, head: Callable[[], Head]) -> Subscription:
    """A new subscription. It is registered before `head` is read, so that no commit falls between the two."""
    subscription = Subscription(hub, readers, from_seq)
    hub.add(subscription)
    subscription.offer((), head().seq)
    return subscription
