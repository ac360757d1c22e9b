"""Trees that are replaced, changed all the time, or large."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from lighthouse.config import Settings
from lighthouse.mount import Mount
from lighthouse.shadow import Shadow


async def git(world, *arguments: str) -> None:
    author = ("-c", "user.name=ann", "-c", "user.email=ann@localhost")
    await world.out("git", *author, *arguments, cwd=world.project)


async def test_a_tree_replaced_by_a_checkout_of_another_branch(world) -> None:
    for number in range(300):
        folder = world.project / f"pkg-{number % 20}"
        folder.mkdir(exist_ok=True)
        (folder / f"module-{number}.py").write_text(f"one = {number}\n")
    await git(world, "init", "-q", "-b", "one")
    await git(world, "add", ".")
    await git(world, "commit", "-qm", "one")
    await git(world, "checkout", "-q", "-b", "two")
    for number in range(0, 300, 2):
        (world.project / f"pkg-{number % 20}" / f"module-{number}.py").write_text(f"two = {number}\n")
    for number in range(1, 300, 6):
        (world.project / f"pkg-{number % 20}" / f"module-{number}.py").unlink()
    (world.project / "pkg-3").rename(world.project / "moved")
    await git(world, "add", "-A")
    await git(world, "commit", "-qm", "two")
    for branch in ("one", "two", "one"):
        await world.run("grep", "-r", "nothing here", world.current)
        await git(world, "checkout", "-q", branch)
        await world.captured()
        command = ("diff", "-r", "--no-dereference", "-x", ".git", world.project, world.current)
        assert await world.out(*command) == ""
        listed = await world.out("find", ".", "-type", "f", cwd=world.current)
        prune = ("-name", ".git", "-prune", "-o")
        there = await world.out("find", ".", *prune, "-type", "f", "-print", cwd=world.project)
        assert sorted(listed.split()) == sorted(there.split())


CHANGER = """
import sys, time
from pathlib import Path
folder, seconds = Path(sys.argv[1]), float(sys.argv[2])
begun = time.monotonic()
number = 0
while time.monotonic() < begun + seconds:
    scratch = folder / "scratch.tmp"
    scratch.write_text(f"{number}\\n" * (number % 50 + 1))
    scratch.rename(folder / f"file-{number % 100}")
    number += 1
    time.sleep(max(0, begun + number / 1000 - time.monotonic()))
print(number)
"""

READER = """
import os, sys
from pathlib import Path
folder, read = Path(sys.argv[1]), 0
while not (folder / "stop").exists():
    for name in os.listdir(folder):
        try:
            text = (folder / name).read_text()
        except FileNotFoundError:
            continue
        if text and len(set(text.splitlines())) != 1:
            sys.exit(f"torn: {name} {sorted(set(text.splitlines()))}")
        read += 1
print(read)
"""


async def readers_during_changes(world, seconds: float) -> None:
    folder = world.project / "busy"
    folder.mkdir()
    await world.captured()
    readers = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-Sc",
            READER,
            world.current / "busy",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        for _ in range(64)
    ]
    changed = int(
        await world.out(sys.executable, "-Sc", CHANGER, folder, str(seconds), patience=seconds + 60)
    )
    (folder / "stop").touch()
    await world.captured()
    for reader in readers:
        output, errors = await asyncio.wait_for(reader.communicate(), 60)
        assert reader.returncode == 0, errors
        assert int(output) >= 0
    assert changed > 100
    assert await world.out("diff", "-r", "--no-dereference", world.project, world.current) == ""


@pytest.mark.timeout(120)
async def test_64_readers_during_a_thousand_changes_a_second(world) -> None:
    await readers_during_changes(world, 1)


@pytest.mark.soak
@pytest.mark.timeout(600)
async def test_64_readers_during_a_thousand_changes_a_second_for_a_minute(world) -> None:
    await readers_during_changes(world, 60)


@pytest.mark.soak
@pytest.mark.timeout(900)
async def test_a_hundred_thousand_files(world) -> None:
    def make() -> None:
        for folder in range(200):
            place = world.project / "many" / f"{folder:03}"
            place.mkdir(parents=True)
            for number in range(500):
                (place / f"file-{number}").write_text(f"{folder} {number}\n")
        flat = world.project / "flat"
        flat.mkdir()
        for number in range(20_000):
            (flat / f"file-{number}").touch()

    await world.away(make, patience=300)
    await world.captured()
    listed = await world.out("find", ".", cwd=world.current, patience=120)
    there = await world.out("find", ".", cwd=world.project, patience=120)
    assert sorted(listed.split()) == sorted(there.split())
    command = ("diff", "-rq", "--no-dereference", world.project, world.current)
    assert await world.out(*command, patience=300) == ""
    (world.project / "many/007/file-7").write_text("changed\n")
    await world.captured()
    assert await world.out("cat", world.current / "many/007/file-7") == "changed\n"
    past = world.place / "history" / str(world.shadow.current.seq)
    assert len(await world.away(os.listdir, past / "flat", patience=120)) == 20_000


@pytest.mark.soak
@pytest.mark.timeout(900)
async def test_a_file_of_two_gigabytes(world, tmp_path: Path) -> None:
    size = 2 * 1024**3
    pattern = os.urandom(1024 * 1024)

    def make() -> None:
        with (world.project / "huge").open("wb") as file:
            for number in range(size // len(pattern)):
                file.write(number.to_bytes(8, "big") + pattern[8:])
            file.write(b"end")

    await world.away(make, patience=300)
    await world.mount.stop()
    await world.shadow.close()
    settings = Settings(project_path=world.project, max_file_bytes=3 * 1024**3)
    world.shadow = Shadow(world.project, tmp_path / "state", world.store, settings)
    await asyncio.wait_for(world.shadow.start(), 600)
    world.mount = Mount(world.shadow, world.store, dict, settings)
    await world.mount.start(str(world.place))
    shown = world.current / "huge"
    assert (await world.away(shown.stat)).st_size == size + 3
    assert await world.out("tail", "-c", "3", shown) == "end"
    expected = (await world.out("sha256sum", world.project / "huge", patience=300)).split()[0]
    assert (await world.out("sha256sum", shown, patience=300)).split()[0] == expected
