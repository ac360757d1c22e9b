"""64 agents that store events over HTTP at the same time, each waiting until its event is on disk."""

import json

from bench import load
from bench.bridge import Bridge
from bench.cases.appending import DATA
from bench.cases.case import Setting
from bench.report import LIGHTHOUSE, Figure, Goal, Row

WRITERS = 64
ROUNDS = 3
SECONDS, QUICK_SECONDS = 5.0, 0.5
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
    event = {"type": "edit.noted", "data": DATA}
    body = json.dumps(event if batch == 1 else {"events": [event] * batch})
    tokens = [bridge.token(f"writer-{number}") for number in range(WRITERS)]
    return batch * len(load.run(load.Task(bridge.address, "/event/store", tokens, [body], seconds)).latencies)
