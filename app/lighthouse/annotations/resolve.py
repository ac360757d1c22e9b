"""Where a note of one version stands in another: in its file, in the renamed file, or elsewhere.

The answer depends on the two versions alone. A file that nobody touched is no place to move to, and a
declaration or text that stood at its place in the older version already is not what a note's became: wrong is
worse than lost.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import msgspec

from lighthouse.annotations.anchor import Anchor, spot
from lighthouse.annotations.document import Document, Documents
from lighthouse.annotations.locate import Found, Spot, in_text, locate, run_at, telling
from lighthouse.annotations.match import NAMED, Matching
from lighthouse.annotations.syntax import Unit
from lighthouse.annotations.text import MAX_BYTES, dice, words
from lighthouse.paths import ProjectPath
from lighthouse.shadow import FILE, ContentMissing, Entry
from lighthouse.shadow.diff import Change, changes
from lighthouse.shadow.reader import Bounded
from lighthouse.shadow.tree import Tree

MOST_FILES = 48
MOST_BYTES = 4 * 1024 * 1024
LEAST_SURE = 0.5
_MATCHED_BYTES = 4 * 1024 * 1024
_UNNAMED, _MARGIN = 0.8, 0.08
_RUN_WORDS = 5
_ELSEWHERE = 0.9

Status = Literal["same", "moved", "edited", "orphaned"]


class Standing(msgspec.Struct, frozen=True):
    """Where a note stands: file, lines (None: the file as a whole), the declaration it is on or in.

    Of an orphaned one it is where it stood last. `searched`: files other than its own were looked into.
    """

    status: Status
    path: ProjectPath
    lines: tuple[int, int] | None
    symbol: str | None
    confidence: float
    searched: bool = False


class Resolver:
    """Finds notes again; `read(hash, offset, size)` gives contents. For one thread at a time."""

    def __init__(self, read: Callable[[bytes, int, int], bytes]) -> None:
        self._read = read
        self._documents = Documents()
        self._matchings: Bounded[tuple[Document, Document], Matching] = Bounded(_MATCHED_BYTES)
        self._nothing = Document(b"", b"")
        self._changes: OrderedDict[tuple[bytes, bytes], list[Change]] = OrderedDict()

    def document(self, name: bytes, entry: Entry | None) -> Document | None:
        """The file as a document; None for what is no text file of a size that is followed, or not stored."""
        if entry is None or entry.kind != FILE or entry.mark is not None or entry.size > MAX_BYTES:
            return None
        known = self._documents.get(entry.hash, name)
        if known is not None:
            return known
        try:
            data = self._read(entry.hash, 0, entry.size)
        except ContentMissing:
            return None
        return None if b"\0" in data else self._documents.put(entry.hash, name, data)

    def resolve(self, path: ProjectPath, anchor: Anchor, old: Tree, new: Tree) -> Standing | None:
        """Where the note made at `path` in `old` stands in `new`; None: nowhere that is sure enough."""
        found = self._find(path, anchor, old, new)
        return found if found is not None and found.confidence >= LEAST_SURE else None

    def _find(self, path: ProjectPath, anchor: Anchor, old: Tree, new: Tree) -> Standing | None:
        entry = new.lookup(path)
        if entry is not None and entry.kind == FILE and entry.hex == anchor.content:
            return Standing("same", path, anchor.lines, anchor.symbol, 1.0)
        if anchor.on == "file":
            return self._file(path, old, new)
        was = self.document(path[-1], _stored(old.lookup(path), anchor))
        now = self.document(path[-1], entry)
        if was is None:
            found = in_text(anchor, now) if now is not None else None
            return _standing(path, found, same_file=True) if found is not None else None
        place = spot(anchor, was)
        matching = self._matching(was, now) if now is not None else None
        if matching is not None and (found := locate(place, matching)) is not None:
            return _standing(path, found, same_file=True)
        try:
            return self._in_other_files(path, was, place, matching, old, new)
        except ContentMissing:
            return None

    def _file(self, path: ProjectPath, old: Tree, new: Tree) -> Standing | None:
        entry = new.lookup(path)
        if entry is not None and entry.kind == FILE:
            return Standing("edited", path, None, None, 0.9)
        for change in self._changed(old, new):
            if change.old_path == path:
                status: Status = "moved" if change.similarity == 100 else "edited"
                return Standing(status, change.path, None, None, change.similarity / 100, searched=True)
        return None

    def _in_other_files(
        self,
        path: ProjectPath,
        was: Document,
        place: Spot,
        matching: Matching | None,
        old: Tree,
        new: Tree,
    ) -> Standing | None:
        changed = self._changed(old, new)
        for change in changed:
            if change.old_path == path and (now := self.document(change.path[-1], change.new)) is not None:
                found = locate(place, self._matching(was, now))
                if found is not None:
                    return _standing(change.path, found, sure=change.similarity / 100)
        others = list(self._candidates(path, changed))
        return _declaration_in(others, was, place, matching) or _text_in(others, was, place)

    def _changed(self, old: Tree, new: Tree) -> list[Change]:
        key = old.root, new.root
        if key not in self._changes:
            self._changes[key] = changes(old, new, lambda entry, *piece: self._read(entry.hash, *piece))
            while len(self._changes) > 8:
                self._changes.popitem(last=False)
        self._changes.move_to_end(key)
        return self._changes[key]

    def _candidates(
        self, path: ProjectPath, changed: Sequence[Change]
    ) -> "Iterator[tuple[ProjectPath, Document, Matching]]":
        """The files made or changed since, those most like `path` first, as far as the bounds go."""
        _, _, extension = path[-1].rpartition(b".")

        def rank(change: Change) -> tuple[bool, bool, int, ProjectPath]:
            shared = sum(1 for a, b in zip(path, change.path, strict=False) if a == b)
            return change.path[-1] != path[-1], change.op == "modified", -shared, change.path

        room = MOST_BYTES
        fitting = [
            change
            for change in changed
            if change.path != path
            and change.op in ("created", "modified", "renamed")
            and change.path[-1].rpartition(b".")[2] == extension
        ]
        for change in sorted(fitting, key=rank)[:MOST_FILES]:
            now = self.document(change.path[-1], change.new)
            if change.new is None or now is None or (room := room - change.new.size) < 0:
                continue
            before = (change.old_path or change.path)[-1]
            was = self.document(before, change.old) if change.old is not None else None
            yield change.path, now, self._matching(was or self._nothing, now)

    def _matching(self, old: Document, new: Document) -> Matching:
        """The declarations of both paired; many notes ask for the same pair."""
        known = self._matchings.get((old, new))
        if known is None:
            known = Matching(old, new)
            self._matchings.put((old, new), known, old.size + new.size)
        return known


def _declaration_in(
    others: "Sequence[tuple[ProjectPath, Document, Matching]]",
    was: Document,
    place: Spot,
    matching: Matching | None,
) -> Standing | None:
    """The declaration on or around the place, or the outermost one around it that left its file."""
    around = place.unit or was.outline.innermost(place.first, place.last)
    for unit in around.chain() if around is not None else ():
        if matching is not None and unit in matching.pairs:
            continue
        best = _best(others, was, unit)
        if best is None:
            continue
        path, now, counterpart, score = best
        found = locate(place, Matching.within(was, now, unit, counterpart))
        if found is not None:
            return _standing(path, found, sure=_ELSEWHERE * score)
    return None


def _best(
    others: "Sequence[tuple[ProjectPath, Document, Matching]]", was: Document, unit: Unit
) -> tuple[ProjectPath, Document, Unit, float] | None:
    """The one new declaration among the other files that is clearly most like `unit`."""
    body, own = was.body(unit), unit.name.rpartition(".")[2]
    tells = telling(was.tokens(unit))
    scored: list[tuple[bool, float, tuple[ProjectPath, Document, Unit, float]]] = []
    for path, now, there in others:
        for other in now.outline.walk():
            if other.group != unit.group or not there.is_new(other):
                continue
            named = other.name.rpartition(".")[2] == own
            if not named and not tells:
                continue
            score = dice(body, now.body(other))
            if score >= (NAMED if named else _UNNAMED):
                scored.append((named, score, (path, now, other, score)))
    scored.sort(key=lambda one: one[:2], reverse=True)
    if not scored or (len(scored) > 1 and _as_good(scored[1][:2], scored[0][:2])):
        return None
    return scored[0][2]


def _as_good(second: tuple[bool, float], first: tuple[bool, float]) -> bool:
    return second[0] == first[0] and second[1] > first[1] - _MARGIN


def _text_in(
    others: "Sequence[tuple[ProjectPath, Document, Matching]]", was: Document, place: Spot
) -> Standing | None:
    """The place's very text, if it says enough, stood once, and stands once where it did not before."""
    wanted = was.text.between(place.first, place.last)
    if place.unit is not None or not telling(wanted) or len(words(wanted)) < _RUN_WORDS:
        return None
    if len(was.text.runs(wanted)) != 1:
        return None
    hits: list[tuple[ProjectPath, Document, int]] = []
    for path, now, there in others:
        if not there.old.text.runs(wanted, 1):
            hits += [(path, now, start) for start in now.text.runs(wanted)]
    if len(hits) != 1:
        return None
    [(path, now, start)] = hits
    return _standing(path, run_at(now, start, len(wanted), 0.7))


def _standing(path: ProjectPath, found: Found, *, same_file: bool = False, sure: float = 1.0) -> Standing:
    status: Status = "edited" if not found.exact else "moved" if found.moved or not same_file else "same"
    symbol = found.unit.symbol if found.unit is not None else None
    lines = found.first + 1, found.last + 1
    return Standing(status, path, lines, symbol, round(found.confidence * sure, 2), searched=not same_file)


def _stored(entry: Entry | None, anchor: Anchor) -> Entry | None:
    """The file as the note was made on it, if the older version is still that one."""
    return entry if entry is not None and entry.hex == anchor.content else None
