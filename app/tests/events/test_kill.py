"""kill -9 in the middle of writing: what was acknowledged is there, the chain holds, the store goes on."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from lighthouse.events import Draft, EventStore, Query, StoreRefused, verify_folder
from lighthouse.keys import KeyRing

SECRET = b"only-for-tests-0123456789-abcdef"

WRITER = """
import asyncio, sys
from pathlib import Path
from lighthouse.events import Draft, EventStore
from lighthouse.keys import KeyRing

async def main(folder, secret):
    store = EventStore.open(Path(folder), KeyRing(secret.encode()))
    async def write(name):
        number = 0
        while True:
            drafts = [Draft("note.added", {"n": number + i}, stream=name) for i in range(1 + number % 3)]
            for event in await store.append(drafts, agent_id=name):
                print(event.seq, event.id, event.mac, flush=True)
            number += 1
    await asyncio.gather(*(write(f"agent{i}") for i in range(8)))

asyncio.run(main(*sys.argv[1:]))
"""


def killed(folder: Path, acknowledged: int) -> dict[int, tuple[str, str]]:
    """The events that a writer process acknowledged until it was killed, after at least so many."""
    command = [sys.executable, "-c", WRITER, str(folder), SECRET.decode()]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert writer.stdout
    lines = [writer.stdout.readline() for _ in range(acknowledged)]
    writer.kill()
    lines += writer.stdout.readlines()
    writer.stdout.close()
    writer.wait(30)
    whole = [line.split() for line in lines if line.endswith("\n")]
    return {int(seq): (id, mac) for seq, id, mac in whole}


@pytest.mark.parametrize("acknowledged", [1, 20, 700])
async def test_every_acknowledged_event_is_there(folder: Path, keyring: KeyRing, acknowledged: int) -> None:
    promised: dict[int, tuple[str, str]] = {}
    for _ in range(2):
        promised |= killed(folder, acknowledged)
    assert len(promised) >= 2 * acknowledged
    report = verify_folder(folder, keyring)
    assert report.ok, report
    store = EventStore.open(folder, keyring)
    found: dict[int, tuple[str, str]] = {}
    async with store.subscribe(1) as follower:
        for _ in range(store.head.seq):
            event = await anext(follower)
            found[event.seq] = (event.id, event.mac)
    assert promised.items() <= found.items()
    [event] = await store.append([Draft("note.added", {})], agent_id="ann")
    assert event.seq == len(found) + 1
    assert (await store.query(Query(stream="default"))).events == [event]
    await store.close()


def test_lock_goes_with_its_process(folder: Path, keyring: KeyRing) -> None:
    killed(folder, 1)
    started = time.monotonic()
    EventStore.open(folder, keyring).close_sync()
    assert time.monotonic() - started < 30


def test_refusal_after_a_kill_leaves_the_write_ahead_log_as_it_was(folder: Path, keyring: KeyRing) -> None:
    killed(folder, 20)
    before = {name: (folder / name).read_bytes() for name in ("events.db", "events.db-wal", "anchor")}
    assert before["events.db-wal"]
    with pytest.raises(StoreRefused, match="another secret"):
        EventStore.open(folder, KeyRing(b"o" * 32))
    (folder / "anchor").unlink()
    with pytest.raises(StoreRefused, match="anchor is missing"):
        EventStore.open(folder, keyring)
    (folder / "anchor").write_bytes(before["anchor"])
    assert {name: (folder / name).read_bytes() for name in before} == before


def test_write_ahead_log_taken_away_is_a_cut_tail(folder: Path, keyring: KeyRing) -> None:
    store = EventStore.open(folder, keyring)
    store.append_sync([Draft("note.added", {})], agent_id="ann")
    store.close_sync()
    killed(folder, 20)
    (folder / "events.db-wal").unlink()
    with pytest.raises(StoreRefused, match="events were cut off or the file was rolled back"):
        EventStore.open(folder, keyring)
