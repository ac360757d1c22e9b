"""64 agents that store events over HTTP at the same time, each waiting until its event is on disk."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import msgspec

from bench.bridge import Bridge
from bench.cases.appending import DATA
from bench.cases.case import Setting
from bench.report import LIGHTHOUSE, Figure, Goal, Row
from bench.writers import Done, Task

WRITERS, PROCESSES = 64, 2
ROUNDS = 3
SECONDS, QUICK_SECONDS = 5.0, 0.5
START_SECONDS = 2.0
GOAL = 6000.0
BATCHES = (1, 10)


def http(setting: Setting) -> list[Row]:
    """One event a request, and ten; the server has what the clients leave of the machine."""
    project = setting.work / "project"
    project.mkdir()
    bridge = Bridge(project, setting.work / "state")
    bridge.start()
    try:
        return [_row(setting, bridge, batch) for batch in BATCHES]
    finally:
        bridge.stop()


def _row(setting: Setting, bridge: Bridge, batch: int) -> Row:
    seconds = QUICK_SECONDS if setting.quick else SECONDS
    figure = Figure.of([_write(bridge, seconds, batch) / seconds for _ in range(setting.rounds(ROUNDS))])
    name = f"{WRITERS} writers over HTTP, {'one event' if batch == 1 else f'{batch} events'} a request"
    return Row("http", name, "events/s", {LIGHTHOUSE: figure}, goal=Goal(GOAL, "value", least=True))


def _write(bridge: Bridge, seconds: float, batch: int) -> int:
    """How many events were acknowledged within the time."""
    host, _, port = bridge.address.rpartition(":")
    tokens = [bridge.token(f"writer-{number}") for number in range(WRITERS)]
    begin_at = time.time() + START_SECONDS
    tasks = [
        Task(host, int(port), tokens[number::PROCESSES], begin_at, seconds, batch, DATA) for number in range(PROCESSES)
    ]
    with ThreadPoolExecutor(PROCESSES) as pool:
        return sum(done.events for done in pool.map(_process, tasks))


def _process(task: Task) -> Done:
    command = [sys.executable, "-m", "bench.writers"]
    done = subprocess.run(command, input=msgspec.json.encode(task), stdout=subprocess.PIPE, check=True)
    return msgspec.json.decode(done.stdout, type=Done)
