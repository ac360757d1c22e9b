"""Searches, each on a thread of the room's own: the event loop and others' threads go on meanwhile."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from lighthouse import paths
from lighthouse.search import cursor
from lighthouse.search.cursor import Place
from lighthouse.search.errors import SearchBusy
from lighthouse.search.found import Found
from lighthouse.search.globs import Globs
from lighthouse.search.pattern import compile_pattern
from lighthouse.search.query import Query
from lighthouse.search.run import Run
from lighthouse.search.walk import leaves
from lighthouse.shadow import FILE, Shadow

THREADS = 2
MAX_WAITING = 16
# Python's own steps hold the interpreter for up to 5 ms against the event loop; so often they let go of it.
TURN_SECONDS, PAUSE_SECONDS = 0.002, 0.0001


class Clock:
    """Whether a search has to end: its time is over, or nobody wants it any more. Asking also gives way."""

    def __init__(self, seconds: float, unwanted: threading.Event) -> None:
        self._unwanted = unwanted
        self._turn = time.monotonic()
        self._end = self._turn + seconds

    def over(self) -> bool:
        """Ask often: between two questions the search runs on."""
        now = time.monotonic()
        if now - self._turn > TURN_SECONDS:
            time.sleep(PAUSE_SECONDS)
            self._turn = time.monotonic()
        return now >= self._end or self._unwanted.is_set()


class Search:
    """Searches the versions of `shadow`. Close it before the shadow."""

    def __init__(self, shadow: Shadow) -> None:
        self._shadow = shadow
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="search")
        self._running: set[threading.Event] = set()

    async def find(self, query: Query) -> Found:
        """What `query` asks for, or the part of it that its limits allow.

        Raises BadPattern, BadGlob, BadCursor, BadPath, BadMoment, NotCaptured, NoSuchVersion, ContentMissing,
        SearchBusy.
        """
        if len(self._running) >= THREADS + MAX_WAITING:
            raise SearchBusy(f"{MAX_WAITING} searches wait already", "try again in a moment")
        unwanted = threading.Event()
        self._running.add(unwanted)
        try:
            return await asyncio.wrap_future(self._threads.submit(self._find, query, unwanted))
        finally:
            # A caller that is gone wants no answer.
            unwanted.set()
            self._running.discard(unwanted)

    async def close(self) -> None:
        """End what runs, with what it found so far."""
        for unwanted in self._running:
            unwanted.set()
        await asyncio.to_thread(self._threads.shutdown)

    def _find(self, query: Query, unwanted: threading.Event) -> Found:
        clock = Clock(query.timeout_seconds, unwanted)
        pattern = compile_pattern(
            query.pattern,
            fixed=query.fixed,
            ignore_case=query.ignore_case,
            smart_case=query.smart_case,
            word=query.word,
        )
        globs, start = Globs(query.globs, query.types), paths.parse(query.path)
        if query.cursor is None:
            tree = self._shadow.moment(query.at)
            place = Place(tree.seq, ())
        else:
            place = cursor.decode(query.cursor, query)
            tree = self._shadow.open_version(place.seq)
        run = Run(query, pattern, self._shadow.read, clock.over)
        for path, entry in leaves(tree, start, globs, place.path):
            if entry.kind == FILE and not run.file(
                path, entry, place if path == place.path else Place(tree.seq, path)
            ):
                break
        return run.found(tree.seq)
