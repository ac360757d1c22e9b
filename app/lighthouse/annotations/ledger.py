"""All notes there are, as the events of the stream `annotations` made and ended them."""

from collections.abc import Iterable, Iterator

import msgspec

from lighthouse.annotations.note import ADDED, RESOLVED, STREAM, WITHDRAWN, Closed, Ending, Note, from_event
from lighthouse.events import Event, EventStore, Query
from lighthouse.paths import ProjectPath

_ENDINGS: dict[str, Ending] = {WITHDRAWN: "withdrawn", RESOLVED: "resolved"}


class Ledger:
    """The notes by id, in the order in which they were made. Written on one thread, read from any."""

    def __init__(self) -> None:
        self._notes: dict[str, Note] = {}
        self.open_count = 0
        self._open_by_path: dict[ProjectPath, int] = {}

    async def load(self, events: EventStore) -> None:
        """Take up what the log holds; once, before anything else."""
        cursor: str | None = None
        while True:
            page = await events.query(Query(stream=STREAM, limit=1000, cursor=cursor))
            self.apply(page.events)
            cursor = page.next_cursor
            if cursor is None:
                return

    def apply(self, events: Iterable[Event]) -> None:
        """Take up events of the stream."""
        for event in events:
            if event.type == ADDED:
                note = from_event(event)
                self._notes[note.id] = note
                self._count(note, 1)
            elif (ending := _ENDINGS.get(event.type)) is not None:
                data = event.value
                note = self._notes[data["id"]]
                closed = Closed(ending, data["reason"], event.agent_id, event.ts, event.seq)
                self._notes[note.id] = msgspec.structs.replace(note, closed=closed)
                self._count(note, -1)

    def get(self, note_id: str) -> Note | None:
        """The note of that id."""
        return self._notes.get(note_id)

    def all(self) -> list[Note]:
        """Every note, closed ones too."""
        return list(self._notes.values())

    def open(self) -> Iterator[Note]:
        """The notes that are neither withdrawn nor resolved."""
        return (note for note in self.all() if note.closed is None)

    def open_at(self, path: ProjectPath) -> int:
        """How many open notes were made on this path."""
        return self._open_by_path.get(path, 0)

    def _count(self, note: Note, by: int) -> None:
        self.open_count += by
        self._open_by_path[note.path] = self._open_by_path.get(note.path, 0) + by
