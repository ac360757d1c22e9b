"""What code of another language does, as far as it was told."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Inline:
    """Paths that it reads, writes, removes and loads from, commands for a shell, why it is not known."""

    reads: list[str] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    deletes: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    unknown: str = ""
