"""Tells of stored events in their order, keeping back those whose effect has to be seen first."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from lighthouse.events.chain import Head
from lighthouse.events.event import Event

log = logging.getLogger("lighthouse.events")


class Hold:
    """Events whose type begins with `prefix` are told of once `release` says so, or after `patience` seconds.

    Whoever did not release in time is late, and nothing waits for it until it has caught up.
    """

    def __init__(self, publisher: "Publisher", prefix: str, patience: float) -> None:
        self.prefix = prefix
        self.patience = patience
        self.late = False
        self.passed = 0
        self._let_go = 0
        self._publisher = publisher

    def release(self, seq: int) -> None:
        """Everything up to event `seq` may be told; from any thread."""
        with self._publisher.changed:
            self.passed = max(self.passed, seq)
            if self.passed >= self._let_go:
                self.late = False
            self._publisher.deliver()

    def end(self) -> None:
        """Hold nothing any more; twice is fine."""
        self._publisher.drop(self)

    def holds(self, event: Event) -> bool:
        """Whether `event` has to wait."""
        if not event.type.startswith(self.prefix) or event.seq <= self.passed:
            return False
        if self.late:
            self._let_go = event.seq
        return not self.late


class Publisher:
    """Stands between the writer and those who follow. `head` is the last event that anybody may know of."""

    def __init__(self, tell: Callable[[Sequence[Event]], None], head: Head) -> None:
        self.head = head
        self.changed = threading.Condition()
        self._tell = tell
        self._holds: list[Hold] = []
        self._waiting: list[Event] = []
        self._ready = 0
        self._front: tuple[Hold, float] | None = None
        self._callers: list[tuple[int, Future[None]]] = []
        self._watch: threading.Thread | None = None
        self._closed = False

    def add(self, events: Sequence[Event]) -> None:
        """Take events that have just been stored. `deliver` tells of them."""
        with self.changed:
            self._waiting += events
            self._advance()

    def deliver(self) -> None:
        """Tell of everything that is not held back."""
        with self.changed:
            self._advance()
            ready, self._waiting = self._waiting[: self._ready], self._waiting[self._ready :]
            self._ready = 0
            if ready:
                self._tell(ready)

    def hold(self, prefix: str, patience: float) -> Hold:
        """Hold back events of such types from now on."""
        hold = Hold(self, prefix, patience)
        with self.changed:
            self._holds.append(hold)
            if self._watch is None:
                self._watch = threading.Thread(target=self._run, name="lighthouse-publish", daemon=True)
                self._watch.start()
        return hold

    def drop(self, hold: Hold) -> None:
        """Forget a hold, and tell of what waited for it."""
        with self.changed:
            if hold in self._holds:
                self._holds.remove(hold)
                self.deliver()

    async def reached(self, seq: int) -> None:
        """Return when nobody has to wait for event `seq` any more."""
        with self.changed:
            if self.head.seq >= seq or self._closed:
                return
            future: Future[None] = Future()
            self._callers.append((seq, future))
        await asyncio.wrap_future(future)

    def wait(self, seq: int) -> None:
        """`reached` for callers without an event loop."""
        with self.changed:
            self.changed.wait_for(lambda: self.head.seq >= seq or self._closed)

    def close(self) -> None:
        """Tell of all that waits, and let go of whoever waits for it."""
        with self.changed:
            self._closed = True
            self._holds.clear()
            self.deliver()
            self._answer()

    def _advance(self) -> None:
        front = None
        while self._ready < len(self._waiting):
            event = self._waiting[self._ready]
            front = next((hold for hold in self._holds if hold.holds(event)), None)
            if front is not None:
                break
            self.head = Head(event.seq, event.mac)
            self._ready += 1
            self._front = None
        if front is None:
            self._front = None
        elif self._front is None:
            self._front = front, time.monotonic() + front.patience
            self.changed.notify_all()
        self._answer()

    def _answer(self) -> None:
        reached = [each for each in self._callers if self._closed or each[0] <= self.head.seq]
        if reached:
            self._callers = [each for each in self._callers if each not in reached]
            for _, future in reached:
                if future.set_running_or_notify_cancel():
                    future.set_result(None)
        self.changed.notify_all()

    def _run(self) -> None:
        with self.changed:
            while not self._closed:
                if self._front is None:
                    self.changed.wait()
                elif (left := self._front[1] - time.monotonic()) > 0:
                    self.changed.wait(left)
                else:
                    hold = self._front[0]
                    hold.late = True
                    event = self._waiting[self._ready]
                    log.error(
                        "event %d was told of after %g s, though what it says is not seen everywhere yet",
                        event.seq,
                        hold.patience,
                    )
                    self.deliver()
