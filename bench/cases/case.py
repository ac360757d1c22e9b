"""What a case is told, and how it says what it could not do."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Setting:
    """The tree to measure on (not to be written to), an empty folder to work in, and how thorough to be.

    `corpus` holds the tool calls to judge; None: the project's own tables.
    """

    tree: Path
    work: Path
    quick: bool
    saves: int
    limit: int | None = None
    corpus: Path | None = None
    remarks: list[str] = field(default_factory=list)

    def rounds(self, full: int) -> int:
        """How often each contender takes its turn, where a whole run gives it `full`; at most `limit`."""
        return min(full, self.limit or full)
