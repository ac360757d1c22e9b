"""streams/events: lines of JSON that `tail -f` follows, also across the bound."""

import asyncio
import json

import pytest

from lighthouse.events import Draft
from tests.mount.test_changes import both_ways


def notes(text: str) -> list[int]:
    events = [json.loads(line) for line in text.splitlines()]
    return [event["data"]["n"] for event in events if event["type"] == "note.added"]


async def shown(world, wait_for) -> None:
    """Return when the last event is in the stream."""
    mark = f'"seq":{world.store.head.seq},'

    async def there() -> bool:
        return mark in await world.out("cat", world.place / "streams/events")

    await wait_for(there)


@both_ways
async def test_the_stream_holds_the_log(world, wait_for) -> None:
    await world.append({"n": 1}, {"n": 2})
    await shown(world, wait_for)
    text = await world.out("cat", world.place / "streams/events")
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, world.store.head.seq + 1))
    assert notes(text) == [1, 2]
    assert set(lines[0]) == {"seq", "id", "ts", "type", "stream", "agent_id", "data", "prev", "kid", "mac"}
    assert (await world.away((world.place / "streams/events").stat)).st_size == len(text)


async def test_grep_ends(world, wait_for) -> None:
    await world.append({"n": 7})
    await shown(world, wait_for)
    assert "note.added" in await world.out("grep", "-r", "note.added", world.place / "streams")


async def test_a_new_session_begins_with_the_last_thousand_events(world) -> None:
    await world.mount.stop()
    for first in range(0, 1500, 500):
        await world.append(*({"n": number} for number in range(first, first + 500)))
    mount = type(world.mount)(world.shadow, world.store, dict, world.settings)
    await mount.start(str(world.place))
    try:
        text = await world.out("cat", world.place / "streams/events")
        assert notes(text) == list(range(500, 1500))
    finally:
        await mount.stop()


@pytest.mark.parametrize("follow", ["-f", "-F"])
@both_ways
async def test_tail_gets_every_event_across_the_bound(world, wait_for, follow: str) -> None:
    tail = await asyncio.create_subprocess_exec(
        "tail",
        "-n",
        "+1",
        "-s",
        "0.02",
        follow,
        world.place / "streams/events",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=1024 * 1024,
    )
    got: list[int] = []
    errors: list[bytes] = []

    async def collect() -> None:
        while line := await tail.stdout.readline():
            got.extend(notes(line.decode()))

    async def complain() -> None:
        while line := await tail.stderr.readline():
            errors.append(line)

    collecting = [asyncio.ensure_future(collect()), asyncio.ensure_future(complain())]
    try:
        # Some 400 bytes each: the bound of 16 KiB is passed several times.
        for number in range(0, 200, 5):
            await world.append(*({"n": each, "pad": "x" * 60} for each in range(number, number + 5)))
            await wait_for(lambda expected=number + 4: expected in got)
    finally:
        tail.terminate()
        await asyncio.wait_for(tail.wait(), 20)
        await asyncio.wait(collecting, timeout=20)
    # By its name the file is another one after each cut, and begins with what was there before.
    assert (got if follow == "-f" else sorted(set(got))) == list(range(200))
    assert follow == "-F" or not errors
    assert (await world.away((world.place / "streams/events").stat)).st_size <= 16 * 1024


async def test_a_subject_has_a_file_of_its_own(world, wait_for) -> None:
    draft = Draft("validation.requested", {"n": 3})
    await world.store.append([draft], agent_id="ann")
    await world.append({"n": 4})
    await shown(world, wait_for)
    text = await world.out("cat", world.place / "streams/validation_requests")
    assert [json.loads(line)["data"] for line in text.splitlines()] == [{"n": 3}]


@both_ways
async def test_a_reader_sees_what_came_since_its_last_read(world, wait_for) -> None:
    file = await world.away((world.place / "streams/events").open, "rb")
    try:
        before = await world.away(file.read)
        for number in range(3):
            await world.append({"n": number})
            more = b""

            async def read() -> bool:
                nonlocal more
                more += await world.away(file.read)
                return more.endswith(b"\n")

            await wait_for(read)
            assert notes(more.decode()) == [number]
        assert await world.away(file.seek, 0) == 0
        assert (await world.away(file.read)).startswith(before)
    finally:
        await world.away(file.close)


async def test_a_follower_is_told_of_a_saved_file(world, wait_for) -> None:
    (world.project / "README").write_text("saved\n")

    async def told() -> bool:
        text = await world.out("cat", world.place / "streams/events")
        return any(
            change["path"] == "README"
            for event in map(json.loads, text.splitlines())
            if event["type"] == "shadow.changed"
            for change in event["data"]["changes"]
        )

    await wait_for(told)
