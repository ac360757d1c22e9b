"""Changes as a patch in git's extended unified format, which `git apply` takes on any plain copy.

Renames, modes, symbolic links, binary contents and names of any bytes are in it; folders and times are not.
It is made piece by piece: a content too large for a diff of lines is told in binary, and never lies in memory
whole. The index lines carry git's own blob names, so that `git apply --3way` works where git has the blobs.
"""

import hashlib
import zlib
from base64 import b85encode
from collections.abc import Iterable, Iterator
from itertools import pairwise

from lighthouse.paths import ProjectPath, to_bytes
from lighthouse.shadow import lines
from lighthouse.shadow.diff import Change
from lighthouse.shadow.entry import FILE, LINK, Entry
from lighthouse.shadow.renames import Read

MAX_TEXT = 8 * 1024 * 1024
PIECE = 1024 * 1024
CONTEXT = 3

_NO_BLOB = b"0" * 40
_LINE = 52
_ESCAPES = {7: b"a", 8: b"b", 9: b"t", 10: b"n", 11: b"v", 12: b"f", 13: b"r", 34: b'"', 92: b"\\"}


def unified(changes: Iterable[Change], read: Read, *, context: int = CONTEXT) -> Iterator[bytes]:
    """The patch in pieces. A change of what was not captured is a remark, which `git apply` passes over.

    `read` raises ContentMissing where a content is not stored.
    """
    for change in changes:
        yield from _Patch(change, read, context).pieces()


def git_mode(entry: Entry) -> bytes:
    """The mode as git knows it: of a file only whether it is executable."""
    if entry.kind == LINK:
        return b"120000"
    return b"100755" if entry.mode & 0o100 else b"100644"


def quoted(name: bytes) -> bytes:
    """A path in git's quotes, with octal escapes, where it holds more than plain ASCII.

    Git itself leaves spaces unquoted, and then cannot read its own header for a name like `a /b`.
    """
    if all(32 < byte < 127 and byte not in b'"\\' for byte in name):
        return name
    written = bytearray(b'"')
    for byte in name:
        if byte in _ESCAPES:
            written += b"\\" + _ESCAPES[byte]
        elif 32 <= byte < 127:
            written.append(byte)
        else:
            written += b"\\%03o" % byte
    return bytes(written) + b'"'


class _Patch:
    """The patch of one change."""

    def __init__(self, change: Change, read: Read, context: int) -> None:
        self._change = change
        self._read = read
        self._context = context
        self._old_name = _name(b"a/", change.old_path or change.path)
        self._new_name = _name(b"b/", change.path)

    def pieces(self) -> Iterator[bytes]:
        old, new = self._change.old, self._change.new
        for entry in (old, new):
            if entry is not None and entry.mark is not None:
                path = quoted(to_bytes(self._change.path))
                yield b"lighthouse: %s is left out: not captured, %s\n" % (path, entry.mark.encode())
                return
        head = self._head(old, new)
        same = old is not None and new is not None and old.hash == new.hash
        if same and not head:
            return  # permission bits that git does not know
        yield b"diff --git %s %s\n" % (quoted(self._old_name), quoted(self._new_name)) + head
        if not same:
            yield from self._content(old, new)

    def _head(self, old: Entry | None, new: Entry | None) -> bytes:
        if old is None or new is None:
            if old is not None:
                return b"deleted file mode %s\n" % git_mode(old)
            return b"new file mode %s\n" % git_mode(new) if new is not None else b""
        head = b""
        if git_mode(old) != git_mode(new):
            head = b"old mode %s\nnew mode %s\n" % (git_mode(old), git_mode(new))
        if self._change.old_path is not None:
            names = quoted(to_bytes(self._change.old_path)), quoted(to_bytes(self._change.path))
            head += b"similarity index %d%%\n" % self._change.similarity
            head += b"rename from %s\nrename to %s\n" % names
        return head

    def _content(self, old: Entry | None, new: Entry | None) -> Iterator[bytes]:
        before, after = self._text(old), self._text(new)
        yield b"index %s..%s" % (self._blob(old, before), self._blob(new, after))
        if old is not None and new is not None and git_mode(old) == git_mode(new):
            yield b" " + git_mode(new)
        yield b"\n"
        if before is None or after is None:
            yield b"GIT binary patch\n"
            yield from self._literal(new)
            yield from self._literal(old)
            return
        if before == after:
            return  # an empty file that came or went
        yield b"--- %s\n" % (b"/dev/null" if old is None else quoted(self._old_name))
        yield b"+++ %s\n" % (b"/dev/null" if new is None else quoted(self._new_name))
        yield from _hunks(_split(before), _split(after), self._context)

    def _text(self, entry: Entry | None) -> bytes | None:
        """The content, or None where it is to be told in binary; what is not there is empty."""
        if entry is None:
            return b""
        if entry.kind == FILE and entry.size > MAX_TEXT:
            return None
        content = self._read(entry, 0, entry.size)
        return None if b"\0" in content else content

    def _blob(self, entry: Entry | None, content: bytes | None) -> bytes:
        """Git's name of the content."""
        if entry is None:
            return _NO_BLOB
        digest = hashlib.sha1(b"blob %d\0" % entry.size, usedforsecurity=False)
        for piece in (content,) if content is not None else self._whole(entry):
            digest.update(piece)
        return digest.hexdigest().encode()

    def _literal(self, entry: Entry | None) -> Iterator[bytes]:
        yield b"literal %d\n" % (0 if entry is None else entry.size)
        compressor = zlib.compressobj()
        left = b""
        for piece in self._whole(entry) if entry is not None else ():
            left += compressor.compress(piece)
            full = len(left) - len(left) % _LINE
            yield _encoded(left[:full])
            left = left[full:]
        yield _encoded(left + compressor.flush()) + b"\n"

    def _whole(self, entry: Entry) -> Iterator[bytes]:
        for offset in range(0, entry.size, PIECE):
            yield self._read(entry, offset, min(PIECE, entry.size - offset))


def _name(side: bytes, path: ProjectPath) -> bytes:
    return side + to_bytes(path)


def _encoded(data: bytes) -> bytes:
    encoded = bytearray()
    for start in range(0, len(data), _LINE):
        line = data[start : start + _LINE]
        length = len(line)
        encoded.append(ord("A") + length - 1 if length <= 26 else ord("a") + length - 27)
        encoded += b85encode(line, pad=True) + b"\n"
    return bytes(encoded)


def _split(content: bytes) -> list[bytes]:
    *whole, last = content.split(b"\n")
    split = [line + b"\n" for line in whole]
    return [*split, last] if last else split


def _hunks(old: list[bytes], new: list[bytes], context: int) -> Iterator[bytes]:
    for spans in _grouped(_spans(old, new), context):
        lead, trail = min(context, spans[0][0]), min(context, len(old) - spans[-1][1])
        first_i, first_j = spans[0][0] - lead, spans[0][2] - lead
        last_i, last_j = spans[-1][1] + trail, spans[-1][3] + trail
        hunk = [b"@@ -%s +%s @@\n" % (_range(first_i, last_i), _range(first_j, last_j))]
        at = first_i
        for i, end, j, stop in spans:
            hunk += [_shown(b" ", line) for line in old[at:i]]
            hunk += [_shown(b"-", line) for line in old[i:end]]
            hunk += [_shown(b"+", line) for line in new[j:stop]]
            at = end
        hunk += [_shown(b" ", line) for line in old[at:last_i]]
        yield b"".join(hunk)


Span = tuple[int, int, int, int]
"""`(i, end, j, stop)`: the old lines from `i` to before `end` became the new from `j` to before `stop`."""


def _spans(old: list[bytes], new: list[bytes]) -> Iterator[Span]:
    blocks = [(0, 0, 0), *lines.common(old, new), (len(old), len(new), 0)]
    for (i, j, n), (following_i, following_j, _) in pairwise(blocks):
        if i + n < following_i or j + n < following_j:
            yield i + n, following_i, j + n, following_j


def _grouped(spans: Iterator[Span], context: int) -> Iterator[list[Span]]:
    """Those whose lines of context meet share a hunk."""
    group: list[Span] = []
    for span in spans:
        if group and span[0] - group[-1][1] > 2 * context:
            yield group
            group = []
        group.append(span)
    if group:
        yield group


def _range(first: int, end: int) -> bytes:
    length = end - first
    # An empty range names the line before it.
    start = first + 1 if length else first
    return b"%d" % start if length == 1 else b"%d,%d" % (start, length)


def _shown(sign: bytes, line: bytes) -> bytes:
    return sign + line if line.endswith(b"\n") else sign + line + b"\n\\ No newline at end of file\n"
