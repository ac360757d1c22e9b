"""Finds which of the files that came are files that went: by equal content, then by similar content.

Similarity is git's measure: the share of the larger file's bytes that stand, line by line, in the other. What
is compared is bounded, so that a change of everything costs seconds at most; beyond the bounds two files are
told as deleted and created, which is true as well.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lighthouse.paths import ProjectPath
from lighthouse.shadow.entry import FILE, Entry

Read = Callable[[Entry, int, int], bytes]
"""`read(entry, offset, size)`: a piece of a file's content or link's target; fewer bytes only at the end."""

LEAST_SIMILAR = 50
# A moved file that kept its name is believed without a look at all the others from here on, as in git.
LEAST_OF_NAMESAKE = 75
MOST_BYTES = 1024 * 1024
MOST_BYTES_OF_ALL = 16 * 1024 * 1024
MOST_COMPARISONS = 4_000_000

_PIECE = re.compile(rb"[^\n]{1,64}\n?|\n")

Entries = Mapping[ProjectPath, Entry]
Pieces = Counter[bytes]


@dataclass(frozen=True, slots=True)
class Pairing:
    """The file at `old_path` is now at `new_path`, and so many per cent the same."""

    old_path: ProjectPath
    new_path: ProjectPath
    similarity: int


def pair(gone: Entries, come: Entries, read: Read | None) -> list[Pairing]:
    """Pairs of those that went and those that came; each is in one pair at most."""
    found = _equal(gone, come)
    if read is not None:
        rest_gone, rest_come = dict(gone), dict(come)
        for pairing in found:
            del rest_gone[pairing.old_path], rest_come[pairing.new_path]
        found += _Similar(rest_gone, rest_come, read).pairs()
    return found


def _equal(gone: Entries, come: Entries) -> list[Pairing]:
    # Links are left out: a patch cannot tell git, both ways, that a link was moved into a folder of its name.
    sources: defaultdict[bytes, list[ProjectPath]] = defaultdict(list)
    for path, entry in sorted(gone.items()):
        if entry.kind == FILE and entry.size and entry.mark is None:
            sources[entry.hash].append(path)
    found: list[Pairing] = []
    for path, entry in sorted(come.items()):
        candidates = sources.get(entry.hash)
        if candidates and entry.kind == FILE and entry.mark is None:
            namesake = next((one for one in candidates if one[-1] == path[-1]), candidates[0])
            candidates.remove(namesake)
            found.append(Pairing(namesake, path, 100))
    return found


class _Similar:
    """One search for similar files."""

    def __init__(self, gone: Entries, come: Entries, read: Read) -> None:
        self._read = read
        self._room = MOST_BYTES_OF_ALL
        self._work = MOST_COMPARISONS
        self._gone = {path: entry for path, entry in sorted(gone.items()) if _comparable(entry)}
        self._come = {path: entry for path, entry in sorted(come.items()) if _comparable(entry)}
        self._pieces: dict[bytes, Pieces | None] = {}

    def pairs(self) -> list[Pairing]:
        found = self._namesakes()
        for pairing in found:
            del self._gone[pairing.old_path], self._come[pairing.new_path]
        ranked: list[tuple[int, bool, ProjectPath, ProjectPath]] = []
        for new_path, new in self._come.items():
            for old_path, old in self._gone.items():
                similarity = self._similarity(old, new)
                if similarity >= LEAST_SIMILAR:
                    ranked.append((-similarity, old_path[-1] != new_path[-1], old_path, new_path))
            if self._work <= 0:
                break
        for less, _, old_path, new_path in sorted(ranked):
            if old_path in self._gone and new_path in self._come:
                del self._gone[old_path], self._come[new_path]
                found.append(Pairing(old_path, new_path, -less))
        return found

    def _namesakes(self) -> list[Pairing]:
        """Files whose name stands once on either side: moved to another folder, most likely."""
        were = _by_name(self._gone)
        found: list[Pairing] = []
        for name, paths in _by_name(self._come).items():
            candidates = were.get(name, [])
            if len(paths) == len(candidates) == 1:
                old_path, new_path = candidates[0], paths[0]
                similarity = self._similarity(self._gone[old_path], self._come[new_path])
                if similarity >= LEAST_OF_NAMESAKE:
                    found.append(Pairing(old_path, new_path, similarity))
        return found

    def _similarity(self, old: Entry, new: Entry) -> int:
        """Per cent; 0 where it is below what counts, or the bounds are reached."""
        smaller, larger = sorted((old.size, new.size))
        self._work -= 1
        if smaller * 100 < larger * LEAST_SIMILAR or self._work <= 0:
            return 0
        ours, others = self._pieces_of(old), self._pieces_of(new)
        if ours is None or others is None:
            return 0
        if len(ours) > len(others):
            ours, others = others, ours
        self._work -= len(ours)
        shared = sum(
            min(times, others[piece]) * len(piece) for piece, times in ours.items() if piece in others
        )
        # Never 100: that says equal.
        return min(shared * 100 // larger, 99)

    def _pieces_of(self, entry: Entry) -> Pieces | None:
        if entry.hash not in self._pieces:
            self._room -= entry.size
            if self._room < 0:
                self._pieces[entry.hash] = None
            else:
                self._pieces[entry.hash] = Counter(_PIECE.findall(self._read(entry, 0, entry.size)))
        return self._pieces[entry.hash]


def _comparable(entry: Entry) -> bool:
    return entry.kind == FILE and entry.mark is None and 0 < entry.size <= MOST_BYTES


def _by_name(entries: Entries) -> dict[bytes, list[ProjectPath]]:
    found: defaultdict[bytes, list[ProjectPath]] = defaultdict(list)
    for path in entries:
        found[path[-1]].append(path)
    return found
