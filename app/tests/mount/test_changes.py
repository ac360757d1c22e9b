"""The kernel caches for an hour and is told of every change: nobody sees anything old once that is done."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

# Both pyfuse3: ours, with which the kernel opens by itself, and a stock one.
WAYS = ("by inode", "by handle")
both_ways = pytest.mark.parametrize("way", WAYS)


@both_ways
async def test_changed_content_is_seen_at_once(world) -> None:
    path = world.current / "src/main.py"
    for number in range(20):
        text = f"print({number})\n" * (number + 1)
        (world.project / "src/main.py").write_text(text)
        await world.captured()
        assert await world.out("cat", path) == text
        assert (await world.away(path.stat)).st_size == len(text)


@both_ways
async def test_nothing_is_asked_again_while_nothing_changes(world, way: str) -> None:
    async def look() -> None:
        await world.out("cat", world.current / "README", world.current / "link")
        await world.out("find", world.current, "-size", "+1")
        await world.out("ls", "-lR", world.current)

    await look()
    before = world.mount.operations_count
    await look()
    after = world.mount.operations_count
    asked = {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}
    # Each program asks once for the file system, and ls twice for extended attributes.
    allowed = {"statfs", "getxattr"}
    if way == "by handle":
        # A stock pyfuse3 has the kernel ask for links too.
        allowed |= {"open", "release", "opendir", "readdir", "releasedir", "readlink"}
    assert asked.keys() <= allowed
    assert asked.get("getxattr", 0) <= 2


async def test_a_file_made_after_it_was_looked_for(world) -> None:
    path = world.current / "src/new.py"
    for _ in range(3):
        assert not await world.away(path.exists)
    (world.project / "src/new.py").write_text("new")
    await world.captured()
    assert await world.out("cat", path) == "new"
    assert "new.py" in (await world.out("ls", world.current / "src")).split()


@both_ways
async def test_a_removed_file_is_gone(world) -> None:
    path = world.current / "src/main.py"
    await world.out("cat", path)
    (world.project / "src/main.py").unlink()
    await world.captured()
    assert not await world.away(path.exists)
    assert "main.py" not in (await world.out("ls", world.current / "src")).split()


@both_ways
async def test_a_renamed_folder(world) -> None:
    await world.out("grep", "-r", "print", world.current)
    (world.project / "src").rename(world.project / "source")
    await world.captured()
    assert await world.out("cat", world.current / "source/main.py") == "print('one')\n"
    assert not await world.away((world.current / "src/main.py").exists)
    assert not await world.away((world.current / "src").exists)
    assert await world.out("diff", "-r", "--no-dereference", world.project, world.current) == ""


@both_ways
async def test_a_file_becomes_a_folder_and_a_link_and_a_file_again(world) -> None:
    path = world.project / "README"
    shown = world.current / "README"
    await world.out("cat", shown)
    path.unlink()
    path.mkdir()
    (path / "inside").write_text("here")
    await world.captured()
    assert await world.out("ls", shown) == "inside\n"
    assert await world.out("cat", shown / "inside") == "here"
    (path / "inside").unlink()
    path.rmdir()
    path.symlink_to("empty")
    await world.captured()
    assert await world.away(os.readlink, shown) == "empty"
    path.unlink()
    path.write_text("again")
    await world.captured()
    assert await world.out("cat", shown) == "again"


@both_ways
async def test_mode_and_time_change_without_a_new_inode(world) -> None:
    shown = world.current / "README"
    before = await world.away(shown.stat)
    (world.project / "README").chmod(0o755)
    os.utime(world.project / "README", ns=(10**18, 10**18 + 1))
    await world.captured()
    after = await world.away(shown.stat)
    assert oct(after.st_mode) == oct(0o100550)
    assert after.st_mtime_ns == 10**18 + 1
    assert after.st_ino == before.st_ino


async def test_a_folders_time_moves_with_its_entries(world) -> None:
    before = await world.away((world.current / "src").stat)
    (world.project / "src/new").touch()
    await world.captured()
    after = await world.away((world.current / "src").stat)
    assert after.st_mtime_ns == (world.project / "src").stat().st_mtime_ns > before.st_mtime_ns
    assert after.st_ino == before.st_ino


KEEPER = """
import mmap, sys
with open(sys.argv[1], "rb") as opened, open(sys.argv[1], "rb", buffering=0) as unread:
    mapped = mmap.mmap(opened.fileno(), 0, prot=mmap.PROT_READ)
    assert mapped[:4096] == bytes(range(256)) * 16
    print("opened", flush=True)
    sys.stdin.readline()
    assert mapped[:] == unread.read() == bytes(range(256)) * 1000
    print("kept", flush=True)
"""


@both_ways
async def test_an_open_file_and_a_mapped_one_keep_what_was_opened(world) -> None:
    shown = world.current / "src/deep/data"
    # Not in this process: a mapping's page is fetched with the interpreter's lock held, and we serve it.
    keeper = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KEEPER, shown, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert await asyncio.wait_for(keeper.stdout.readline(), 20) == b"opened\n"
    (world.project / "src/deep/data").write_bytes(b"new")
    await world.captured()
    assert await world.out("cat", shown) == "new"
    (world.project / "src/deep/data").unlink()
    await world.captured()
    output, _ = await asyncio.wait_for(keeper.communicate(b"go on\n"), 20)
    assert output == b"kept\n"


@both_ways
async def test_a_working_folder_stays_one_through_changes_and_is_empty_once_removed(world) -> None:
    shell = await asyncio.create_subprocess_exec(
        "sh", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )

    async def ask(command: str) -> str:
        shell.stdin.write(f"{command} 2>&1; echo .\n".encode())
        lines = []
        while (line := (await asyncio.wait_for(shell.stdout.readline(), 20)).decode()) != ".\n":
            lines.append(line)
        return "".join(lines)

    try:
        assert await ask(f"cd {world.current}/src/deep; ls") == "data\n"
        (world.project / "src/deep/more").write_text("more")
        (world.project / "src/deep/data").write_text("other")
        await world.captured()
        assert await ask("ls; cat data more; /bin/pwd") == f"data\nmore\nothermore{world.current}/src/deep\n"
        for path in (world.project / "src/deep").iterdir():
            path.unlink()
        (world.project / "src/deep").rmdir()
        await world.captured()
        assert await ask("ls") == ""
        assert "No such file" in await ask("cat data")
    finally:
        shell.stdin.close()
        await asyncio.wait_for(shell.wait(), 20)


@both_ways
async def test_a_listing_under_way_neither_repeats_nor_breaks(world) -> None:
    folder = world.project / "many"
    folder.mkdir()
    for number in range(1000):
        (folder / f"{number:04}").touch()
    await world.captured()
    listing = await world.away(os.scandir, world.current / "many")
    seen = [(await world.away(next, listing)).name]
    for number in range(0, 1000, 2):
        (folder / f"{number:04}").unlink()
    (folder / "new").touch()
    await world.captured()
    seen += await world.away(lambda: [entry.name for entry in listing])
    assert len(seen) == len(set(seen))
    assert {f"{number:04}" for number in range(1, 1000, 2)} <= set(seen)


async def test_the_watcher_alone_brings_a_change_to_readers(world, wait_for) -> None:
    await world.out("cat", world.current / "README")
    (world.project / "README").write_text("saved\n")

    async def seen() -> bool:
        return await world.out("cat", world.current / "README") == "saved\n"

    await wait_for(seen)


READER = """
import os, sys
from pathlib import Path

folder = Path(sys.argv[1])
read = 0
while not (folder / "stop").exists():
    for name in os.listdir(folder):
        try:
            text = (folder / name).read_text()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            continue
        if text and len(set(text.splitlines())) != 1:
            sys.exit(f"torn: {name} {sorted(set(text.splitlines()))}")
        read += 1
print(read)
"""


@pytest.mark.timeout(120)
async def test_64_readers_during_changes_see_whole_files_and_never_old_ones_afterwards(world) -> None:
    folder = world.project / "busy"
    folder.mkdir()
    shown = world.current / "busy"
    for number in range(8):
        (folder / f"file-{number}").write_text("0\n" * 3000)
    await world.captured()
    readers = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-Sc",
            READER,
            shown,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        for _ in range(64)
    ]
    scratch: Path = world.project.parent / "scratch"
    for version in range(1, 26):
        name = f"file-{version % 8}"
        scratch.write_text(f"{version}\n" * (3000 + version))
        scratch.rename(folder / name)
        if version % 5 == 0:
            (folder / f"file-{(version + 3) % 8}").unlink(missing_ok=True)
        await world.captured()
        # Not one byte of before, from the moment on that the mount has settled.
        assert set((await world.out("cat", shown / name)).split()) == {str(version)}
    (folder / "stop").touch()
    await world.captured()
    for reader in readers:
        output, errors = await asyncio.wait_for(reader.communicate(), 60)
        assert reader.returncode == 0, errors
        assert int(output) >= 0
    assert world.mount.alive
    assert await world.out("diff", "-r", "--no-dereference", world.project, world.current) == ""


HAMMER = """
import os, sys
folder = sys.argv[1]
while not os.path.exists(folder + "/stop"):
    try:
        os.listdir(folder), os.stat(folder), os.stat(folder + "/inner"), os.path.exists(folder + "/maybe")
        os.stat(folder + "/file"), open(folder + "/file").read()
    except FileNotFoundError:
        pass
"""


@both_ways
async def test_no_answer_of_before_slips_into_the_cache_while_it_is_dropped(world) -> None:
    (world.project / "inner").mkdir()
    hammers = [
        await asyncio.create_subprocess_exec(sys.executable, "-Sc", HAMMER, world.current) for _ in range(4)
    ]
    for version in range(150):
        (world.project / "file").write_text(f"{version}" * (version % 7 + 1))
        (world.project / "inner" / f"{version}").touch()
        if version % 2:
            (world.project / "maybe").touch()
        else:
            (world.project / "maybe").unlink(missing_ok=True)
        await world.captured()

        def shown() -> list[object]:
            return [
                (world.current / "file").read_text(),
                (world.current / "file").stat().st_mtime_ns,
                (world.current / "inner").stat().st_mtime_ns,
                world.current.stat().st_mtime_ns,
                (world.current / "maybe").exists(),
                {os.fsencode(path.name) for path in world.current.iterdir()},
            ]

        snapshot = world.shadow.current
        assert await world.away(shown) == [
            f"{version}" * (version % 7 + 1),
            snapshot.lookup((b"file",)).mtime_ns,
            snapshot.lookup((b"inner",)).mtime_ns,
            snapshot.lookup(()).mtime_ns,
            version % 2 == 1,
            set(snapshot.children(())),
        ]
    (world.project / "stop").touch()
    await world.captured()
    for hammer in hammers:
        assert await asyncio.wait_for(hammer.wait(), 20) == 0
