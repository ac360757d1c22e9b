"""Opening a file of a past version, in a log with many events: through the mount, each version for the first time."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from bench import data, machine
from bench.bridge import Bridge
from bench.cases.case import Setting
from bench.report import LIGHTHOUSE, Figure, Goal, Row
from bench.sampling import percentile
from lighthouse.config import Settings
from lighthouse.events import Draft, EventStore
from lighthouse.keys import KeyRing, load_secret
from lighthouse.shadow import Shadow

VERSIONS, QUICK_VERSIONS = 1000, 10
EVENTS_BETWEEN = 99
OPENED, QUICK_OPENED = 200, 5
GOAL_MS = 20.0


class Past(NamedTuple):
    """A version, a file that it made another, and what that file was in it."""

    seq: int
    name: Path
    content: bytes


def history(setting: Setting) -> list[Row]:
    """The caches of bridge and kernel are empty at first; no version is looked into twice."""
    tree = data.copy(setting.tree, setting.work / "project")
    state = setting.work / "state"
    made = asyncio.run(_build(tree, state, QUICK_VERSIONS if setting.quick else VERSIONS))
    mount = setting.work / "mount"
    bridge = Bridge(tree, state, mount=mount)
    bridge.start()
    try:
        machine.drop_caches()
        choice = random.Random(2)
        opened = choice.sample(made, QUICK_OPENED if setting.quick else OPENED)
        taken = [_open(mount, past) for past in opened]
    finally:
        bridge.stop()
    note = f"{len(made):,} versions among {len(made) * (EVENTS_BETWEEN + 1):,} events"
    return [_row("p50", percentile(taken, 0.5), taken, note), _row("p99", percentile(taken, 0.99), taken, note)]


def _row(share: str, value: float, taken: list[float], note: str) -> Row:
    figure = Figure(value * 1000, min(taken) * 1000, max(taken) * 1000, len(taken))
    name = f"a past version's file, {share}"
    return Row("history", name, "ms", {LIGHTHOUSE: figure}, goal=Goal(GOAL_MS, "value"), note=note)


def _open(mount: Path, past: Past) -> float:
    began = time.perf_counter()
    content = (mount / "history" / str(past.seq) / past.name).read_bytes()
    taken = time.perf_counter() - began
    if content != past.content:
        raise RuntimeError(f"{past.name} is not what it was at {past.seq}")
    return taken


async def _build(tree: Path, state: Path, versions: int) -> list[Past]:
    """A store as it is after `versions` saves, each among other events."""
    choice = random.Random(3)
    names = [path.relative_to(tree) for path in data.walk(tree)]
    others = [Draft("tool.used", {"tool": "Read", "number": number}) for number in range(EVENTS_BETWEEN)]
    made = []
    async with _shadow(tree, state) as (shadow, store):
        for number in range(versions):
            name = choice.choice(names)
            content = f"version {number}\n".encode()
            (tree / name).write_bytes(content)
            await shadow.scan(everything=False)
            made.append(Past(shadow.current.seq, name, content))
            await store.append(others, agent_id="ann")
    return made


@asynccontextmanager
async def _shadow(tree: Path, state: Path) -> AsyncIterator[tuple[Shadow, EventStore]]:
    keyring = KeyRing(load_secret({}, create_at=state / "secret"))
    store = EventStore.open(state / "events", keyring)
    try:
        shadow = Shadow(tree, store.folder, store, Settings())
        await shadow.start()
        try:
            yield shadow, store
        finally:
            await shadow.close()
    finally:
        await store.close()
