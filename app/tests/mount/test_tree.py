"""What ordinary tools see of a project at rest."""

import os
import stat
from pathlib import Path

import pytest

from tests.mount.test_changes import both_ways

READERS = 12345
NOBODY = 65534


async def test_the_top_holds_the_promised_folders(world) -> None:
    found = await world.out("find", ".", "-path", "./current/*", "-prune", "-o", "-print", cwd=world.place)
    assert sorted(found.split()) == [
        ".",
        "./current",
        "./debug",
        "./debug/health.json",
        "./debug/operations",
        "./history",
        "./proposals",
        "./streams",
        "./streams/events",
        "./streams/validation_requests",
    ]


@both_ways
async def test_diff_finds_nothing(world) -> None:
    assert await world.out("diff", "-r", "--no-dereference", world.project, world.current) == ""


@both_ways
async def test_find_and_a_recursive_list_agree_with_the_project(world) -> None:
    for command in (["find", "."], ["ls", "-R"], ["grep", "-rn", "print", "."]):
        there = await world.out(*command, cwd=world.project)
        here = await world.out(*command, cwd=world.current)
        assert sorted(here.splitlines()) == sorted(there.splitlines())


async def test_modes_owner_size_and_time(world) -> None:
    shown = {}
    for name in (".", "README", "src/run", "link"):
        shown[name] = await world.away(os.lstat, world.current / name)
    assert stat.filemode(shown["."].st_mode) == "drwxr-x---"
    assert stat.filemode(shown["README"].st_mode) == "-r--r-----"
    assert stat.filemode(shown["src/run"].st_mode) == "-r-xr-x---"
    assert stat.filemode(shown["link"].st_mode) == "lrwxrwxrwx"
    assert {(each.st_uid, each.st_gid) for each in shown.values()} == {(0, READERS)}
    assert shown["README"].st_size == 10
    assert shown["README"].st_mtime_ns == (world.project / "README").stat().st_mtime_ns
    top = await world.away(os.stat, world.place)
    assert stat.filemode(top.st_mode) == "drwxr-x---"
    assert (top.st_uid, top.st_gid) == (0, READERS)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
async def test_a_member_of_the_group_reads_and_another_user_does_not(world) -> None:
    command = [
        "cat",
        world.current / "README",
        world.place / "streams/events",
        world.place / "debug/health.json",
    ]
    member = await world.run(*command, user=NOBODY, group=READERS, extra_groups=[])
    assert member.stdout.startswith("a project\n")
    assert member.returncode == 0
    stranger = await world.run(*command, user=NOBODY, group=NOBODY, extra_groups=[])
    assert stranger.stdout == ""
    assert stranger.stderr.count("Permission denied") == 3


async def test_links_are_links(world) -> None:
    assert await world.away(os.readlink, world.current / "link") == "src/main.py"
    assert await world.out("cat", world.current / "link") == "print('one')\n"


async def test_names_that_are_not_text_and_the_longest_names(world) -> None:
    odd = b"caf\xe9 \xff\n\x01"
    long = b"n" * 255
    for name in (odd, long):
        (world.project / os.fsdecode(name)).write_bytes(name)
    await world.captured()
    names = await world.away(os.listdir, os.fsencode(world.current))
    assert {odd, long} <= set(names)
    for name in (odd, long):
        assert await world.away((world.current / os.fsdecode(name)).read_bytes) == name
    with pytest.raises(OSError, match="File name too long"):
        await world.away((world.current / ("n" * 256)).stat)


@both_ways
async def test_a_folder_of_thousands_is_listed_whole(world) -> None:
    names = {f"file-{number:05}-{'x' * (number % 90)}" for number in range(4000)}
    (world.project / "many").mkdir()
    for name in names:
        (world.project / "many" / name).touch()
    await world.captured()
    listed = await world.away(os.listdir, world.current / "many")
    assert len(listed) == len(names)
    assert set(listed) == names


@both_ways
async def test_every_byte_of_a_large_file_at_any_offset(world) -> None:
    path = world.current / "src/deep/data"
    expected = (world.project / "src/deep/data").read_bytes()

    def pieces() -> bool:
        with path.open("rb", buffering=0) as file:
            return all(
                os.pread(file.fileno(), size, offset) == expected[offset : offset + size]
                for offset in (0, 1, 4095, 131071, 255_990, 256_000, 300_000)
                for size in (1, 4096, 200_000)
            )

    assert await world.away(pieces)
    assert await world.away(path.read_bytes) == expected


async def test_what_is_not_captured_shows_why(world) -> None:
    (world.project / "huge").write_bytes(b"\0" * (1024 * 1024 + 1))
    await world.captured()
    text = await world.away((world.current / "huge").read_text)
    assert "over the limit" in text
    assert (await world.away((world.current / "huge").stat)).st_size == len(text)
    assert await world.away(os.getxattr, world.current / "huge", "user.lighthouse.mark") == b"too_large"


async def test_extended_attributes_tell_the_hash(world) -> None:
    path = world.current / "README"
    assert await world.away(os.listxattr, path) == ["user.lighthouse.sha256"]
    digest = (await world.out("sha256sum", path)).split()[0]
    assert await world.away(os.getxattr, path, "user.lighthouse.sha256") == digest.encode()
    for name, message in (("user.other", "No data"), ("security.capability", "not supported")):
        with pytest.raises(OSError, match=message):
            await world.away(os.getxattr, path, name)
    assert await world.away(os.listxattr, world.current) == []


async def test_statfs_counts_what_is_there(world) -> None:
    shown = await world.away(os.statvfs, world.place)
    assert shown.f_files == 6
    assert shown.f_blocks * shown.f_frsize >= 256_000
    assert shown.f_bavail == 0
    assert shown.f_namemax == 255


WRITES = {
    "write": lambda path: path.write_text("no"),
    "append": lambda path: path.open("a").close(),
    "truncate": lambda path: os.truncate(path, 0),
    "create": lambda path: (path.parent / "new").touch(),
    "mkdir": lambda path: (path.parent / "new").mkdir(),
    "mknod": lambda path: os.mkfifo(path.parent / "new"),
    "unlink": lambda path: path.unlink(),
    "rmdir": lambda path: (path.parent / "src").rmdir(),
    "rename": lambda path: path.rename(path.parent / "new"),
    "symlink": lambda path: (path.parent / "new").symlink_to("x"),
    "link": lambda path: os.link(path, path.parent / "new"),
    "chmod": lambda path: path.chmod(0o777),
    "chown": lambda path: os.chown(path, 1, 1),
    "utime": lambda path: os.utime(path),
    "setxattr": lambda path: os.setxattr(path, "user.x", b"1"),
    "removexattr": lambda path: os.removexattr(path, "user.lighthouse.sha256"),
}


@pytest.mark.parametrize("write", WRITES)
async def test_nothing_can_be_written(world, write: str) -> None:
    with pytest.raises(OSError, match="Read-only file system"):
        await world.away(WRITES[write], world.current / "README")
    assert await world.out("diff", "-r", "--no-dereference", world.project, world.current) == ""


@both_ways
async def test_health_is_rendered_when_it_is_looked_at(world) -> None:
    path: Path = world.place / "debug/health.json"
    assert await world.away(path.read_text) == '{\n  "status": "ok"\n}\n'
    world.health["status"] = "failed, and longer than before"
    text = await world.away(path.read_text)
    assert "longer than before" in text
    assert (await world.away(path.stat)).st_size == len(text)


async def test_a_failing_operation_is_an_error_and_the_mount_lives_on(world, caplog) -> None:
    world.health["status"] = object()
    with pytest.raises(OSError, match="Input/output error"):
        await world.away((world.place / "debug/health.json").read_text)
    assert "failed" in caplog.text
    assert world.mount.alive
    assert await world.out("cat", world.current / "README") == "a project\n"


async def test_operations_are_counted(world) -> None:
    await world.out("cat", world.current / "README")
    counted = world.mount.operations_count
    assert counted["open"] == 1
    assert counted["read"] >= 1
    assert counted["lookup"] >= 2
    text = await world.out("cat", world.place / "debug/operations")
    assert "open 1\n" in text


async def test_proposals_are_beside_the_mount(world) -> None:
    link = await world.away(os.readlink, world.place / "proposals")
    assert link == str(world.settings.proposals_mount_point)
