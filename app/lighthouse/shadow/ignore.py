"""What is not captured: the configured patterns, then the project's `.gitignore` files, as git reads them.

Rules form a chain from the root to a folder. A folder without a `.gitignore` shares its parent's chain, so
that "are the rules still the same" is one comparison of objects.
"""

import hashlib
from collections.abc import Iterable

from lighthouse.paths import ProjectPath
from lighthouse.shadow import gitignore

GITIGNORE = b".gitignore"
# Beyond this it is no list of patterns that a person wrote; the rest of such a file is not read.
MAX_GITIGNORE = 1024 * 1024


class Rules:
    """The rules in force for the entries of one folder and, until a deeper `.gitignore` speaks, beneath it.

    `depth`: of the folder whose `.gitignore` this is, 0 for the root; -1 for the configured patterns alone.
    `parent`: the rules of the folders above, asked where this file says nothing.
    """

    __slots__ = ("_configured", "_patterns", "depth", "digest", "parent")

    def __init__(
        self, lines: Iterable[bytes], *, depth: int = -1, digest: bytes = b"", parent: "Rules | None" = None
    ) -> None:
        # The last line that matches decides, so it is asked first.
        self._patterns = [found for line in lines if (found := gitignore.parse(line)) is not None][::-1]
        self._configured: Rules = self if parent is None else parent._configured
        self.depth = depth
        self.digest = digest
        self.parent = parent

    @classmethod
    def configured(cls, patterns: Iterable[str]) -> "Rules":
        """The start of every chain. These patterns are asked first: no project can bring `.git` back."""
        return cls(pattern.encode("utf-8", "surrogateescape") for pattern in patterns)

    def beneath(self, depth: int, content: bytes) -> "Rules":
        """The chain for a folder at `depth` that has a `.gitignore` of this content."""
        lines = content[:MAX_GITIGNORE].removeprefix(b"\xef\xbb\xbf").split(b"\n")
        return Rules(lines, depth=depth, digest=hashlib.sha256(content).digest(), parent=self)

    def holds(self, content: bytes) -> bool:
        """Whether these rules came from a `.gitignore` of this content."""
        return self.digest == hashlib.sha256(content).digest()

    def ignores(self, path: ProjectPath, *, is_folder: bool) -> bool:
        """Whether the entry at `path` is left out. What is beneath an ignored folder is never asked for."""
        verdict = self._configured._verdict(path, is_folder)
        rules = self
        while verdict is None and rules.parent is not None:
            verdict = rules._verdict(path[rules.depth :], is_folder)
            rules = rules.parent
        return verdict is True

    def _verdict(self, path: ProjectPath, is_folder: bool) -> bool | None:
        if not self._patterns:
            return None
        joined = b"/".join(path)
        for pattern in self._patterns:
            if pattern.matches(joined, path[-1], is_folder=is_folder):
                return not pattern.negated
        return None
