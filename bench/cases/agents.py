"""Agents who ask and tell each other, with a hundred connected: how long it takes."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from bench.bridge import Bridge
from bench.cases.case import Setting
from bench.company import Company, Task
from bench.report import LIGHTHOUSE, Figure, Goal, Row
from bench.sampling import percentile
from lighthouse.client import Client
from lighthouse.sessions import Role

AGENTS, QUICK_AGENTS = 100, 5
ROUNDS = 3
TIMES, QUICK_TIMES, WARM_TIMES = 500, 5, 20
SCHEMA = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}
START_SECONDS, PAUSE_SECONDS = 120.0, 0.1
SHARES = (0.5, 0.99)

Act = Callable[[Client, int], Awaitable[None]]
# Milliseconds, by the share of all.
Goals = dict[float, float]


def agents(setting: Setting) -> list[Row]:
    """A question put to one after the other, until its answer is back; a message, until it is on the disk."""
    project = setting.work / "project"
    project.mkdir()
    bridge = Bridge(project, setting.work / "state")
    bridge.start()
    try:
        url = f"http://{bridge.address}"
        number = QUICK_AGENTS if setting.quick else AGENTS
        tokens = [bridge.token(f"agent-{one}") for one in range(number)]
        with Company(Task(url, tokens)):
            _await(bridge, number)
            return [
                row
                for name, act, goals in ACTS
                for row in asyncio.run(_rows(setting, f"{name}, {number} agents there", url, bridge, act, goals))
            ]
    finally:
        bridge.stop()


def _await(bridge: Bridge, number: int) -> None:
    """Until so many sockets are open."""
    token, end = bridge.token("asker"), time.monotonic() + START_SECONDS
    while f"lighthouse_sockets {number}.0" not in bridge.get("/metrics", token).decode():
        if time.monotonic() > end:
            raise RuntimeError("the agents did not come")
        time.sleep(PAUSE_SECONDS)


async def _rows(setting: Setting, name: str, url: str, bridge: Bridge, act: Act, goals: Goals) -> list[Row]:
    times = QUICK_TIMES if setting.quick else TIMES
    others = QUICK_AGENTS if setting.quick else AGENTS
    rounds: list[list[float]] = []
    async with Client(url, bridge.token("asker", Role.AGENT)) as client:
        for number in range(WARM_TIMES):
            await act(client, number % others)
        for _ in range(setting.rounds(ROUNDS)):
            taken: list[float] = []
            for number in range(times):
                began = time.perf_counter()
                await act(client, number % others)
                taken.append((time.perf_counter() - began) * 1000)
            rounds.append(taken)
    return [
        Row(
            "agents",
            f"{name}, p{share * 100:g}",
            "ms",
            {LIGHTHOUSE: Figure.of([percentile(taken, share) for taken in rounds])},
            goal=Goal(goals[share], "value") if share in goals else None,
        )
        for share in SHARES
    ]


async def _ask(client: Client, number: int) -> None:
    question = await client.elicit(f"agent-{number}", f"what is {number}?", SCHEMA)
    if question.content != {"answer": f"what is {number}?"}:
        raise RuntimeError(f"{question.id} was {question.state}: {question.content}")


async def _tell(client: Client, number: int) -> None:
    await client.send_message(f"what I found in file {number}", to=f"agent-{number}")


ACTS: tuple[tuple[str, Act, Goals], ...] = (
    ("a question and its answer", _ask, {0.5: 5.0, 0.99: 20.0}),
    ("a message", _tell, {0.5: 5.0}),
)
