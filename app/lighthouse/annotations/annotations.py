"""The notes of a project: made, listed for any version, closed; and their view, kept up with the changes."""

import asyncio
import logging
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import msgspec

from lighthouse.annotations.anchor import Anchor, anchor_to_file, anchor_to_lines, anchor_to_symbol
from lighthouse.annotations.document import Document
from lighthouse.annotations.errors import (
    AnnotationClosed,
    BadAnnotation,
    NoSuchAnnotation,
    TooManyAnnotations,
)
from lighthouse.annotations.ledger import Ledger
from lighthouse.annotations.note import (
    ADDED,
    RESOLVED,
    STREAM,
    WITHDRAWN,
    Closed,
    Ending,
    Note,
    Severity,
    check,
    check_reason,
    to_data,
)
from lighthouse.annotations.standings import Placed, Standings
from lighthouse.annotations.text import MAX_BYTES
from lighthouse.annotations.view import Notes, NotesView
from lighthouse.events import Draft, EventStore
from lighthouse.paths import ProjectPath, parse
from lighthouse.shadow import FILE, Entry, NotCaptured, Shadow, Snapshot, TreeChange, moment

MAX_OPEN = 5000
MAX_OPEN_OF_FILE = 200
GATHER_SECONDS = 0.1

P = ParamSpec("P")
T = TypeVar("T")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Target:
    """What a note shall be on: a file, lines of it (from 1), or a declaration by its name."""

    path: str | bytes
    line: int | None = None
    end_line: int | None = None
    symbol: str | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """Notes as they stand in version `seq`; `total` is how many there are before `offset` and `limit`."""

    seq: int
    total: int
    placed: list[Placed]


class Annotations:
    """Notes on the project of `shadow`, kept as events of `store`. `start` and `close` once each."""

    def __init__(self, shadow: Shadow, store: EventStore) -> None:
        self._shadow = shadow
        self._store = store
        self._ledger = Ledger()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="annotations")
        self._standings = Standings(shadow)
        self._turn = asyncio.Lock()
        self._stale = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None
        self.view = NotesView()

    async def start(self) -> None:
        """Take up the notes of the log and find them in the present version. Raises what the store raises."""
        await self._ledger.load(self._store)
        await self._refresh()
        self._shadow.add_listener(self._changed)
        self._keeping = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """Stop following. Shadow and store stay open."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        await asyncio.to_thread(self._thread.shutdown)

    async def annotate(
        self,
        target: Target,
        text: str,
        *,
        severity: Severity = "info",
        category: str = "note",
        at: str | None = None,
        agent_id: str,
    ) -> tuple[int, Placed]:
        """Note `text` on `target` as it is at `at` (None: now); on return the note is on disk.

        Answers the present version and where the note stands in it.

        The same open note of the same agent on the same version again answers the first one. Raises BadPath,
        BadMoment, NoSuchVersion, ContentMissing, NotCaptured, BadAnnotation, TooManyAnnotations, or what the
        event store raises.
        """
        check(text, category)
        path = parse(target.path)
        snapshot = await asyncio.to_thread(self._shadow.moment, at)
        anchor = await self._run(self._anchor, path, target, snapshot)
        note = Note(
            id=secrets.token_hex(6),
            path=path,
            anchor=anchor,
            severity=severity,
            category=category,
            text=text,
            agent_id=agent_id,
            version=snapshot.seq,
            root=snapshot.root,
            seq=0,
            at="",
        )
        async with self._turn:
            known = self._same(note)
            if known is None:
                self._check_room(path)
                draft = Draft(ADDED, to_data(note), STREAM)
                self._ledger.apply(await self._store.append([draft], agent_id=agent_id))
                self._stale.set()
                known = self.get(note.id)
        current = self._shadow.current
        [placed] = await self._run(self._standings.now, [known], current)
        return current.seq, placed

    async def listed(
        self,
        path: str | bytes = "",
        *,
        at: str | None = None,
        offset: int = 0,
        limit: int = 1000,
    ) -> Listing:
        """The notes open at the moment `at`, as far as they stand at or beneath `path` in its version.

        Raises BadPath, BadMoment, NoSuchVersion, ContentMissing.
        """
        under = parse(path)
        seq, ts = self._moment(at)
        snapshot = await asyncio.to_thread(self._shadow.moment, at)
        known = (note.as_of(seq, ts) for note in self._ledger.all())
        notes = [note for note in known if note is not None and note.closed is None]
        find = self._standings.now if snapshot is self._shadow.current else self._standings.then
        placed = await self._run(find, notes, snapshot)
        found = [one for one in placed if one.standing.path[: len(under)] == under]
        found.sort(key=lambda one: (one.standing.path, one.standing.lines or (0, 0), one.note.seq))
        return Listing(snapshot.seq, len(found), found[offset : offset + limit])

    async def stood(self, note_id: str, seq: int) -> Placed | None:
        """Where a note stood when event `seq` was the last one; None before it was made.

        Raises NoSuchAnnotation, NoSuchVersion, ContentMissing.
        """
        note = self.get(note_id).as_of(seq, None)
        if note is None:
            return None
        snapshot = await asyncio.to_thread(self._shadow.moment, str(seq))
        [placed] = await self._run(self._standings.then, [note], snapshot)
        return placed

    def get(self, note_id: str) -> Note:
        """The note of that id. Raises NoSuchAnnotation."""
        note = self._ledger.get(note_id)
        if note is None:
            raise NoSuchAnnotation(f"no note has the id {note_id[:40]!r}", "list them to see their ids")
        return note

    async def end(self, note_id: str, ending: Ending, reason: str = "", *, agent_id: str) -> Closed:
        """Withdraw or resolve a note; on return that is on disk. The same ending again answers the first.

        Raises NoSuchAnnotation, BadAnnotation, AnnotationClosed, or what the event store raises.
        """
        check_reason(reason)
        async with self._turn:
            note = self.get(note_id)
            if note.closed is not None:
                if note.closed.ending == ending:
                    return note.closed
                raise AnnotationClosed(
                    f"the note was {note.closed.ending} by event {note.closed.seq}", "make a new one"
                )
            kind = WITHDRAWN if ending == "withdrawn" else RESOLVED
            draft = Draft(kind, {"id": note_id, "reason": reason}, STREAM)
            [event] = await self._store.append([draft], agent_id=agent_id)
            self._ledger.apply([event])
            self._stale.set()
        return Closed(ending, reason, agent_id, event.ts, event.seq)

    @property
    def open_count(self) -> int:
        """How many notes are open."""
        return self._ledger.open_count

    def _anchor(self, path: ProjectPath, target: Target, snapshot: Snapshot) -> Anchor:
        entry = snapshot.lookup(path)
        if entry is None:
            raise NotCaptured("nothing is captured under that path", "list its folder to see what is there")
        if entry.kind != FILE:
            raise BadAnnotation("that is a folder or a symbolic link", "notes are on files")
        document = self._standings.resolver.document(path[-1], entry)
        if target.symbol is not None:
            if target.line is not None:
                raise BadAnnotation("a line and a symbol are given", "give one of them")
            return anchor_to_symbol(_readable(document, entry), entry.hash, target.symbol)
        if target.line is not None:
            last = target.line if target.end_line is None else target.end_line
            return anchor_to_lines(_readable(document, entry), entry.hash, target.line, last)
        if target.end_line is not None:
            raise BadAnnotation("an end line is given and no line", "give the first line too")
        return anchor_to_file(path[-1], entry.hash)

    def _same(self, note: Note) -> Note | None:
        for other in self._ledger.open():
            if (other.path, other.agent_id, other.text) != (note.path, note.agent_id, note.text):
                continue
            if other == msgspec.structs.replace(note, id=other.id, seq=other.seq, at=other.at):
                return other
        return None

    def _check_room(self, path: ProjectPath) -> None:
        if self._ledger.open_count >= MAX_OPEN:
            raise TooManyAnnotations(f"{MAX_OPEN} notes are open", "resolve or withdraw some")
        if self._ledger.open_at(path) >= MAX_OPEN_OF_FILE:
            raise TooManyAnnotations(
                f"{MAX_OPEN_OF_FILE} notes on this file are open", "resolve or withdraw some"
            )

    def _moment(self, at: str | None) -> tuple[int | None, str | None]:
        """How far into the log `at` sees, as a number or a time."""
        match moment.parse(at):
            case moment.Number(seq):
                return seq, None
            case moment.Time(ts):
                return None, ts
            case moment.Name(name):
                named = self._shadow.snapshots.get(name)
                return (named.seq if named is not None else 0), None
        return None, None

    def _changed(self, change: TreeChange) -> None:
        self._stale.set()

    async def _keep(self) -> None:
        """Bring the view up to the present, gathering what happens within a moment."""
        while True:
            await self._stale.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._stale.clear()
            try:
                await self._refresh()
            except Exception:
                logger.exception("the notes could not be found again; the next change tries anew")

    async def _refresh(self) -> None:
        self.view.show(await self._run(self._build))

    def _build(self) -> tuple[Notes, dict[bytes, bytes]]:
        snapshot = self._shadow.current
        placed = self._standings.now(self._ledger.open(), snapshot)
        self._standings.forget_all_but(placed)
        return self.view.build(placed, snapshot.mtime_ns)

    async def _run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call on the notes' own thread."""
        return await asyncio.wrap_future(self._thread.submit(function, *args, **kwargs))


def _readable(document: Document | None, entry: Entry) -> Document:
    if document is None:
        why = f"{entry.size} bytes, at most {MAX_BYTES} are followed" if entry.size > MAX_BYTES else "no text"
        raise BadAnnotation(f"lines of this file cannot be followed ({why})", "note the file as a whole")
    return document
