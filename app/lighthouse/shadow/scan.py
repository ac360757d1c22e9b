"""Walks the project, or the touched part of it, and gives the folder that stands for it now.

Every step goes from an open folder to a name in it, never following a link, so nothing outside the root is
ever reached, however names are swapped meanwhile. What a scan finds new is in the content store when it ends.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from lighthouse.paths import ProjectPath
from lighthouse.shadow import files, merkle
from lighthouse.shadow.contents import ContentStore
from lighthouse.shadow.entry import FILE, FOLDER, LINK, UNREADABLE, Entry, unreadable_text
from lighthouse.shadow.errors import ProjectAway
from lighthouse.shadow.folder import NOTHING, Folder
from lighthouse.shadow.ignore import GITIGNORE, MAX_GITIGNORE, Rules
from lighthouse.shadow.touch import Touch
from lighthouse.shadow.watches import Watches

MAX_DEPTH = 128
"""Folders nested deeper are shown empty and marked unreadable: each level costs an open descriptor."""
ATTEMPTS = 5

_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Stopped(Exception):
    """The scan was told to stop."""


class Building:
    """A folder while it is scanned; starts as a copy of the old one, or empty where everything is listed."""

    __slots__ = ("entries", "folders", "skipped", "stamps")

    def __init__(self, start: Folder) -> None:
        self.entries: dict[bytes, Entry] = dict(start.entries)
        self.folders: dict[bytes, Folder] = dict(start.folders)
        self.stamps: dict[bytes, bytes] = dict(start.stamps)
        self.skipped: set[bytes] = set(start.skipped)

    def forget(self, name: bytes) -> None:
        self.entries.pop(name, None)
        self.folders.pop(name, None)
        self.stamps.pop(name, None)
        self.skipped.discard(name)


class Scan:
    """One pass over the project. `stamps`: what changed in them, by folder; empty for folders gone."""

    def __init__(self, store: ContentStore, watches: Watches, configured: Rules, limit: int) -> None:
        self._store = store
        self._watches = watches
        self._configured = configured
        self._limit = limit
        self._stop = False
        self.stamps: dict[ProjectPath, Mapping[bytes, bytes]] = {}
        self.files_read = 0

    def stop(self) -> None:
        """Make the running scan raise Stopped soon; may be called from any thread."""
        self._stop = True

    def run(self, project: Path, old: Folder | None, touch: Touch, device: int | None) -> tuple[Folder, int]:
        """The project's root folder as it is now, and the device it lies on.

        `old`: what was captured before; `device`: where it lay then. Raises ProjectAway, Stopped, OSError.
        """
        root_fd = _open_root(project)
        try:
            st = os.fstat(root_fd)
            folder = self._folder(root_fd, (), old, self._configured, touch, touch.named)
            _check_still_there(project, st)
            if old is not None and old.entries and not folder.entries and device not in (None, st.st_dev):
                raise ProjectAway(f"{project} is empty and on another file system", "mount the project again")
            return folder, st.st_dev
        finally:
            os.close(root_fd)

    def _folder(
        self, fd: int, path: ProjectPath, old: Folder | None, above: Rules, touch: Touch, everything: bool
    ) -> Folder:
        """The open folder as it is now; `everything` beneath is looked at, or else what is touched."""
        if self._stop:
            raise Stopped
        self._watches.add(fd, path)
        rules = self._rules(fd, path, old, above, everything or GITIGNORE in touch.names)
        known = old or NOTHING
        listed = old is None or everything or rules is not old.rules
        building = Building(NOTHING if listed else known)
        names = [os.fsencode(name) for name in os.listdir(fd)] if listed else list(touch.names)
        for name in names:
            building.forget(name)
            self._entry(building, fd, path, name, known, rules, touch.names.get(name), everything)
        for name, gone in known.folders.items():
            if name not in building.folders:
                self._left(path, name, gone)
        self._store.save()
        return self._finish(building, path, old, rules)

    def _finish(self, building: Building, path: ProjectPath, old: Folder | None, rules: Rules) -> Folder:
        if building.stamps != (old.stamps if old else {}):
            self.stamps[path] = building.stamps
        if old is not None and building.entries == old.entries:
            # The same tree; entries are shared so that nothing is kept twice.
            tree_hash, entries = old.hash, old.entries
        else:
            tree_hash, packed = merkle.encode(building.entries.values())
            self._store.add_tree(tree_hash, packed)
            entries = building.entries
        skipped = frozenset(building.skipped)
        return Folder(
            tree_hash, entries, building.folders, rules=rules, stamps=building.stamps, skipped=skipped
        )

    def _rules(self, fd: int, path: ProjectPath, old: Folder | None, above: Rules, look: bool) -> Rules:
        """The rules for the folder's entries: the object of last time wherever nothing about them changed."""
        before = old.rules if old else None
        own_before = before is not None and before.depth == len(path)
        above_before = before.parent if before is not None and own_before else before
        if before is not None and above_before is above and not look:
            return before
        content = _gitignore(fd)
        if content is None:
            return above
        if before is not None and own_before and above_before is above and before.holds(content):
            return before
        return above.beneath(len(path), content)

    def _entry(
        self,
        building: Building,
        fd: int,
        path: ProjectPath,
        name: bytes,
        known: Folder,
        rules: Rules,
        touch: Touch | None,
        everything: bool,
    ) -> None:
        """Enter `name` as it is now; nothing where it is gone or ignored."""
        old = known.entries.get(name)
        for _ in range(ATTEMPTS):
            try:
                st = os.stat(name, dir_fd=fd, follow_symlinks=False)
            except FileNotFoundError:
                return
            except OSError as error:
                if error.errno in files.OUR_TROUBLE:
                    raise
                # Listed but not to be looked at (no search permission): even its kind is hidden.
                text = unreadable_text(error.strerror or type(error).__name__)
                digest = self._store.add(text)
                building.entries[name] = Entry(name, FILE, 0, len(text), 0, digest, UNREADABLE)
                return
            is_folder = stat.S_ISDIR(st.st_mode)
            sure = old is not None and rules is known.rules and is_folder == (old.kind == FOLDER)
            if not sure and rules.ignores((*path, name), is_folder=is_folder):
                return
            try:
                if is_folder:
                    self._subfolder(building, fd, (*path, name), known, st, rules, touch, everything)
                elif stat.S_ISREG(st.st_mode):
                    self._file(building, fd, name, known, st, touch)
                elif stat.S_ISLNK(st.st_mode):
                    self._link(building, fd, name, st)
                else:
                    building.skipped.add(name)
            except files.KindChanged:
                continue
            return

    def _subfolder(
        self,
        building: Building,
        fd: int,
        path: ProjectPath,
        known: Folder,
        st: os.stat_result,
        rules: Rules,
        touch: Touch | None,
        everything: bool,
    ) -> None:
        name = path[-1]
        old_entry, old = known.entries.get(name), known.folders.get(name)
        if old_entry is not None and old_entry.mark is not None:
            old = None
        folder = None
        if len(path) <= MAX_DEPTH:
            named = touch is not None and touch.named
            folder = self._descend(fd, path, old, rules, touch or Touch(), everything or named)
        mode = st.st_mode & 0o7777
        if folder is None:
            if old is not None:
                self._left(path[:-1], name, old)
            self._store.add_tree(merkle.EMPTY_HASH, merkle.EMPTY_PACKED)
            entry = Entry(name, FOLDER, mode, 0, st.st_mtime_ns, merkle.EMPTY_HASH, UNREADABLE)
            folder = NOTHING
        else:
            # A folder's time also moves by what is ignored in it; that alone is no change of the project.
            same = old_entry is not None and old_entry.kind == FOLDER and old_entry.hash == folder.hash
            mtime_ns = old_entry.mtime_ns if same and old_entry else st.st_mtime_ns
            entry = Entry(name, FOLDER, mode, 0, mtime_ns, folder.hash)
        building.entries[name] = old_entry if old_entry == entry and old_entry else entry
        building.folders[name] = folder

    def _descend(
        self, fd: int, path: ProjectPath, old: Folder | None, rules: Rules, touch: Touch, everything: bool
    ) -> Folder | None:
        """The subfolder's folder, or None where it cannot be listed."""
        try:
            below = os.open(path[-1], _OPEN_FOLDER, dir_fd=fd)
        except OSError as error:
            if error.errno in files.OUR_TROUBLE:
                raise
            if error.errno in files.KIND_CHANGED | files.VANISHED:
                raise files.KindChanged from error
            return None
        try:
            return self._folder(below, path, old, rules, touch, everything)
        except OSError as error:
            if error.errno in files.OUR_TROUBLE:
                raise
            return None
        finally:
            os.close(below)

    def _file(
        self,
        building: Building,
        fd: int,
        name: bytes,
        known: Folder,
        st: os.stat_result,
        touch: Touch | None,
    ) -> None:
        old = known.entries.get(name)
        if (
            old is not None
            and touch is None
            and old.kind == FILE
            and old.mark is None
            and old.size == st.st_size
            and old.mtime_ns == st.st_mtime_ns
            and known.stamps.get(name) == files.stamp_of(st)
        ):
            # The stamp covers the mode too: changing it moves the change time.
            building.entries[name] = old
            building.stamps[name] = known.stamps[name]
            return
        self.files_read += 1
        found = files.capture(fd, name, self._store, self._limit)
        entry = Entry(name, FILE, found.mode, found.size, found.mtime_ns, found.hash, found.mark)
        building.entries[name] = old if old == entry and old else entry
        if found.stamp is not None:
            building.stamps[name] = found.stamp

    def _link(self, building: Building, fd: int, name: bytes, st: os.stat_result) -> None:
        try:
            target = os.readlink(name, dir_fd=fd)
        except OSError as error:
            raise files.KindChanged from error
        digest = self._store.add(target)
        building.entries[name] = Entry(name, LINK, 0o777, len(target), st.st_mtime_ns, digest)

    def _left(self, path: ProjectPath, name: bytes, gone: Folder) -> None:
        for below, _ in gone.walk((*path, name)):
            self._watches.remove(below)
            self.stamps[below] = {}


def _open_root(project: Path) -> int:
    try:
        return os.open(project, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in files.OUR_TROUBLE:
            raise
        raise _away(project, error) from error


def _check_still_there(project: Path, st: os.stat_result) -> None:
    """A folder removed or replaced while it was scanned looks empty; that must not become a version."""
    try:
        now = project.stat()
    except OSError as error:
        raise _away(project, error) from error
    if (now.st_dev, now.st_ino) != (st.st_dev, st.st_ino):
        raise ProjectAway(f"{project} was replaced while it was scanned", "it is scanned again")


def _away(project: Path, error: OSError) -> ProjectAway:
    return ProjectAway(
        f"the project's folder {project} cannot be opened ({error.strerror})",
        "bring it back or let the bridge read it",
    )


def _gitignore(fd: int) -> bytes | None:
    """The folder's `.gitignore`; None where there is none, or none that git would read."""
    try:
        file = os.open(GITIGNORE, files.FLAGS, dir_fd=fd)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            return None
        return os.read(file, MAX_GITIGNORE)
    except OSError:
        return None
    finally:
        os.close(file)
