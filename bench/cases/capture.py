"""The first capture of the tree, against copying and hashing it."""

import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

from bench import data
from bench.bridge import Bridge
from bench.cases.case import Setting
from bench.report import LIGHTHOUSE, Goal, Row
from bench.sampling import interleaved, seconds

COPY = "cp -r, sha256sum"
ROUNDS = 3
GOAL = 1500.0


def capture(setting: Setting) -> list[Row]:
    """From the start of `lighthouse serve` until it serves: every content compressed and on disk by then."""
    files = sum(1 for _ in data.walk(setting.tree))
    numbers = count()

    def contender(work: Callable[[Path, Path], float]) -> float:
        folder = setting.work / str(next(numbers))
        folder.mkdir()
        try:
            return files / work(setting.tree, folder)
        finally:
            shutil.rmtree(folder)

    figures = interleaved(
        {COPY: partial(contender, _copy), LIGHTHOUSE: partial(contender, _capture)}, setting.rounds(ROUNDS)
    )
    goal = Goal(GOAL, "value", least=True)
    note = "the whole start of the process counts; a copy is not brought to the disk, a capture is"
    return [Row("capture", "first capture", "files/s", figures, COPY, goal, note)]


def _copy(tree: Path, folder: Path) -> float:
    copied = folder / "copy"
    script = f"set -eo pipefail; cp -r '{tree}' '{copied}'; find '{copied}' -type f -print0 | xargs -0 sha256sum"
    return seconds(lambda: subprocess.run(["bash", "-c", script], stdout=subprocess.DEVNULL, check=True))


def _capture(tree: Path, folder: Path) -> float:
    bridge = Bridge(tree, folder / "state")
    try:
        return seconds(bridge.start)
    finally:
        bridge.stop()
