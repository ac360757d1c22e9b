"""What a run found: rows of figures beside a baseline of the same run, and the machine they were found on."""

import statistics
from collections.abc import Sequence
from typing import Literal

import msgspec

Unit = Literal["s", "ms", "files/s", "events/s", "calls/s", "MB"]
LIGHTHOUSE = "lighthouse"


class Figure(msgspec.Struct, frozen=True):
    """The median of some samples, and how far apart they were."""

    value: float
    lowest: float
    highest: float
    samples: int

    @classmethod
    def of(cls, samples: Sequence[float]) -> "Figure":
        """The median, which one sample disturbed by others on the machine does not move."""
        return cls(statistics.median(samples), min(samples), max(samples), len(samples))


class Goal(msgspec.Struct, frozen=True):
    """What Lighthouse is to reach: a figure of its own, or a ratio to the baseline."""

    bound: float
    of: Literal["value", "ratio"]
    least: bool = False

    def met(self, row: "Row") -> bool:
        """Whether the row's figure is on the right side of the bound."""
        found = row.ratio(LIGHTHOUSE) if self.of == "ratio" else row.figures[LIGHTHOUSE].value
        return found >= self.bound if self.least else found <= self.bound


class Row(msgspec.Struct, frozen=True):
    """One measurement. `figures` by contender; `baseline` names the one that ratios are taken to, if any."""

    case: str
    name: str
    unit: Unit
    figures: dict[str, Figure]
    baseline: str | None = None
    goal: Goal | None = None
    note: str = ""

    def ratio(self, contender: str) -> float:
        """The contender's figure in units of the baseline's."""
        if self.baseline is None:
            raise ValueError(f"{self.name} has no baseline")
        return self.figures[contender].value / self.figures[self.baseline].value


class Data(msgspec.Struct, frozen=True):
    """What was measured on."""

    packages: list[str]
    files: int
    bytes: int


class Machine(msgspec.Struct, frozen=True):
    """Where it was measured; nothing that names a machine, only its kind."""

    cores: int
    processor: str
    memory_mib: int
    kernel: str
    python: str
    programs: dict[str, str]


class Report(msgspec.Struct, frozen=True):
    """A whole run, as it is kept in JSON. `loads`: load averages of one minute before each case."""

    command: str
    date: str
    version: str
    machine: Machine
    data: Data
    loads: dict[str, float]
    rows: list[Row]
    remarks: list[str]
