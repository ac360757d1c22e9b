"""Events into the log: `append` against SQLite alone, with the same columns, indexes and durability."""

import asyncio
import shutil
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

from bench.cases.case import Setting
from bench.report import LIGHTHOUSE, Goal, Row
from bench.sampling import interleaved, seconds
from lighthouse.events import Draft, EventStore, schema
from lighthouse.keys import KeyRing

RAW, RAW_BARE = "raw SQLite", "raw SQLite, no index"
ROUNDS = 7
# Of each size as many as take about half a second.
SIZES = {1: 200, 100: 100, 1000: 20}
QUICK_BATCHES = 4
GOALS = {100: 0.6}
SECRET = b"only-for-measuring-0123456789-ab"
DATA = {"tool": "Edit", "path": "src/lighthouse/main.py", "lines": 12, "note": "renamed the reader of settings"}


def append(setting: Setting) -> list[Row]:
    """One by one and in batches, each batch durable before the next one begins."""
    rows = [_row(setting, size, RAW) for size in SIZES]
    # What the indexes cost that queries and idempotency keys need: a table without them is no log of this kind.
    return [*rows, _row(setting, 100, RAW_BARE)]


def _row(setting: Setting, size: int, raw: str) -> Row:
    batches = QUICK_BATCHES if setting.quick else SIZES[size]
    numbers = count()

    def contender(store: Callable[[Path, int, int], float]) -> float:
        # A new database each time: none is measured on what another turn left.
        folder = setting.work / str(next(numbers))
        folder.mkdir()
        try:
            return size * batches / store(folder, size, batches)
        finally:
            shutil.rmtree(folder)

    contenders = {raw: partial(contender, partial(_raw, indexed=raw == RAW)), LIGHTHOUSE: partial(contender, _appended)}
    figures = interleaved(contenders, setting.rounds(ROUNDS))
    goal = Goal(GOALS[size], "ratio", least=True) if raw == RAW and size in GOALS else None
    name = "append, one by one" if size == 1 else f"append, batches of {size:,}"
    return Row("append", name, "events/s", figures, raw, goal)


def _raw(folder: Path, size: int, batches: int, *, indexed: bool) -> float:
    """As a program that needs no chain would: the rows made beforehand, one `executemany` and commit a batch."""
    connection = schema.connect_writer(folder / schema.DATABASE)
    try:
        schema.migrate(connection)
        if not indexed:
            for index in ("stream", "type", "agent", "idempotency"):
                connection.execute(f"DROP INDEX events_{index}")
        rows = _rows(size * batches)
        statement = schema.INSERTS[1]

        def store() -> None:
            for start in range(0, len(rows), size):
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany(statement, rows[start : start + size])
                connection.execute("COMMIT")

        return seconds(store)
    finally:
        connection.close()


def _rows(number: int) -> list[tuple[object, ...]]:
    """Rows with contents of the same lengths as those that Lighthouse writes."""
    data = '{"lines":12,"note":"renamed the reader of settings","path":"src/lighthouse/main.py","tool":"Edit"}'
    ts, mac, kid = "2026-01-01T00:00:00.000000Z", "5f" * 32, "a1" * 8
    return [
        (
            seq,
            f"{seq:08x}-0000-4000-8000-{seq:012x}",
            ts,
            "tool.used",
            "default",
            "ann",
            data,
            mac,
            kid,
            mac,
            None,
            None,
        )
        for seq in range(1, number + 1)
    ]


def _appended(folder: Path, size: int, batches: int) -> float:
    store = EventStore.open(folder, KeyRing(SECRET))
    drafts = [Draft("tool.used", DATA)] * size

    async def run() -> None:
        for _ in range(batches):
            await store.append(drafts, agent_id="ann")

    try:
        return seconds(partial(asyncio.run, run()))
    finally:
        store.close_sync()
