"""Ordinary tools over the tree, warm and cold, on each of the file systems that show it."""

import hashlib
import os
import subprocess
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from bench import machine
from bench.cases.case import Setting
from bench.contenders import NATIVE, Contender, all_of
from bench.report import Goal, Row
from bench.sampling import interleaved, seconds

WARM_ROUNDS, CROWDED_ROUNDS, COLD_ROUNDS = 5, 3, 3
# In the tree some 100 times, so that the tools read everything and print little.
PATTERN = "raise NotImplementedError("
PATTERNS = ("lambda:", "import re", "yield from", "deprecated", "struct", "random", "KeyError", "unicode")
GREP, FIND, LS = "grep -rn", "find", "ls -lR"
COMMANDS: dict[str, tuple[str, ...]] = {
    GREP: (f"grep -rnF '{PATTERN}' .",),
    FIND: ("find .",),
    LS: ("ls -lR .",),
    # Through a pipe: GNU tar and grep do less when they see that nobody reads what they write.
    "tar": ("tar -cf - . | wc -c",),
    "rg -n": (f"rg -nF '{PATTERN}' .",),
    "8 greps at once": tuple(f"grep -rnF '{pattern}' . | tail -n 1" for pattern in PATTERNS),
}
WARM_GOALS = {GREP: 1.15, FIND: 1.7, LS: 1.0}
COLD_GOALS = {GREP: 4.0}
# ripgrep reads what grep reads, and a cold run costs a remount.
COLD_COMMANDS = tuple(name for name in COMMANDS if name != "rg -n")
# What they print must not depend on who shows the tree; owners and times in listings and archives do.
SAME_OUTPUT = (GREP, FIND)


def warm(setting: Setting) -> list[Row]:
    """Everything has been read once before."""
    with ExitStack() as stack:
        contenders = _started(setting, stack)
        rows = []
        for name, commands in COMMANDS.items():
            runs = {contender.name: partial(_run, contender.folder, commands) for contender in contenders}
            _check_same(name, {who: run() for who, run in runs.items()})
            timed = {who: partial(seconds, run) for who, run in runs.items()}
            goal = WARM_GOALS.get(name)
            rounds = setting.rounds(WARM_ROUNDS if len(commands) == 1 else CROWDED_ROUNDS)
            rows.append(_row("warm", name, timed, rounds, goal))
        return rows


def cold(setting: Setting) -> list[Row]:
    """Nothing is cached: mounted anew, the kernel's caches dropped."""
    if not machine.drop_caches():
        setting.remarks.append(
            "cold: this process may not drop the kernel's caches; mounts are made anew, but the disk's files stay "
            "cached, for native altogether"
        )
    with ExitStack() as stack:
        contenders = {contender.name: contender for contender in _started(setting, stack)}

        def remount(name: str) -> None:
            contenders[name].stop()
            contenders[name].start()
            machine.drop_caches()

        rows = []
        for name in COLD_COMMANDS:
            timed = {
                who: partial(seconds, partial(_run, contender.folder, COMMANDS[name]))
                for who, contender in contenders.items()
            }
            goal = COLD_GOALS.get(name)
            rows.append(_row("cold", name, timed, setting.rounds(COLD_ROUNDS), goal, remount))
        return rows


def _started(setting: Setting, stack: ExitStack) -> list[Contender]:
    contenders = all_of(setting.tree, setting.work)
    for contender in contenders:
        stack.callback(contender.stop)
        contender.start()
    return contenders


def _row(
    case: str,
    name: str,
    timed: Mapping[str, Callable[[], float]],
    rounds: int,
    goal: float | None,
    before: Callable[[str], None] | None = None,
) -> Row:
    figures = interleaved(timed, rounds, before)
    return Row(case, f"{name}, {case}", "s", figures, NATIVE, None if goal is None else Goal(goal, "ratio"))


def _run(folder: Path, commands: tuple[str, ...]) -> str:
    """Run the commands at the same time; a digest of what the first one printed, its lines sorted."""
    environment = {**os.environ, "LC_ALL": "C"}
    running = [
        subprocess.Popen(
            ["bash", "-c", f"set -o pipefail; {command}"],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # where grep says that a binary file matches
        )
        for command in commands
    ]
    outputs = [process.communicate()[0] for process in running]
    if any(process.returncode for process in running):
        raise RuntimeError(f"failed in {folder.name}: {commands}")
    return hashlib.sha256(b"\n".join(sorted(outputs[0].splitlines()))).hexdigest()


def _check_same(name: str, digests: dict[str, str]) -> None:
    if name in SAME_OUTPUT and len(set(digests.values())) > 1:
        odd = [who for who, digest in digests.items() if digest != digests[NATIVE]]
        raise RuntimeError(f"{name} prints something else on {', '.join(odd)} than on the disk")
