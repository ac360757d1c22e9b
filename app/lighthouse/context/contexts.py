"""The contexts of an installation: made and removed by events, found again from them at start."""

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from lighthouse.annotations import Annotations
from lighthouse.annotations.annotations import MAX_OPEN
from lighthouse.annotations.view import NotesView
from lighthouse.context.errors import BadContext, ContextTaken, NoSuchContext
from lighthouse.context.manifest import ListedAnnotations, ListedNote, Manifest, listed
from lighthouse.context.package import Note, Package, check
from lighthouse.context.selection import select
from lighthouse.events import Draft, Event, EventStore, Query
from lighthouse.events.event import timestamp
from lighthouse.paths import ProjectPath, to_json
from lighthouse.search.globs import Globs
from lighthouse.search.walk import leaves
from lighthouse.shadow import FILE, Entry, Shadow, Snapshot
from lighthouse.shadow.keeping import Leaf

STREAM = "contexts"
CREATED, REMOVED = "context.created", "context.removed"
MAX_CONTEXTS = 1000
FILE_MODE = 0o644

Tree = dict[ProjectPath, Leaf]

logger = logging.getLogger(__name__)


class Contexts:
    """The contexts by name; as views for the mount each is the tree of its files, notes and manifest."""

    def __init__(self, shadow: Shadow, events: EventStore, annotations: Annotations) -> None:
        self._shadow = shadow
        self._events = events
        self._annotations = annotations
        self._packages: dict[str, Package] = {}
        self._turn = asyncio.Lock()
        self._listeners: list[Callable[[str], None]] = []

    async def load(self) -> None:
        """Take up what the log holds; to be called once, before anything else."""
        cursor: str | None = None
        while True:
            page = await self._events.query(Query(stream=STREAM, limit=1000, cursor=cursor))
            for event in page.events:
                self._apply(event)
            cursor = page.next_cursor
            if cursor is None:
                return

    async def create(
        self,
        name: str,
        files: Sequence[str],
        *,
        agent_id: str,
        at: str | None = None,
        notes: Sequence[Note] = (),
        annotations: bool = False,
        purpose: str = "",
    ) -> Package:
        """Put a context together of the version at `at` (None: the current one); on return it is on disk.

        `annotations` adds what stands noted on the files.

        Raises BadContext, BadGlob, BadMoment, ContextTaken, NotCaptured, NoSuchVersion, ContentMissing, or
        what the content store and the event store raise.
        """
        check(name, notes, purpose)
        if not (files or notes):
            raise BadContext("a context of nothing", "choose files, or add a note")
        async with self._turn:
            if name in self._packages:
                raise ContextTaken(f"there is a context {name} already", "choose another name, or remove it")
            if len(self._packages) >= MAX_CONTEXTS:
                raise BadContext(f"there are {MAX_CONTEXTS} contexts", "remove some that are done with")
            version = await asyncio.to_thread(self._shadow.moment, at)
            chosen = await asyncio.to_thread(select, version, files)
            manifest = Manifest(
                name=name,
                agent_id=agent_id,
                created_at=timestamp(datetime.now(UTC)),
                purpose=purpose,
                seq=version.seq,
                version_root=version.root.hex(),
                files=[listed(path, chosen[path]) for path in sorted(chosen)],
                notes=[],
                annotations=[],
            )
            tree: Tree = {(b"files", *path): _leaf(entry) for path, entry in chosen.items()}
            tree |= await self._keep_notes(notes, manifest)
            if annotations:
                tree |= await self._keep_annotations(version, at, chosen, manifest)
            tree |= await self._keep((b"manifest.json",), manifest.encode())
            root = await self._shadow.keep_tree(tree)
            data = {
                "name": name,
                "seq": version.seq,
                "root": root.hex(),
                "files": len(chosen),
                "bytes": sum(entry.size for entry in chosen.values()),
                "notes": len(notes),
                "annotations": sum(one.count for one in manifest.annotations),
                "purpose": purpose,
            }
            (event,) = await self._events.append([Draft(CREATED, data, STREAM)], agent_id=agent_id)
            self._apply(event)
        self._tell(name)
        return self._packages[name]

    async def remove(self, name: str, *, agent_id: str) -> int:
        """Take a context away; the number of the event. What it held stays stored. Raises NoSuchContext."""
        async with self._turn:
            self.get(name)
            (event,) = await self._events.append([Draft(REMOVED, {"name": name}, STREAM)], agent_id=agent_id)
            self._apply(event)
        self._tell(name)
        return event.seq

    def get(self, name: str) -> Package:
        """The context of that name. Raises NoSuchContext."""
        found = self._packages.get(name)
        if found is None:
            raise NoSuchContext(f"there is no context {name}", "see the list of contexts")
        return found

    def all(self) -> list[Package]:
        """Every context in the order in which they were made."""
        return list(self._packages.values())

    def contents(self, package: Package) -> tuple[Manifest, list[Note]]:
        """What a context holds, its notes with their text; reads the disk. Raises ContentMissing."""
        tree = self._shadow.open_tree(package.root)
        manifest = msgspec.json.decode(self._read(tree, b"manifest.json"), type=Manifest)
        notes = []
        for note in manifest.notes:
            text = self._read(tree, *note.path.encode().split(b"/")).decode()
            notes.append(Note(note.title, text.removeprefix(f"# {note.title}\n\n")))
        return manifest, notes

    # -- as views of the mount, see mount/views.py --

    def names(self) -> Mapping[str, int]:
        """The names with the times at which they were made."""
        return {name: package.mtime_ns for name, package in self._packages.items()}

    def open(self, name: str) -> Snapshot | None:
        """The tree of a context; from any thread. Raises ContentMissing."""
        package = self._packages.get(name)
        return None if package is None else self._shadow.open_tree(package.root, package.mtime_ns)

    def add_listener(self, callback: Callable[[str], None]) -> None:
        """Call `callback` on the event loop with each name that came or went, once that holds."""
        self._listeners.append(callback)

    async def _keep(self, path: ProjectPath, content: bytes) -> Tree:
        """Store a file of the context's own."""
        digest = await self._shadow.keep(content)
        return {path: (FILE, FILE_MODE, digest, len(content), time.time_ns())}

    async def _keep_notes(self, notes: Sequence[Note], manifest: Manifest) -> Tree:
        tree: Tree = {}
        for number, note in enumerate(notes, 1):
            path, content = (b"notes", note.file_name(number)), note.content()
            tree |= await self._keep(path, content)
            digest = hashlib.sha256(content).hexdigest()
            manifest.notes.append(ListedNote(b"/".join(path).decode(), note.title, len(content), digest))
        return tree

    async def _keep_annotations(
        self, version: Snapshot, at: str | None, chosen: Mapping[ProjectPath, Entry], manifest: Manifest
    ) -> Tree:
        """What stands noted on the chosen files at that moment, in the form that `shadows/` shows."""
        listing = await self._annotations.listed(at=at, limit=MAX_OPEN)
        placed = [one for one in listing.placed if one.standing.path in chosen]
        found, contents = NotesView().build(placed, version.mtime_ns)
        tree: Tree = {}
        for path, entry in leaves(found, (), Globs()):
            tree |= await self._keep((b"annotations", *path), contents[entry.hash])
            count = len(msgspec.json.decode(contents[entry.hash])["annotations"])
            manifest.annotations.append(
                ListedAnnotations(count=count, size=entry.size, sha256=entry.hex, **to_json(path))
            )
        return tree

    def _read(self, tree: Snapshot, *path: bytes) -> bytes:
        entry = tree.lookup(path)
        return b"" if entry is None else self._shadow.read(entry.hash, 0, entry.size)

    def _apply(self, event: Event) -> None:
        if event.type == CREATED:
            self._packages[event.value["name"]] = Package.of(event)
        elif event.type == REMOVED:
            self._packages.pop(event.value["name"], None)

    def _tell(self, name: str) -> None:
        for listener in self._listeners:
            try:
                listener(name)
            except Exception:
                logger.exception("a listener failed at the context %s", name)


def _leaf(entry: Entry) -> Leaf:
    return entry.kind, entry.mode, entry.hash, entry.size, entry.mtime_ns
