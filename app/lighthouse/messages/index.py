"""The index beside the log: kept up with it, checked, begun anew when it is wrong, and asked on threads.

It is never the truth: everything in it was read from the log, and is read again where the two could differ.
"""

import asyncio
import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from lighthouse.casework import Waiters
from lighthouse.errors import LighthouseError
from lighthouse.events import EventStore, Query
from lighthouse.messages import tables
from lighthouse.messages.errors import BadWords, SearchesBusy
from lighthouse.messages.filling import fill
from lighthouse.messages.found import Coverage
from lighthouse.messages.message import STREAM
from lighthouse.turns import Turns

PAGE = 500
RETRY_SECONDS = 5.0
# An answer waits so long for what was stored before it was asked.
CATCH_UP_SECONDS = 1.0
SEARCH_SECONDS = 2.0
# Within FTS5 a search does not look at the clock; its caller is answered all the same.
GRACE_SECONDS = 0.5
SEARCHES, SEARCHES_WAITING = 2, 32

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

log = logging.getLogger("lighthouse.messages")


class Index:
    """On one event loop. `told` says what it has to know; `ask` answers from what it knows."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._path = store.folder / tables.DATABASE
        self._connection: sqlite3.Connection | None = None
        self._writing = ThreadPoolExecutor(1, "messages-index")
        self._searching = ThreadPoolExecutor(SEARCHES, "messages-search")
        self._searches: set[asyncio.Future[Any]] = set()
        self._turns = Turns()
        self._newest = 0
        self._covered = 0
        self._problem: str | None = None
        self._failing = False
        self._damage: str | None = None
        self._stirred = asyncio.Event()
        self._reached = Waiters()
        self._released = False
        self._keeping: asyncio.Task[None] | None = None
        self.rebuilt = 0

    def start(self, newest: int) -> None:
        """Begin to take what the log holds, up to event `newest` and what is told of later."""
        self._newest = newest
        self._keeping = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """Stop; what is missing is taken at the next start."""
        self.release()
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        if self._searches:
            await asyncio.wait(self._searches)
        if self._connection is not None:
            await self._run(self._connection.close)
            self._connection = None
        self._writing.shutdown()
        self._searching.shutdown()

    def release(self) -> None:
        """Nobody waits for it any more."""
        self._released = True
        self._reached.release()

    def told(self, seq: int) -> None:
        """Event `seq` is one of those that belong into it."""
        self._newest = max(self._newest, seq)
        self._stirred.set()

    def status(self) -> dict[str, Any]:
        """Figures for /status."""
        return {
            "covered_to": self._covered,
            "newest": self._newest,
            "complete": self._covered >= self._newest,
            "problem": self._problem,
            "rebuilt": self.rebuilt,
        }

    @property
    def behind(self) -> int:
        """How many events of the log lie between what it knows and what it should."""
        return max(0, self._newest - self._covered)

    async def ask(self, caller: str, work: Work[T]) -> tuple[T | None, Coverage]:
        """What `work` found, on a thread and within its time; None where there is no index to ask now.

        What was stored before this call is taken into account, unless that takes long: the coverage tells.
        One caller's work is done in turn. Raises SearchesBusy, BadWords.
        """
        wanted = self._newest
        await self._catch_up(wanted)
        coverage = self._coverage(wanted)
        unwanted = threading.Event()
        try:
            async with asyncio.timeout(SEARCH_SECONDS + GRACE_SECONDS):
                search = await self._begin(caller, work, unwanted)
                # Now, and not before: it may have been begun anew while this awaited its turn.
                coverage = self._coverage(wanted)
                return None if search is None else await asyncio.shield(search), coverage
        except TimeoutError:
            coverage.timed_out, coverage.complete = True, False
            return None, coverage
        except (tables.Damaged, sqlite3.Error) as error:
            if isinstance(error, tables.Damaged) or tables.is_damage(error, searched=True):
                self._found_damaged(str(error))
                return None, self._nothing(wanted, "the index was damaged and is made anew")
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
                raise BadWords(
                    f"SQLite does not take the search ({error})", "search for other words"
                ) from error
            return None, self._nothing(wanted, f"the index cannot be read ({error})")
        finally:
            # A caller that is gone wants no answer.
            unwanted.set()

    @property
    def _usable(self) -> bool:
        return self._connection is not None and self._damage is None

    async def _begin(
        self, caller: str, work: Work[T], unwanted: threading.Event
    ) -> "asyncio.Future[T] | None":
        """The search, when it is the caller's turn, which lasts to its end, awaited or not.

        None where there is no index then. What has begun is awaited before the index is taken away.
        """
        turn = self._turns.of(caller)
        await turn.acquire()
        if not self._usable:
            turn.release()
            return None
        if len(self._searches) >= SEARCHES + SEARCHES_WAITING:
            turn.release()
            raise SearchesBusy(f"{SEARCHES_WAITING} searches wait already", "try again in a moment")
        loop = asyncio.get_running_loop()
        search = loop.run_in_executor(self._searching, self._search, work, unwanted)
        self._searches.add(search)

        def ended(_: "asyncio.Future[T]") -> None:
            turn.release()
            self._searches.discard(search)
            if not search.cancelled():
                search.exception()  # its caller is told, unless it went away

        search.add_done_callback(ended)
        return search

    def _coverage(self, wanted: int) -> Coverage:
        """What a search that begins now takes into account."""
        if not self._usable:
            return self._nothing(wanted, self._problem or "the index is being made")
        complete = self._covered >= wanted
        return Coverage(
            complete=complete, covered_to=self._covered, problem=None if complete else self._problem
        )

    def _nothing(self, wanted: int, problem: str) -> Coverage:
        return Coverage(complete=wanted <= 0, covered_to=0, problem=problem if wanted > 0 else None)

    async def _catch_up(self, wanted: int) -> None:
        end = time.monotonic() + CATCH_UP_SECONDS
        while self._covered < wanted and (left := end - time.monotonic()) > 0:
            if self._failing or self._released:
                return
            await self._reached.wait(left)

    def _search(self, work: Work[T], unwanted: threading.Event) -> T:
        end = time.monotonic() + SEARCH_SECONDS
        if not self._path.exists():
            raise tables.Damaged("it is gone")
        with tables.reading(self._path) as connection:
            connection.set_progress_handler(lambda: unwanted.is_set() or time.monotonic() > end, tables.STEPS)
            return work(connection)

    def _found_damaged(self, why: str) -> None:
        self._damage = self._damage or why
        self._stirred.set()

    async def _keep(self) -> None:
        """The task: up to what is told, again and again."""
        while True:
            try:
                await self._take_up()
                self._problem, self._failing = None, False
            except (tables.Damaged, sqlite3.Error) as error:
                if isinstance(error, sqlite3.Error) and not tables.is_damage(error):
                    self._fail(error)
                else:
                    self._found_damaged(str(error))
                    self._problem = "the index was damaged and is made anew"
                    continue
            except (LighthouseError, OSError) as error:
                self._fail(error)
            except Exception as error:
                log.exception("keeping the index of the messages failed")
                self._fail(error)
            with suppress(TimeoutError):
                async with asyncio.timeout(RETRY_SECONDS if self._failing else None):
                    await self._stirred.wait()

    def _fail(self, error: Exception) -> None:
        if not self._failing:
            log.error("the index of the messages cannot be kept: %s", error)
        self._problem, self._failing = f"the index cannot be kept ({error})", True
        self._reached.wake()

    async def _take_up(self) -> None:
        if self._damage is not None:
            log.error("the index of the messages is made anew: %s", self._damage)
            await self._remove()
            self.rebuilt += 1
            self._damage = None
        if self._connection is None:
            await self._open()
        while True:
            self._stirred.clear()
            if self._damage is not None:
                raise tables.Damaged(self._damage)
            if self._covered >= self._newest:
                return
            query = Query(stream=STREAM, type="message.*", from_seq=self._covered + 1, limit=PAGE)
            events = (await self._store.query(query)).events
            if not events:
                return
            connection = self._connection
            if connection is None:
                return
            await self._run(fill, connection, events)
            self._covered = events[-1].seq
            self._reached.wake()

    async def _open(self) -> None:
        """Take the files as they are where they are good and of this log; else raises Damaged."""
        connection = await self._run(_opened, self._path)
        try:
            self._covered = await self._checked_head(connection)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        self._reached.wake()

    async def _checked_head(self, connection: sqlite3.Connection) -> int:
        """The last event that is in it, where it is one of this log."""
        covered, mac = tables.head(connection)
        if covered:
            events = (await self._store.query(Query(from_seq=covered, to_seq=covered, limit=1))).events
            if not events or events[0].mac != mac:
                raise tables.Damaged(f"event {covered} of the log is not the one that it ends with")
        return covered

    async def _remove(self) -> None:
        self._covered = 0
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                await self._run(connection.close)
        if self._searches:
            await asyncio.wait(set(self._searches))
        await self._run(tables.remove, self._path)

    async def _run(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._writing, work, *arguments)


def _opened(path: Path) -> sqlite3.Connection:
    """A connection to tables that are whole; they are made where there is nothing at all."""
    connection = tables.connect(path)
    try:
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
            tables.create(connection)
        tables.check(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection
