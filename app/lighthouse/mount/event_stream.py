"""`streams/events`: each event as one line of JSON, filled from the log as it is written."""

import threading
from collections.abc import Sequence

import msgspec

from lighthouse.events import Event, EventStore, Query
from lighthouse.mount.growing import GrowingLines

BOUND = 16 * 1024 * 1024
HISTORY = 1000

_encoder = msgspec.json.Encoder()


class EventStream:
    """Keeps `lines` in step with the log: the last `HISTORY` events, then each as it is committed."""

    def __init__(self, store: EventStore, bound: int = BOUND) -> None:
        self.lines = GrowingLines(bound)
        self._store = store
        # Committed while the history is still being read; None once that is done.
        self._early: list[Event] | None = []
        self._lock = threading.Lock()
        self._stopped = False

    async def start(self) -> None:
        """Begin; returns when the history is in."""
        self._store.add_listener(self._take)
        last = self._store.head.seq
        query = Query(from_seq=max(1, last - HISTORY + 1), to_seq=last, limit=HISTORY)
        while last:
            page = await self._store.query(query)
            self._append(page.events)
            if page.next_cursor is None:
                break
            query = msgspec.structs.replace(query, cursor=page.next_cursor)
        with self._lock:
            early, self._early = self._early or [], None
            self._append([event for event in early if event.seq > last])

    def stop(self) -> None:
        """Take no more events."""
        self._stopped = True

    def _take(self, events: Sequence[Event]) -> None:
        """On the writer's thread."""
        if self._stopped:
            return
        with self._lock:
            if self._early is not None:
                self._early.extend(events)
            else:
                self._append(events)

    def _append(self, events: Sequence[Event]) -> None:
        if events:
            self.lines.append(_encoder.encode_lines(events))
