"""Versions of the project that were given a name; made by events, found again from them at start."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from lighthouse.events import Draft, Event, EventStore, Query
from lighthouse.shadow.errors import BadNote, NameTaken
from lighthouse.shadow.moment import check_name
from lighthouse.shadow.snapshot import Snapshot

STREAM = "snapshots"
CREATED = "snapshot.created"
MAX_NOTE = 2000

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Named:
    """A named version: `seq` is the version's own number, `root` its tree; who named it, when, and why."""

    name: str
    seq: int
    root: bytes
    created_at: str
    agent_id: str
    note: str


class Snapshots:
    """The names of an installation. `find` gives the version that a moment means, on any thread."""

    def __init__(self, events: EventStore, find: Callable[[str | None], Snapshot]) -> None:
        self._events = events
        self._find = find
        self._named: dict[str, Named] = {}
        self._turn = asyncio.Lock()
        self._listeners: list[Callable[[str], None]] = []

    async def load(self) -> None:
        """Take up what the log holds; to be called once, before anything else."""
        cursor: str | None = None
        while True:
            page = await self._events.query(Query(stream=STREAM, type=CREATED, limit=1000, cursor=cursor))
            for event in page.events:
                self._apply(event)
            cursor = page.next_cursor
            if cursor is None:
                return

    async def create(self, name: str, at: str | None = None, note: str = "", *, agent_id: str) -> Named:
        """Give the version at `at` (None: the current one) a name; on return that is on disk.

        The same name for the same version again answers the first one, whatever its note.
        Raises BadMoment, BadNote, NoSuchVersion, ContentMissing, NameTaken, or what the event store raises.
        """
        check_name(name)
        if len(note) > MAX_NOTE:
            raise BadNote(f"the note has {len(note)} characters", f"at most {MAX_NOTE} are kept")
        async with self._turn:
            version = await asyncio.to_thread(self._find, at)
            known = self._named.get(name)
            if known is not None:
                if known.seq == version.seq:
                    return known
                raise NameTaken(f"{name} is the name of version {known.seq}", "choose another name")
            data = {"name": name, "seq": version.seq, "root": version.root.hex(), "note": note}
            (event,) = await self._events.append([Draft(CREATED, data, STREAM)], agent_id=agent_id)
            self._apply(event)
        self._tell(name)
        return self._named[name]

    def get(self, name: str) -> Named | None:
        """The snapshot of that name; from any thread."""
        return self._named.get(name)

    def all(self) -> list[Named]:
        """Every snapshot in the order in which they were made; from any thread."""
        return list(self._named.values())

    def add_listener(self, callback: Callable[[str], None]) -> None:
        """Call `callback` on the event loop with each new name, once it can be found."""
        self._listeners.append(callback)

    def _apply(self, event: Event) -> None:
        told = event.value
        named = Named(
            name=told["name"],
            seq=told["seq"],
            root=bytes.fromhex(told["root"]),
            created_at=event.ts,
            agent_id=event.agent_id,
            note=told["note"],
        )
        self._named.setdefault(named.name, named)

    def _tell(self, name: str) -> None:
        for listener in self._listeners:
            try:
                listener(name)
            except Exception:
                logger.exception("a listener failed at the snapshot %s", name)
