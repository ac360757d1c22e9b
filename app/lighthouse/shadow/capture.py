"""Passes over the project, on the shadow's own thread: what happened, scan, differences, records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lighthouse.config import Settings
from lighthouse.paths import ProjectPath
from lighthouse.shadow import keeping, projection
from lighthouse.shadow.change import Difference, differences, to_event
from lighthouse.shadow.contents import ContentStore, Version
from lighthouse.shadow.folder import Folder
from lighthouse.shadow.ignore import Rules
from lighthouse.shadow.reader import ContentReader
from lighthouse.shadow.scan import Scan
from lighthouse.shadow.watches import Watches


@dataclass(frozen=True, slots=True)
class Passed:
    """What a pass found; its contents and trees are durable.

    `changes`: the differences as the event lists them. `stamps`: to be recorded with the version.
    """

    tree: Folder
    differences: Sequence[Difference]
    changes: Mapping[str, Any]
    stamps: Mapping[ProjectPath, Mapping[bytes, bytes]]
    files_read: int


class Capture:
    """The project's folder, its watches and the content store. Raises ContentsRefused."""

    def __init__(self, project: Path, folder: Path, settings: Settings) -> None:
        self._project = project
        self._limit = settings.max_file_bytes
        self._configured = Rules.configured(settings.ignore)
        self._store = ContentStore(folder)
        self._watches = Watches()
        self._scan: Scan | None = None
        self._stopped = False
        self._device: int | None = None
        # What the watcher told is gone once it was read: until the pass is recorded, only a full one will do.
        self._all = True

    @property
    def watch_fd(self) -> int | None:
        """Readable when something in the project happened; None where it can only be scanned."""
        return self._watches.fd

    @property
    def watch_trouble(self) -> str | None:
        """Why changes may be seen late."""
        return self._watches.trouble

    @property
    def watched(self) -> int:
        """Folders with a watch."""
        return len(self._watches)

    @property
    def overflows(self) -> int:
        """How often the kernel lost track and everything was scanned."""
        return self._watches.overflows

    def last_version(self) -> Version | None:
        """The newest version the content store knows."""
        return self._store.last_version()

    def restore(self, reader: ContentReader, known: bool, versions: list[Version]) -> Folder | None:
        """Mend the versions, and load the tree of the last one; None where there is none, or not whole."""
        projection.mend(self._store, known, versions)
        last = self._store.last_version()
        return None if last is None else projection.load(reader, last.root, self._store.load_stamps())

    def scan(self, old: Folder | None, everything: bool, paths: Sequence[ProjectPath] = ()) -> Passed:
        """Look at everything, or at `paths` and what the watcher told.

        Raises ProjectAway, Stopped, OSError, sqlite3.Error.
        """
        touch = self._watches.drain()
        for path in paths:
            touch.add(path)
        if everything or touch.named or self._all:
            touch.named = True
            self._watches.begin_full()
        self._all = True
        if not touch and old is not None:
            return Passed(old, (), {}, {}, 0)
        self._scan = scan = Scan(self._store, self._watches, self._configured, self._limit)
        if self._stopped:
            scan.stop()
        with self._store.writing():
            tree, self._device = scan.run(self._project, old, touch, self._device)
        found = list(differences(old, tree)) if old is not None else []
        return Passed(tree, found, to_event(found), scan.stamps, scan.files_read)

    def record(
        self, versions: Sequence[Version], stamps: Mapping[ProjectPath, Mapping[bytes, bytes]]
    ) -> None:
        """The pass has become these versions, or none. Raises sqlite3.Error."""
        if versions or stamps:
            with self._store.recording():
                for version in versions:
                    self._store.add_version(version)
                self._store.save_stamps(stamps)
        self._all = False

    def keep(self, content: bytes) -> bytes:
        """Store a content; its hash, once it is on disk. Raises sqlite3.Error."""
        with self._store.writing():
            return self._store.add(content)

    def keep_file(self, path: Path) -> tuple[bytes, int]:
        """As `keeping.keep_file`; on disk on return. Raises OSError, sqlite3.Error."""
        with self._store.writing():
            return keeping.keep_file(self._store, path)

    def keep_tree(self, entries: Mapping[ProjectPath, keeping.Leaf]) -> bytes:
        """As `keeping.keep_tree`; on disk on return. Raises BadPath, sqlite3.Error."""
        with self._store.writing():
            return keeping.keep_tree(self._store, entries)

    def stop(self) -> None:
        """Make a running pass, and every later one, end with Stopped; from any thread."""
        self._stopped = True
        if self._scan is not None:
            self._scan.stop()

    def close(self) -> None:
        """End the watches, close the content store."""
        self._watches.close()
        self._store.close()
