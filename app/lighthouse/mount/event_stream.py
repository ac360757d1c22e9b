"""`streams/`: events as lines of JSON, one file for each subject, filled from the log as it is written."""

import threading
from collections.abc import Callable, Mapping, Sequence

import msgspec

from lighthouse.events import Event, EventStore, Query
from lighthouse.mount.fixed import Source
from lighthouse.mount.growing import GrowingLines

BOUND = 16 * 1024 * 1024
HISTORY = 1000
# The events of each file, by how their type begins.
SUBJECTS: Mapping[bytes, str] = {b"events": "", b"validation_requests": "validation."}

_encoder = msgspec.json.Encoder()


class EventStreams:
    """Keeps the files in step with the log: what the last `HISTORY` events hold, then each as it comes.

    `grown` is called when there is something to `show`, from any thread.
    """

    def __init__(self, store: EventStore, grown: Callable[[], None], bound: int = BOUND) -> None:
        self._grown = grown
        self._lines = {name: GrowingLines(bound) for name in SUBJECTS}
        self._store = store
        # Committed while the history is still being read; None once that is done.
        self._early: list[Event] | None = []
        # An event that was read with the history may be told of after that.
        self._last = 0
        self._lock = threading.Lock()
        self._stopped = False

    def files(self) -> dict[bytes, Source]:
        """The files by name."""
        return {name: lines.file for name, lines in self._lines.items()}

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
            self._append(early)

    def show(self, forget: Callable[[int], None]) -> None:
        """Tell readers of all there is; see GrowingLines."""
        for lines in self._lines.values():
            lines.show(forget)

    def stop(self) -> None:
        """Take no more events."""
        self._stopped = True

    def _take(self, events: Sequence[Event]) -> None:
        """On the thread that publishes."""
        if self._stopped:
            return
        with self._lock:
            if self._early is not None:
                self._early.extend(events)
            else:
                self._append(events)

    def _append(self, events: Sequence[Event]) -> None:
        fresh = [event for event in events if event.seq > self._last]
        if not fresh:
            return
        self._last = fresh[-1].seq
        for name, subject in SUBJECTS.items():
            wanted = [event for event in fresh if event.type.startswith(subject)]
            if wanted:
                self._lines[name].append(_encoder.encode_lines(wanted))
        self._grown()
