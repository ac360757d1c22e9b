"""What the processes that serve the tree keep in memory."""

import re
import subprocess
from contextlib import ExitStack
from pathlib import Path

from bench.cases.case import Setting
from bench.contenders import NATIVE, Contender, all_of
from bench.report import Figure, Goal, Row

GOAL_MB = 200.0
RESIDENT, HIGHEST = "VmRSS", "VmHWM"


def memory(setting: Setting) -> list[Row]:
    """After the start, which for the shadow is a first capture, and after everything was listed and read twice."""
    with ExitStack() as stack:
        contenders = [contender for contender in all_of(setting.tree, setting.work) if contender.name != NATIVE]
        for contender in contenders:
            stack.callback(contender.stop)
            contender.start()
        started = _figures(contenders, RESIDENT)
        for contender in contenders:
            for _ in range(2):
                command = "ls -lR . >/dev/null && grep -rn 'no such text' . || true"
                subprocess.run(["bash", "-c", command], cwd=contender.folder, check=True, stdout=subprocess.DEVNULL)
        goal = Goal(GOAL_MB, "value")
        return [
            Row("memory", "memory after the start", "MB", started, goal=goal),
            Row("memory", "memory after reading all", "MB", _figures(contenders, RESIDENT), goal=goal),
            Row("memory", "memory at its highest", "MB", _figures(contenders, HIGHEST), goal=goal),
        ]


def _figures(contenders: list[Contender], what: str) -> dict[str, Figure]:
    return {contender.name: Figure.of([_megabytes(contender.pid, what)]) for contender in contenders}


def _megabytes(pid: int | None, what: str) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(rf"^{what}:\s+([0-9]+) kB$", status, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"the kernel tells no {what}")
    return int(found.group(1)) * 1024 / 1e6
