"""One search under way: file after file, until its limits or its time are reached."""

from collections.abc import Callable
from functools import partial

from lighthouse.paths import ProjectPath
from lighthouse.search import cursor
from lighthouse.search.cursor import Place
from lighthouse.search.found import FileMatches, Found, Line
from lighthouse.search.lines import LineSearch, after, before, spans
from lighthouse.search.pattern import Pattern
from lighthouse.search.query import Query
from lighthouse.search.slices import Read
from lighthouse.shadow import Entry

ReadContent = Callable[[bytes, int, int], bytes]
# What a file, or a line, costs in an answer besides its own bytes, roughly.
FRAME_BYTES = 60


class Run:
    """Gathers what `query` asks for. `over` says when to stop."""

    def __init__(self, query: Query, pattern: Pattern, read: ReadContent, over: Callable[[], bool]) -> None:
        self._query = query
        self._pattern = pattern
        self._read = read
        self._over = over
        self._found = Found(0)
        self._matches_left = query.max_matches
        self._bytes_left = query.max_bytes
        self._place: Place | None = None
        self._begun = False

    def found(self, seq: int) -> Found:
        """What was found, of version `seq`."""
        self._found.seq = seq
        if self._place is not None:
            self._found.cursor = cursor.encode(self._place, self._query)
        return self._found

    def file(self, path: ProjectPath, entry: Entry, place: Place) -> bool:
        """Search a file from `place` on; False when that was the last one for now."""
        query, found = self._query, self._found
        if self._full or (self._begun and self._over()):
            return self._stop(place)
        self._begun = True
        if entry.mark is not None:
            found.not_captured += 1
            return True
        if query.max_per_file is not None and place.taken >= query.max_per_file:
            return True
        read = partial(self._read, entry.hash)
        search = LineSearch(read, self._pattern, self._over, place.offset, place.number)
        matches = FileMatches(path)
        self._gather(search, read, matches, place.taken)
        found.searched_bytes += search.offset - place.offset
        if matches.count:
            found.files.append(matches)
            self._bytes_left -= FRAME_BYTES + len(path) + sum(map(len, path))
            self._matches_left -= query.mode != "lines"
        if search.stopped or (query.mode == "lines" and self._full):
            return self._stop(
                Place(place.seq, path, search.offset, search.number, place.taken + matches.count)
            )
        found.searched += 1
        found.binary += search.binary
        return True

    @property
    def _full(self) -> bool:
        return self._matches_left <= 0 or self._bytes_left <= 0

    def _stop(self, place: Place) -> bool:
        self._place = place
        self._found.truncated = self._full
        self._found.timed_out = not self._full
        return False

    def _gather(self, search: LineSearch, read: Read, matches: FileMatches, taken: int) -> None:
        """Count the file's matches, and in mode `lines` take them with their context."""
        query, following = self._query, list[tuple[int, bytes]]()
        for hit in search.hits():
            matches.count += 1
            if query.mode == "lines":
                self._context(matches, [line for line in following if line[0] < hit.number])
                self._context(matches, before(read, hit, query.before))
                self._take(matches, hit.number, hit.text, spans(self._pattern, hit), match=True)
                following = after(read, hit, query.after)
                self._matches_left -= 1
            last = query.mode == "files" or taken + matches.count == query.max_per_file
            if last or (query.mode == "lines" and self._full):
                break
        self._context(matches, following)

    def _context(self, matches: FileMatches, lines: list[tuple[int, bytes]]) -> None:
        for number, text in lines:
            if not matches.lines or number > matches.lines[-1].number:
                self._take(matches, number, text, (), match=False)

    def _take(
        self,
        matches: FileMatches,
        number: int,
        text: bytes,
        spans: tuple[tuple[int, int], ...],
        *,
        match: bool,
    ) -> None:
        offset, shown = _window(text, spans, self._query.max_columns)
        cut = len(shown) < len(text)
        matches.lines.append(Line(number, shown, match, spans, offset, cut))
        self._bytes_left -= FRAME_BYTES + len(shown) + 8 * len(spans)


def _window(text: bytes, spans: tuple[tuple[int, int], ...], most: int) -> tuple[int, bytes]:
    """At most `most` bytes of a line and where they begin: its start, or the first match's surroundings."""
    if len(text) <= most:
        return 0, text
    begin = spans[0][0] - most // 4 if spans and spans[0][1] > most else 0
    begin = max(0, min(begin, len(text) - most))
    # Not within a character of UTF-8.
    while begin and text[begin] & 0xC0 == 0x80 and begin < len(text) - 1:
        begin += 1
    end = min(begin + most, len(text))
    while end < len(text) and end > begin + 1 and text[end] & 0xC0 == 0x80:
        end -= 1
    return begin, text[begin:end]
