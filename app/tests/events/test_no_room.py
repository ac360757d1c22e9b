"""A full disk: what does not fit is refused with NoRoom, nothing is half stored, the store mends itself."""

import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from lighthouse.events import Draft, Event, EventStore, NoRoom, Query

WaitFor = Callable[..., Awaitable[None]]

LARGE = Draft("note.added", {"text": "x" * 100_000})
SMALL = Draft("note.added", {"n": 1})


async def fill_up(store: EventStore) -> list[Event]:
    stored: list[Event] = []
    while store.last_error is None:
        try:
            stored += await store.append([SMALL, LARGE], agent_id="ann")
        except NoRoom:
            break
    return stored


async def test_quota_reached_and_raised(store: EventStore, wait_for: WaitFor) -> None:
    store.max_bytes = 1024 * 1024
    stored = await fill_up(store)
    assert 0 < len(stored) < 30
    assert store.last_error is not None
    assert "full" in store.last_error
    assert store.stats()["failed_groups"] >= 1
    assert (await store.query(Query())).events[: len(stored)] == stored

    store.max_bytes = None
    [event] = await store.append([LARGE], agent_id="ann")
    assert store.last_error is None
    assert event.seq >= len(stored) + 1
    report = await store.verify()
    assert (report.ok, report.events) == (True, event.seq)


async def test_store_finds_out_by_itself_that_there_is_room_again(
    store: EventStore, wait_for: WaitFor
) -> None:
    store.max_bytes = 1
    with pytest.raises(NoRoom):
        await store.append([LARGE], agent_id="ann")
    async with store.subscribe(1) as follower:
        store.max_bytes = None
        await wait_for(lambda: store.last_error is None)
        event = await anext(follower)
    assert (event.type, event.stream, event.agent_id) == ("store.recovered", "store", "lighthouse")
    assert (await store.append([SMALL], agent_id="ann"))[0].seq == 2


FULL_DISK = """
import asyncio, sys
from pathlib import Path
from lighthouse.events import Draft, EventStore, NoRoom, StoreUnavailable, verify_folder
from lighthouse.keys import KeyRing

async def main(disk):
    keyring = KeyRing(b"k" * 32)
    (disk / "ballast").write_bytes(b"x" * 1_500_000)
    store = EventStore.open(disk / "events", keyring)
    stored = []
    try:
        while True:
            stored += await store.append([Draft("note.added", {"text": "x" * 50_000})] * 2, agent_id="ann")
    except NoRoom:
        pass
    assert stored and store.last_error
    try:
        await store.append([Draft("note.added", {"text": "x" * 100_000})], agent_id="ann")
    except StoreUnavailable:
        pass
    else:
        raise AssertionError("stored on a full disk")
    (disk / "ballast").unlink()
    stored += await store.append([Draft("note.added", {"n": 1})], agent_id="ann")
    assert store.last_error is None
    assert (await store.verify()).ok
    await store.close()
    report = verify_folder(disk / "events", keyring)
    assert report.ok and report.events >= len(stored), report
    store = EventStore.open(disk / "events", keyring)
    assert store.head.seq == report.head_seq
    await store.close()
    print("mended")

asyncio.run(main(Path(sys.argv[1])))
"""


def test_disk_that_is_really_full(tmp_path: Path) -> None:
    """On a file system of 4 MB of its own, in a mount namespace of its own."""
    mount = f"mount -t tmpfs -o size=4m tmpfs {tmp_path}"
    unshare = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    if subprocess.run([*unshare, mount], capture_output=True, check=False).returncode != 0:
        pytest.skip("no mount namespace of one's own is allowed here")
    script = f'{mount} && exec "$0" -W error -c "$1" {tmp_path}'
    done = subprocess.run(
        [*unshare, script, sys.executable, FULL_DISK], capture_output=True, text=True, check=False, timeout=50
    )
    assert done.stdout == "mended\n", done.stderr
