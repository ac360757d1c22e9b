"""Agents who are there: each with its socket open, answering what it is asked; all in one process of their own.

Started by a case with a JSON object on standard input; ends with its input.
"""

import asyncio
import subprocess
import sys
from contextlib import aclosing
from types import TracebackType
from typing import Any, Self

import msgspec

from lighthouse.client import Client

END_SECONDS = 60.0


class Task(msgspec.Struct):
    """Who is to be there, and where."""

    url: str
    tokens: list[str]


class Company:
    """The process, while the block lasts."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def __enter__(self) -> Self:
        self._process = subprocess.Popen([sys.executable, "-m", "bench.company"], stdin=subprocess.PIPE)
        if self._process.stdin is not None:
            self._process.stdin.write(msgspec.json.encode(self._task) + b"\n")
            self._process.stdin.flush()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=END_SECONDS)
        if self._process.returncode and kind is None:
            raise RuntimeError("an agent failed; what it said is above")


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """What is answered to a question."""
    return {"answer": question["message"]}


async def _be_there(task: Task, token: str) -> None:
    async with Client(task.url, token) as agent, aclosing(agent.letters()) as letters:
        async for letter in letters:
            if letter.kind == "elicitation.request":
                await agent.respond(letter.data["id"], answer(letter.data))
            await letter.acknowledge()


async def _live(task: Task) -> None:
    agents = [asyncio.create_task(_be_there(task, token)) for token in task.tokens]
    ending = asyncio.create_task(asyncio.to_thread(sys.stdin.buffer.read))
    done, _ = await asyncio.wait({ending, *agents}, return_when=asyncio.FIRST_COMPLETED)
    for agent in agents:
        agent.cancel()
    await asyncio.gather(*agents, return_exceptions=True)
    for ended in done:
        ended.result()


if __name__ == "__main__":
    asyncio.run(_live(msgspec.json.decode(sys.stdin.buffer.readline(), type=Task)))
