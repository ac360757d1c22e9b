"""How long after a save the mount shows it: files saved by people's editors, one after the other."""

import random
import time
from pathlib import Path

from bench import data
from bench.bridge import Bridge
from bench.cases.case import Setting
from bench.report import LIGHTHOUSE, Figure, Goal, Row
from bench.sampling import percentile

GOAL_MS = 50.0
POLL_SECONDS = 0.0005
REST_SECONDS = 0.03
PATIENCE = 30.0
SMALL = 64 * 1024


def visible(setting: Setting) -> list[Row]:
    """From the end of the write until a read through the mount has the new content."""
    tree = data.copy(setting.tree, setting.work / "project")
    bridge = Bridge(tree, setting.work / "state", mount=setting.work / "mount")
    bridge.start()
    try:
        # Always the same ones, spread over the whole tree.
        choice = random.Random(1)
        small = [path.relative_to(tree) for path in data.walk(tree) if path.stat().st_size <= SMALL]
        taken = [_save(tree, setting.work / "mount" / "current", choice, small) for _ in range(setting.saves)]
    finally:
        bridge.stop()
    note = f"{setting.saves:,} saves"
    figures = {
        name: Figure(percentile(taken, share) * 1000, min(taken) * 1000, max(taken) * 1000, len(taken))
        for name, share in (("p50", 0.5), ("p99", 0.99))
    }
    return [
        Row("visible", "saved until visible, p50", "ms", {LIGHTHOUSE: figures["p50"]}, note=note),
        Row(
            "visible",
            "saved until visible, p99",
            "ms",
            {LIGHTHOUSE: figures["p99"]},
            goal=Goal(GOAL_MS, "value"),
            note=note,
        ),
    ]


def _save(tree: Path, shown: Path, choice: random.Random, names: list[Path]) -> float:
    """Replace a file as editors do, by a rename or in place, and read until it is there; seconds."""
    name = choice.choice(names)
    content = f"saved {choice.random()}\n".encode() + (tree / name).read_bytes()[:SMALL]
    (shown / name).read_bytes()  # so that the kernel has the old one cached
    if choice.random() < 0.5:
        beside = (tree / name).with_name(f".{name.name}.new")
        beside.write_bytes(content)
        beside.rename(tree / name)
    else:
        (tree / name).write_bytes(content)
    saved = time.perf_counter()
    while (shown / name).read_bytes() != content:
        if time.perf_counter() - saved > PATIENCE:
            raise RuntimeError(f"{name} was saved and never shown")
        time.sleep(POLL_SECONDS)
    taken = time.perf_counter() - saved
    # So that saves do not fall into step with what follows them.
    time.sleep(choice.random() * REST_SECONDS)
    return taken
