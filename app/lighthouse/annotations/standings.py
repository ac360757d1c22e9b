"""Where notes stand in a version; of the present one remembered until a change could have moved them."""

from collections.abc import Iterable
from dataclasses import dataclass

from lighthouse.annotations.note import Note
from lighthouse.annotations.resolve import Resolver, Standing
from lighthouse.paths import ProjectPath
from lighthouse.shadow import ContentMissing, NoSuchVersion, Shadow, Snapshot


@dataclass(frozen=True, slots=True)
class Placed:
    """A note and where it stands; of an orphaned one where it stood last, in version `last_seq`."""

    note: Note
    standing: Standing
    last_seq: int | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    placed: Placed
    root: bytes
    own: bytes | None
    seq: int


class Standings:
    """Places notes; for one thread, for it reads contents and parses them."""

    def __init__(self, shadow: Shadow) -> None:
        self._shadow = shadow
        self._resolver = Resolver(shadow.read)
        self._known: dict[str, _Known] = {}

    @property
    def resolver(self) -> Resolver:
        """What finds notes again, and reads documents."""
        return self._resolver

    def now(self, notes: Iterable[Note], snapshot: Snapshot) -> list[Placed]:
        """Where `notes` stand in `snapshot`, the present; what was found before is not looked for again."""
        own: dict[ProjectPath, bytes | None] = {}
        placed = []
        for note in notes:
            if note.path not in own:
                entry = snapshot.lookup(note.path)
                own[note.path] = None if entry is None else entry.hash
            known = self._known.get(note.id)
            if known is None or not _holds(known, snapshot.root, own[note.path]):
                found = self._place(note, snapshot, known)
                known = _Known(found, snapshot.root, own[note.path], snapshot.seq)
                self._known[note.id] = known
            placed.append(known.placed)
        return placed

    def then(self, notes: Iterable[Note], snapshot: Snapshot) -> list[Placed]:
        """Where `notes` stood in a past version."""
        return [self._place(note, snapshot, None) for note in notes]

    def forget_all_but(self, placed: Iterable[Placed]) -> None:
        """Of the other notes nothing needs to be remembered: they are closed."""
        open_ids = {one.note.id for one in placed}
        self._known = {name: known for name, known in self._known.items() if name in open_ids}

    def _place(self, note: Note, snapshot: Snapshot, before: _Known | None) -> Placed:
        found = self._find(note, snapshot)
        if found is not None:
            return Placed(note, found)
        if before is not None and before.placed.last_seq is not None:
            return before.placed
        if before is None:
            last = Standing("same", note.path, note.anchor.lines, note.anchor.symbol, 1.0), note.version
        else:
            last = before.placed.standing, before.seq
        standing, seq = self._last(note, *last, snapshot.seq)
        lost = Standing("orphaned", standing.path, standing.lines, standing.symbol, 0.0, searched=True)
        return Placed(note, lost, seq)

    def _find(self, note: Note, snapshot: Snapshot) -> Standing | None:
        if snapshot.root == note.root:
            return Standing("same", note.path, note.anchor.lines, note.anchor.symbol, 1.0)
        try:
            old = self._shadow.open_tree(note.root)
            old.lookup(note.path)
        except ContentMissing:
            old = self._shadow.open_tree(snapshot.root)
        return self._resolver.resolve(note.path, note.anchor, old, snapshot)

    def _last(self, note: Note, standing: Standing, low: int, high: int) -> tuple[Standing, int]:
        """The last version in which the note stood, by bisection between one where it did and one without."""
        seq = low
        while high - low > 1:
            middle = (low + high) // 2
            try:
                version = self._shadow.open_version(middle)
                found = self._find(note, version) if version.seq > low else standing
            except (ContentMissing, NoSuchVersion):
                break
            if found is None:
                high = version.seq
            else:
                low, standing, seq = middle, found, max(version.seq, seq)
        return standing, seq


def _holds(known: _Known, root: bytes, own: bytes | None) -> bool:
    """Whether a place found for another version is this one's too: what it was found by is unchanged."""
    if known.root == root:
        return True
    return not known.placed.standing.searched and known.own == own
