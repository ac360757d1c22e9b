"""One line of a `.gitignore` as a regular expression over bytes, with git's meaning.

Not pathspec, which works on text and lets `folder/**` ignore the folder itself, so that the common
`folder/**` with `!folder/keep` loses what it keeps (tests/shadow/test_gitignore.py compares with git).
"""

import re
from dataclasses import dataclass

_CLASSES = {
    b"alnum": b"A-Za-z0-9",
    b"alpha": b"A-Za-z",
    b"blank": rb" \t",
    b"cntrl": rb"\x00-\x1f\x7f",
    b"digit": b"0-9",
    b"graph": rb"\x21-\x7e",
    b"lower": b"a-z",
    b"print": rb"\x20-\x7e",
    b"punct": rb"\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e",
    b"space": rb" \t\n\r\f\v",
    b"upper": b"A-Z",
    b"xdigit": b"A-Fa-f0-9",
}
_STAR = b"*"


class _NoPattern(Exception):
    """The line cannot match anything, as an unclosed bracket."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """`matches` is asked with the entry's path from the `.gitignore`'s folder, without a slash at its end."""

    negated: bool
    only_folders: bool
    only_name: bool
    expression: re.Pattern[bytes]

    def matches(self, path: bytes, name: bytes, *, is_folder: bool) -> bool:
        if self.only_folders and not is_folder:
            return False
        return self.expression.fullmatch(name if self.only_name else path) is not None


def parse(line: bytes) -> Pattern | None:
    """The pattern of a line; None for blank lines, comments, and lines that can match nothing."""
    line = _trimmed(line.removesuffix(b"\r"))
    if not line or line.startswith(b"#"):
        return None
    negated = line.startswith(b"!")
    line = line[negated:]
    only_folders = line.endswith(b"/")
    line = line.removesuffix(b"/")
    only_name = b"/" not in line
    line = line.removeprefix(b"/")
    if not line:
        return None
    try:
        expression = re.compile(_path(_segments(line), only_name=only_name), re.DOTALL)
    except _NoPattern:
        return None
    return Pattern(negated, only_folders, only_name, expression)


def _trimmed(line: bytes) -> bytes:
    """Without spaces at the end, but for those behind a backslash."""
    kept = line.rstrip(b" ")
    backslashes = len(kept) - len(kept.rstrip(b"\\"))
    return line[: len(kept) + 1] if backslashes % 2 and len(kept) < len(line) else kept


def _segments(line: bytes) -> list[list[bytes]]:
    """The names between slashes, each as its tokens: `*`, or an expression for one byte."""
    segments: list[list[bytes]] = [[]]
    at = 0
    while at < len(line):
        char = line[at : at + 1]
        at += 1
        if char == b"\\":
            char = line[at : at + 1]
            at += 1
            if not char:
                raise _NoPattern
            if char != b"/":
                segments[-1].append(re.escape(char))
                continue
        if char == b"/":
            segments.append([])
        elif char == b"*":
            segments[-1].append(_STAR)
        elif char == b"?":
            segments[-1].append(b"[^/]")
        elif char == b"[":
            token, at = _bracket(line, at)
            segments[-1].append(token)
        else:
            segments[-1].append(re.escape(char))
    return segments


def _bracket(line: bytes, at: int) -> tuple[bytes, int]:
    """The bracket expression that starts before `at`, and where the line goes on."""
    negated = line[at : at + 1] in (b"!", b"^")
    at += negated
    members: list[bytes] = []
    first = True
    while first or line[at : at + 1] != b"]":
        first = False
        if line[at : at + 2] == b"[:":
            end = line.find(b":]", at + 2)
            if end < 0 or line[at + 2 : end] not in _CLASSES:
                raise _NoPattern
            members.append(_CLASSES[line[at + 2 : end]])
            at = end + 2
            continue
        low, at = _member(line, at)
        high = low
        if line[at : at + 1] == b"-" and line[at + 1 : at + 2] not in (b"]", b""):
            high, at = _member(line, at + 1)
        if low <= high:
            members.append(rb"\x%02x-\x%02x" % (low, high))
    # A slash is between names only, whatever the bracket says.
    inside = b"".join(members)
    if negated:
        return b"[^/" + inside + b"]", at + 1
    return (b"(?!/)[" + inside + b"]" if inside else b"(?!)"), at + 1


def _member(line: bytes, at: int) -> tuple[int, int]:
    if line[at : at + 1] == b"\\":
        at += 1
    if at >= len(line):
        raise _NoPattern
    return line[at], at + 1


def _path(segments: list[list[bytes]], *, only_name: bool) -> bytes:
    """The segments as one expression.

    A run of names between two `**` is matched at its earliest place and never again: what stands behind the
    next `**` can only lose by a later one. So no line, however hostile, makes the search exponential.
    """
    if only_name:
        return _name(segments[0])
    runs: list[list[bytes]] = [[]]
    for number, segment in enumerate(segments):
        if len(segment) > 1 and all(token is _STAR for token in segment):
            if runs[-1] or number == 0:
                runs.append([])
        else:
            runs[-1].append(_name(segment))
    head = b"/".join(runs[0])
    if len(runs) == 1:
        return head
    if head:
        head += b"/"
    middle = b"".join(b"(?>(?:.*?/)??" + b"/".join(run) + b"/)" for run in runs[1:-1])
    tail = b"/".join(runs[-1])
    return head + middle + (b"(?:.*/)?" + tail if tail else b".*")


def _name(tokens: list[bytes]) -> bytes:
    """One name's expression; stars but the last take the earliest match, for the same reason as above."""
    parts: list[bytes] = [b""]
    for token in tokens:
        if token is not _STAR:
            parts[-1] += token
        elif parts[-1] or len(parts) == 1:
            parts.append(b"")
    if len(parts) == 1:
        return parts[0]
    middle = b"".join(b"(?>[^/]*?" + part + b")" for part in parts[1:-1])
    return parts[0] + middle + b"[^/]*" + parts[-1]
