"""Who reads a folder's files one after the other does not wait for the disk at each."""

import os


async def reads_from_disk(world, monkeypatch, names: list[str]) -> int:
    """How often readers of `names` had to wait for a thread."""
    reading = world.mount._reading
    waited = []
    original = reading.read

    async def read(content: bytes, offset: int, size: int) -> bytes:
        waited.append(content)
        found = await original(content, offset, size)
        # The next reader comes when what was fetched with this one is there.
        ahead = world.mount._top._live[2].ahead
        if ahead._fetching is not None:
            await ahead._fetching
        return found

    monkeypatch.setattr(reading, "read", read)
    for name in names:
        assert await world.away((world.current / "many" / name).read_text) == name
    return len(waited)


async def filled(world) -> list[str]:
    (world.project / "many").mkdir()
    for number in range(200):
        (world.project / "many" / f"file-{number}").write_text(f"file-{number}")
    await world.captured()
    await world.mount.stop()
    # What was read while it was captured is forgotten.
    world.shadow._reader._chunks = type(world.shadow._reader._chunks)(16 * 1024 * 1024)
    await world.mount.start(str(world.place))
    return await world.away(os.listdir, world.current / "many")


async def test_files_in_the_order_of_the_listing_are_fetched_together(world, monkeypatch) -> None:
    assert await reads_from_disk(world, monkeypatch, await filled(world)) < 20


async def test_one_file_of_a_folder_fetches_no_other(world, monkeypatch) -> None:
    names = await filled(world)
    assert await reads_from_disk(world, monkeypatch, names[:1]) == 1
    assert len(world.shadow._reader._chunks._values) == 1
