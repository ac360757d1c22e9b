"""A report such as a run leaves."""

import pytest

from bench.report import LIGHTHOUSE, Data, Figure, Goal, Machine, Report, Row


def figure(value: float) -> Figure:
    return Figure(value, value / 2, value * 2, 3)


@pytest.fixture
def report() -> Report:
    """One row that is compared and meets its goal, one that stands alone and misses it."""
    others = {"native": figure(0.5), "bindfs": figure(1.5), "pyfuse3": figure(2.0), LIGHTHOUSE: figure(0.55)}
    rows = [
        Row("warm", "grep -rn, warm", "s", others, "native", Goal(1.15, "ratio")),
        Row("http", "64 writers", "events/s", {LIGHTHOUSE: figure(4321)}, goal=Goal(6000, "value", least=True)),
    ]
    machine = Machine(2, "Some processor", 24105, "Linux 6.18", "3.11.2", {"bindfs": "1.14.7"})
    data = Data(["django==5.2.19"], 10_000, 234_000_000)
    return Report("make bench PUBLISH=1", "2026-01-01T00:00:00Z", "0.1.0", machine, data, {"warm": 0.5}, rows, [])
