"""Who was told of a change sees nothing older: by a subscription, by a query, by the stream in the mount."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from lighthouse.events import Query
from lighthouse.mount import Mount
from tests.mount import reader_of_changes
from tests.mount.reader_of_changes import Watcher, change
from tests.mount.test_changes import both_ways

READER = Path(reader_of_changes.__file__)


async def stale_reads(world, changes: int, readers: int, patience: float = 30) -> list[str]:
    """Make `changes` changes under readers of each kind; what they complain of."""
    await world.mount.stop()
    # With streams of the usual size: the readers are to be told of every event.
    mount = Mount(world.shadow, world.store, dict, world.settings)
    await mount.start(str(world.place))
    try:
        return await told_of_old_bytes(world, mount, changes, readers, patience)
    finally:
        await mount.stop()


async def told_of_old_bytes(world, mount: Mount, changes: int, readers: int, patience: float) -> list[str]:
    (world.project / "sub").mkdir()
    await world.shadow.scan()
    await mount.settle()
    start = world.store.head.seq + 1
    outside = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-S", READER, world.place, str(changes), stdout=asyncio.subprocess.PIPE
        )
        for _ in range(readers)
    ]
    by_subscription = asyncio.create_task(subscribed(world, start, changes))
    by_query = asyncio.create_task(queried(world, start, changes))
    for number in range(changes):
        change(world.project, number)
        await asyncio.sleep(0.003)
    faults = await asyncio.wait_for(by_subscription, patience) + await asyncio.wait_for(by_query, patience)
    for reader in outside:
        output, _ = await asyncio.wait_for(reader.communicate(), patience)
        if reader.returncode:
            faults += output.decode().splitlines()
        assert output
    assert not mount.lagging
    return faults


async def subscribed(world, start: int, changes: int) -> list[str]:
    watcher = Watcher(world.current, changes)
    async with world.store.subscribe(start) as subscription:
        while watcher.told < changes - 1:
            await world.away(watcher.look, told(await anext(subscription)))
    return watcher.faults


async def queried(world, start: int, changes: int) -> list[str]:
    watcher = Watcher(world.current, changes)
    while watcher.told < changes - 1:
        page = await world.store.query(Query(from_seq=start, limit=20))
        for event in page.events:
            await world.away(watcher.look, told(event))
            start = event.seq + 1
        await asyncio.sleep(0.003)
    return watcher.faults


def told(event) -> dict[str, Any]:
    return {"seq": event.seq, "type": event.type, "data": json.loads(bytes(event.data))}


@both_ways
async def test_no_old_byte_after_its_event_was_seen(world) -> None:
    assert await stale_reads(world, 150, readers=2) == []


@pytest.mark.soak
@pytest.mark.timeout(1200)
async def test_no_old_byte_in_ten_thousand_changes(world) -> None:
    assert await stale_reads(world, 10_000, readers=2, patience=500) == []


async def test_a_kernel_that_does_not_answer_stops_neither_the_log_nor_its_readers(
    world, monkeypatch: pytest.MonkeyPatch, wait_for
) -> None:
    monkeypatch.setattr("lighthouse.mount.mount.PUBLISH_SECONDS", 0.1)
    await world.mount.stop()
    await world.mount.start(str(world.place))
    await world.out("cat", world.current / "README")
    hung = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hang() -> None:
        asyncio.run_coroutine_threadsafe(hung.wait(), loop).result()

    world.mount._invalidator.then(hang)
    (world.project / "README").write_text("second\n")
    await world.shadow.scan()
    last = world.shadow.current.seq
    await wait_for(lambda: world.store.head.seq >= last)
    assert world.mount.lagging
    hung.set()
    await wait_for(lambda: not world.mount.lagging)
    assert await world.out("cat", world.current / "README") == "second\n"
