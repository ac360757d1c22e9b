"""Which paths a search looks at: globs as ripgrep's `-g` takes them, read as lines of `.gitignore`."""

from collections.abc import Sequence

from lighthouse.paths import ProjectPath, to_bytes
from lighthouse.search.errors import BadGlob
from lighthouse.search.types import TYPES
from lighthouse.shadow import gitignore

MAX_GLOBS = 256


class Globs:
    """The last glob that matches decides; with an including glob, a file that none matches is left out.

    A folder is entered unless a glob excludes it. `types` are a second condition of the same kind.
    """

    def __init__(self, globs: Sequence[str] = (), types: Sequence[str] = ()) -> None:
        self._globs = _parse(globs)[::-1]
        self._including = any(not glob.negated for glob in self._globs)
        self._types = _parse([glob for name in types for glob in _globs_of(name)])

    def enters(self, folder: ProjectPath) -> bool:
        """Whether the search looks into the folder."""
        return self._verdict(folder, is_folder=True) is not False

    def takes(self, file: ProjectPath) -> bool:
        """Whether the search looks at the file."""
        verdict = self._verdict(file, is_folder=False)
        if verdict is None:
            verdict = not self._including
        if not (verdict and self._types):
            return verdict
        return any(glob.matches(b"", file[-1], is_folder=False) for glob in self._types)

    def covers(self, path: ProjectPath) -> bool:
        """Whether the path, or a folder above it, is taken, and none of them is excluded.

        For paths that need not exist: whatever stands there may be a folder. The root is more than any glob
        takes.
        """
        if not path:
            return not self._globs
        verdicts = {self._verdict(path[:length], is_folder=True) for length in range(1, len(path) + 1)}
        return False not in verdicts and (True in verdicts or not self._including)

    def _verdict(self, path: ProjectPath, *, is_folder: bool) -> bool | None:
        joined = to_bytes(path) if self._globs else b""
        for glob in self._globs:
            if glob.matches(joined, path[-1], is_folder=is_folder):
                return not glob.negated
        return None


def alternatives(glob: str) -> list[str]:
    """`*.{c,h}` as `*.c` and `*.h`. Raises BadGlob for braces that do not pair, or too many alternatives."""
    found = [""]
    at = 0
    while at < len(glob):
        if glob[at] == "{":
            end, parts = _braces(glob, at)
            inner = [one for part in parts for one in alternatives(part)]
            found = [before + one for before in found for one in inner]
            if len(found) > MAX_GLOBS:
                raise BadGlob(f"a glob has more than {MAX_GLOBS} alternatives", "search in several steps")
        elif glob[at] == "}":
            raise BadGlob(f"the glob {glob!r} has a }} without its {{", r"write \} for the character")
        else:
            end = _unit(glob, at)
            found = [before + glob[at:end] for before in found]
        at = end
    return found


def _braces(glob: str, start: int) -> tuple[int, list[str]]:
    """Where the alternatives that begin at `start` end, and what stands between their commas."""
    parts, begun, depth, at = [], start + 1, 0, start
    while at < len(glob):
        end = _unit(glob, at)
        if glob[at] == "{":
            depth += 1
        elif glob[at] in ",}":
            depth -= glob[at] == "}"
            if depth == 0 or (depth == 1 and glob[at] == ","):
                parts.append(glob[begun:at])
                begun = end
            if depth == 0:
                return end, parts
        at = end
    raise BadGlob(f"the glob {glob!r} has a {{ without its }}", r"write \{ for the character")


def _unit(glob: str, at: int) -> int:
    """Where the character at `at` ends, an escape or a bracket expression taken as one."""
    if glob[at] == "\\":
        return min(at + 2, len(glob))
    if glob[at] == "[":
        # A ] right after the opening is a member.
        inside = at + 1 + (glob[at + 1 : at + 2] in ("!", "^"))
        end = glob.find("]", inside + 1)
        return end + 1 if end > 0 else at + 1
    return at + 1


def _parse(globs: Sequence[str]) -> list[gitignore.Pattern]:
    found: list[gitignore.Pattern] = []
    for glob in globs:
        for one in alternatives(glob):
            if (pattern := gitignore.parse(one.encode("utf-8", "surrogateescape"))) is None:
                raise BadGlob(f"the glob {glob!r} can match nothing", "write it as a line of .gitignore")
            found.append(pattern)
        # At each: a hundred globs of so many alternatives each would take long to be read.
        if len(found) > MAX_GLOBS:
            raise BadGlob(f"more than {MAX_GLOBS} globs", "search in several steps")
    return found


def _globs_of(name: str) -> tuple[str, ...]:
    if name not in TYPES:
        raise BadGlob(f"there is no file type {name!r}", f"use a glob, or one of {', '.join(sorted(TYPES))}")
    return TYPES[name]
