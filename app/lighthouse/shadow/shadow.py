"""The shadow of a project: its present tree in memory, past trees by sequence number, contents by hash."""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from lighthouse.config import Settings
from lighthouse.events import BRIDGE, Draft, EventStore, NoRoom, StoreUnavailable
from lighthouse.events.event import timestamp
from lighthouse.paths import ProjectPath, parse
from lighthouse.shadow import moment, projection, status
from lighthouse.shadow.capture import Capture, Passed
from lighthouse.shadow.change import TreeChange
from lighthouse.shadow.contents import Version
from lighthouse.shadow.entry import FOLDER, LINK, Entry
from lighthouse.shadow.errors import NoSuchVersion, NotCaptured
from lighthouse.shadow.folder import NOTHING, Folder
from lighthouse.shadow.follow import Follower
from lighthouse.shadow.keeping import Leaf
from lighthouse.shadow.reader import ContentReader
from lighthouse.shadow.scan import Stopped
from lighthouse.shadow.snapshot import Snapshot
from lighthouse.shadow.snapshots import Snapshots

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ReadResult:
    """What stands at a path at version `seq`.

    `data`: of a file the bytes asked for, of a link its target. `children`: of a folder its entries by name.
    """

    seq: int
    path: ProjectPath
    entry: Entry
    data: bytes
    children: Mapping[bytes, Entry]


class Shadow:
    """Captures `project` and follows it; contents and trees lie in `folder`, versions are events of `events`.

    `start` and `close` once each, on one event loop. Reading works in between, from any thread.
    `snapshots`: the versions that have names.
    """

    def __init__(self, project: Path, folder: Path, events: EventStore, settings: Settings) -> None:
        self.project = project
        self._folder = folder
        self._events = events
        self._settings = settings
        self.snapshots = Snapshots(events, self.moment)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="shadow")
        self._turn = asyncio.Lock()
        self._coming: asyncio.Future[Snapshot] | None = None
        self._listeners: list[Callable[[TreeChange], None]] = []
        self._tree: Folder | None = None
        self._unrecorded: list[Version] = []
        self._following = False
        # Status is asked for often; the reasons it tells lie in the content store.
        self._described: tuple[Folder, dict[str, Any]] | None = None
        self._reader: ContentReader
        self._capture: Capture
        self._follower: Follower
        self._current: Snapshot

    async def start(self) -> None:
        """Capture the project, then follow its changes.

        Raises ContentsRefused, ProjectAway, or what the event store raises; nothing is left running then.
        """
        try:
            self._capture = await self._run(Capture, self.project, self._folder, self._settings)
            try:
                self._reader = ContentReader(self._folder)
                try:
                    await self._restore()
                    await self.snapshots.load()
                    await self.scan()
                except BaseException:
                    self._reader.close()
                    raise
            except BaseException:
                self._capture.stop()
                await self._run(self._capture.close)
                raise
        except BaseException:
            self._thread.shutdown()
            raise
        self._follower = Follower(self.scan, self._capture, self._settings.reconcile_seconds)
        self._follower.start()
        self._following = True

    async def close(self) -> None:
        """Stop following, end a running scan, close the content store. The event store stays open."""
        self._capture.stop()
        await self._follower.close()
        async with self._turn:
            await self._run(self._capture.close)
        self._reader.close()
        self._thread.shutdown()

    @property
    def current(self) -> Snapshot:
        """The project as last captured."""
        return self._current

    def add_listener(self, callback: Callable[[TreeChange], None]) -> None:
        """Call `callback` on the event loop with each new version, once it is the current one."""
        self._listeners.append(callback)

    def open_tree(self, root: str | bytes, mtime_ns: int = 0) -> Snapshot:
        """The tree with this root hash (bytes or hex) from the content store; its `seq` is 0.

        Raises ContentMissing.
        """
        digest = bytes.fromhex(root) if isinstance(root, str) else root
        self._reader.tree(digest)
        return self._snapshot(0, digest, mtime_ns)

    def moment(self, text: str | None) -> Snapshot:
        """The version that a sequence number, an RFC 3339 time, a snapshot's name or `current` means.

        None is the present too. May wait for a moment: not on the event loop.
        Raises BadMoment, NoSuchVersion, ContentMissing.
        """
        match moment.parse(text):
            case moment.Number(seq):
                return self.open_version(seq)
            case moment.Time(ts):
                return self._open_time(ts)
            case moment.Name(name):
                named = self.snapshots.get(name)
                if named is None:
                    raise NoSuchVersion(f"there is no snapshot {name}", "see lighthouse snapshots")
                return self.open_version(named.seq)
        return self._current

    def open_version(self, seq: int) -> Snapshot:
        """The version that was current when event `seq` was the last one.

        May wait for a moment: not on the event loop. Raises NoSuchVersion, ContentMissing.
        """
        head = self._events.head.seq
        if seq > head:
            # It may be stored and not be told of yet.
            self._events.catch_up()
            head = self._events.head.seq
        if seq > head:
            raise NoSuchVersion(f"there is no event {seq} yet", f"the last one is {head}")
        current = self._current
        if seq >= current.seq:
            return current
        late = [version for version in tuple(self._unrecorded) if version.seq <= seq]
        version = late[-1] if late else self._reader.version_at(seq)
        if version is None:
            raise NoSuchVersion(f"nothing was captured as early as event {seq}", "ask for a later number")
        return self._open(version)

    def versions_after(self, seq: int) -> int:
        """How many versions came after event `seq`. Raises ContentMissing."""
        return self._reader.count_after(seq)

    def _open_time(self, ts: str) -> Snapshot:
        if ts > timestamp(datetime.now(UTC)):
            raise NoSuchVersion(f"{ts} is in the future", "ask for a time that has passed")
        # A version of before `ts` may be stored and not be the current one yet.
        self._events.catch_up()
        late = [version for version in tuple(self._unrecorded) if version.ts <= ts]
        version = late[-1] if late else self._reader.version_at_time(ts)
        if version is None:
            raise NoSuchVersion(f"nothing was captured as early as {ts}", "ask for a later time")
        return self._open(version)

    def _open(self, version: Version) -> Snapshot:
        if version.seq == (current := self._current).seq:
            return current
        self._reader.tree(version.root)
        return self._snapshot(version.seq, version.root, projection.mtime_ns(version.ts))

    def read(self, content: bytes, offset: int, size: int) -> bytes:
        """Up to `size` bytes of a content (the hash of a file or link); fewer only at its end.

        Raises ContentMissing.
        """
        return self._reader.read(content, offset, size)

    def read_entry(self, entry: Entry, offset: int, size: int) -> bytes:
        """As `read`, of the content of `entry`: what `diff` and `patch` want to be given."""
        return self._reader.read(entry.hash, offset, size)

    def read_cached(self, content: bytes, offset: int, size: int) -> bytes | None:
        """As `read`, but None where that needs the disk; quick enough for the event loop."""
        return self._reader.read_cached(content, offset, size)

    async def keep(self, content: bytes) -> bytes:
        """Store a content of anybody's; its hash, once it is on disk. Raises NoRoom, StoreUnavailable."""
        return await self._keep(self._capture.keep, content)

    async def keep_file(self, path: Path) -> tuple[bytes, int]:
        """Store what a regular file holds; its hash and size, once it is on disk.

        Raises OSError where it cannot be read as it stands, NoRoom, StoreUnavailable.
        """
        return await self._keep(self._capture.keep_file, path)

    async def keep_tree(self, entries: Mapping[ProjectPath, Leaf]) -> bytes:
        """Store the tree of all `entries`; its root hash, once it is on disk. See `keeping.keep_tree`.

        Raises BadPath, NoRoom, StoreUnavailable.
        """
        return await self._keep(self._capture.keep_tree, entries)

    async def _keep(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await self._run(function, *args, **kwargs)
        except sqlite3.Error as error:
            raise _unavailable(error, "the content store cannot be written") from error

    def content_size(self, content: bytes) -> int:
        """Bytes of a content. Raises ContentMissing."""
        return self._reader.size(content)

    async def read_path(
        self, path: str | bytes, at: int | None = None, *, offset: int = 0, size: int | None = None
    ) -> ReadResult:
        """What stands at `path` now, or at sequence number `at`; of a file `size` bytes from `offset`.

        A `size` of None is the rest, and 0 reads nothing. Links are not followed, not on the way either.
        Raises BadPath, NotCaptured, NoSuchVersion, ContentMissing.
        """
        return await asyncio.to_thread(self._read_path, parse(path), at, offset, size)

    def _read_path(self, path: ProjectPath, at: int | None, offset: int, size: int | None) -> ReadResult:
        snapshot = self._current if at is None else self.open_version(at)
        entry = snapshot.lookup(path)
        if entry is None:
            raise _not_captured(snapshot, path)
        if entry.kind == FOLDER:
            return ReadResult(snapshot.seq, path, entry, b"", snapshot.children(path))
        if entry.kind == LINK:
            offset, size = 0, None
        data = self.read(entry.hash, offset, entry.size if size is None else size)
        return ReadResult(snapshot.seq, path, entry, data, {})

    def status(self) -> dict[str, Any]:
        """Totals, version, problems, watcher and limits, ready for JSON; see `status.describe`."""
        return {
            "version": self._current.seq,
            "root": self._current.root.hex(),
            **self._describe(self._tree or NOTHING),
            "watcher": self._follower.status(),
            "limits": {"max_file_bytes": self._settings.max_file_bytes},
        }

    def _describe(self, tree: Folder) -> dict[str, Any]:
        if self._described is None or self._described[0] is not tree:
            self._described = tree, status.describe(tree, self._reader)
        return self._described[1]

    def health(self) -> tuple[bool, str]:
        """Whether the shadow keeps up with the project, and in a line why not."""
        if self._unrecorded:
            return False, f"{len(self._unrecorded)} versions could not be recorded in the content store"
        return self._follower.health()

    async def update(self, paths: Sequence[ProjectPath] | None = None) -> Snapshot:
        """Look at the project now: everywhere, or at `paths`, all beneath them and what the watcher told of.

        The version that holds what was there at the call. Calls for everything that wait at the same time
        share a look. Raises ProjectAway, NoRoom, StoreUnavailable; the current version stays.
        """
        if paths is not None:
            return await self._looked(self.scan(everything=False, paths=paths))
        if self._coming is None:
            self._coming = asyncio.ensure_future(self._looked(self._full()))
        return await asyncio.shield(self._coming)

    async def _full(self) -> int:
        async with self._turn:
            self._coming = None
            return await self._scan(everything=True, paths=())

    async def _looked(self, scan: Awaitable[int]) -> Snapshot:
        try:
            await scan
        except (OSError, sqlite3.Error) as error:
            raise _unavailable(error, "the project cannot be captured") from error
        except Stopped as error:
            raise StoreUnavailable("the bridge is stopping", "try again once it runs") from error
        return self._current

    async def scan(self, *, everything: bool = True, paths: Sequence[ProjectPath] = ()) -> int:
        """Look at `everything`, or at `paths` and what the watcher told of; the current version's number.

        Raises ProjectAway, OSError, sqlite3.Error, or what the event store raises; the current version stays.
        """
        async with self._turn:
            return await self._scan(everything=everything, paths=paths)

    async def _scan(self, *, everything: bool, paths: Sequence[ProjectPath]) -> int:
        passed = await self._run(self._capture.scan, self._tree, everything, paths)
        if passed.tree.hash != self._current.root or not self._current.seq:
            await self._advance(passed)
        elif passed.tree is not self._tree:
            self._adopt(passed.tree, self._current.seq, self._current.mtime_ns)
            await self._record([], passed)
        else:
            await self._record([], passed)
        return self._current.seq

    async def _advance(self, passed: Passed) -> None:
        """A new version; its contents and trees are durable. Now the event, the row, memory, listeners."""
        old, totals = self._current, passed.tree.totals
        data: dict[str, Any] = {
            "root": passed.tree.hash.hex(),
            "files": totals.files,
            "bytes": totals.bytes,
            **({"previous": old.root.hex()} if old.seq else {}),
        }
        if self._following:
            kind, more = projection.CHANGED, dict(passed.changes)
        else:
            kind = projection.CAPTURED
            more = {"unreadable": totals.unreadable, "too_large": totals.too_large}
        draft = Draft(kind, {**data, **more}, stream=projection.STREAM)
        (event,) = await self._events.append([draft], agent_id=BRIDGE)
        version = projection.version_of(event)
        await self._record([version], passed)
        self._adopt(passed.tree, version.seq, projection.mtime_ns(version.ts))
        paths = [(found.path, found.op) for found in passed.differences]
        self._tell(TreeChange(version.seq, old, self._current, paths))

    async def _record(self, versions: Sequence[Version], passed: Passed) -> None:
        """Record versions; they are in the log already, so a failure only delays this."""
        self._unrecorded += versions
        try:
            await self._run(self._capture.record, tuple(self._unrecorded), passed.stamps)
        except sqlite3.Error as error:
            logger.warning("a version is not recorded yet: %s", error)
        else:
            self._unrecorded.clear()

    async def _restore(self) -> None:
        """Begin where the log ends: mend the versions, take up the last one's tree."""
        last = await self._run(self._capture.last_version)
        known, versions = await projection.missing_versions(self._events, last)
        self._tree = await self._run(self._capture.restore, self._reader, known, versions)
        last = await self._run(self._capture.last_version)
        if last is None:
            self._current = self._snapshot(0, NOTHING.hash, 0, NOTHING)
        else:
            self._current = self._snapshot(last.seq, last.root, projection.mtime_ns(last.ts), self._tree)

    def _adopt(self, tree: Folder, seq: int, mtime_ns: int) -> None:
        self._tree = tree
        self._current = self._snapshot(seq, tree.hash, mtime_ns, tree)

    def _tell(self, change: TreeChange) -> None:
        for listener in self._listeners:
            try:
                listener(change)
            except Exception:
                logger.exception("a listener failed at version %d", change.seq)

    def _snapshot(self, seq: int, root: bytes, mtime_ns: int, folder: Folder | None = None) -> Snapshot:
        return Snapshot(seq, root, mtime_ns, load=self._reader.tree, folder=folder)

    async def _run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call on the shadow's own thread; a cancelled caller ends the waiting, not the call."""
        return await asyncio.wrap_future(self._thread.submit(function, *args, **kwargs))


def _unavailable(error: OSError | sqlite3.Error, what: str) -> StoreUnavailable:
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        return NoRoom("there is no room for the content", "free disk space, then try again")
    return StoreUnavailable(what, f"see to the disk, then try again ({error})")


def _not_captured(snapshot: Snapshot, path: ProjectPath) -> NotCaptured:
    for length in range(1, len(path)):
        entry = snapshot.lookup(path[:length])
        if entry is not None and entry.kind == LINK:
            link = b"/".join(path[:length]).decode("utf-8", "replace")
            return NotCaptured(f"{link} is a symbolic link", "ask for its target; links are not followed")
    return NotCaptured("nothing is captured under that path", "it may be ignored, or of another version")
