"""Many agents in some processes: `python -m tests.load.crowd` is one of them, `Crowd` starts them all."""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from tests.load.agent import Agent
from tests.load.told import Expected, Ledger, Plan

APP = Path(__file__).resolve().parents[2]
# An answer of a process is one line, which holds what its agents did.
LINE_BYTES = 256 * 1024 * 1024
END_SECONDS = 120.0

T = TypeVar("T")


async def live(plan: Plan, answers: asyncio.StreamReader) -> None:
    """All agents of one process: act, tell, wait for what is expected of them, tell again."""
    ledger = Ledger()
    leave: asyncio.Future[Expected] = asyncio.get_running_loop().create_future()
    acting = len(plan.tokens)

    def acted() -> None:
        nonlocal acting
        acting -= 1
        if acting == 0:
            _say(ledger)

    async def ask() -> None:
        leave.set_result(msgspec.json.decode(await answers.readline(), type=Expected))

    async with asyncio.TaskGroup() as group:
        group.create_task(ask())
        for name in plan.tokens:
            group.create_task(Agent(name, plan, ledger).live(leave, acted))
    _say(ledger)


def _say(ledger: Ledger) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(ledger) + b"\n")
    sys.stdout.buffer.flush()


class Crowd:
    """Agents in processes of their own, `share` in each."""

    def __init__(self, plans: Sequence[Plan]) -> None:
        self._plans = plans
        self._processes: list[asyncio.subprocess.Process] = []

    async def __aenter__(self) -> "Crowd":
        for plan in self._plans:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tests.load.crowd",
                cwd=APP,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=LINE_BYTES,
                env={**os.environ, "PYTHONPATH": str(APP)},
            )
            self._processes.append(process)
            self._tell(process, plan)
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in self._processes:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def acted(self) -> list[Ledger]:
        """What they did, once all have acted."""
        seconds = self._plans[0].seconds + END_SECONDS
        return await asyncio.gather(*(self._heard(process, seconds) for process in self._processes))

    async def leave(self, expected: Expected) -> list[Ledger]:
        """What they did and saw, once that is all that is expected, or they have waited long enough."""
        for process in self._processes:
            self._tell(process, expected)
        return await asyncio.gather(*(self._heard(process, END_SECONDS) for process in self._processes))

    def _tell(self, process: asyncio.subprocess.Process, what: Plan | Expected) -> None:
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(what) + b"\n")

    async def _heard(self, process: asyncio.subprocess.Process, seconds: float) -> Ledger:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), seconds)
        assert line, "a process of the crowd ended; what it said is above"
        return msgspec.json.decode(line, type=Ledger)


async def main() -> None:
    """One process."""
    answers = asyncio.StreamReader(limit=LINE_BYTES)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(answers), sys.stdin
    )
    await live(msgspec.json.decode(await answers.readline(), type=Plan), answers)


if __name__ == "__main__":
    asyncio.run(main())
