"""Beginning and end of a session: on a path, on a descriptor that somebody else mounted, after a crash."""

import asyncio
import errno
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lighthouse.mount import Mount, MountRefused, connection, mountpoint

NOBODY = 65534

SERVER = """
import asyncio, os, sys
from pathlib import Path
from lighthouse.config import Settings
from lighthouse.events import EventStore
from lighthouse.keys import KeyRing
from lighthouse.mount import Mount
from lighthouse.shadow import Shadow

async def serve(project, state, target):
    settings = Settings(project_path=project)
    store = EventStore.open(state, KeyRing(b"x" * 32))
    shadow = Shadow(project, state, store, settings)
    await shadow.start()
    mount = Mount(shadow, store, dict, settings)
    await mount.start(target)
    print(mount.detail, flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await mount.stop()
    await shadow.close()
    await store.close()

if len(sys.argv) > 4:
    os.setgroups([])
    os.setgid(int(sys.argv[4]))
    os.setuid(int(sys.argv[4]))
asyncio.run(serve(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
"""


@asynccontextmanager
async def server(
    project: Path, state: Path, target: str, *user: str, pass_fds: tuple[int, ...] = ()
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Another process that serves `project` at `target`; ends by itself at the end of the block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        SERVER,
        project,
        state,
        target,
        *user,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        pass_fds=pass_fds,
    )
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 20)
        assert line.startswith(b"serving"), line
        yield process
    finally:
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 20)
        except TimeoutError:
            process.kill()
            raise


async def test_a_stop_leaves_nothing_and_a_start_serves_again(world) -> None:
    mount = world.mount
    for _ in range(3):
        assert mount.alive
        assert mount.detail == f"serving {world.place}"
        assert await world.out("cat", world.current / "README") == "a project\n"
        await mount.stop()
        assert not mount.alive
        assert mount.detail == "not mounted"
        assert not mountpoint.is_mounted(str(world.place))
        assert list(world.place.iterdir()) == []
        await mount.stop()
        await mount.start(str(world.place))


async def test_a_change_while_it_is_stopped_is_there_after_the_start(world) -> None:
    await world.mount.stop()
    (world.project / "README").write_text("changed\n")
    await world.shadow.scan()
    await world.mount.start(str(world.place))
    assert await world.out("cat", world.current / "README") == "changed\n"


async def test_a_process_serves_one_mount(world, tmp_path: Path) -> None:
    with pytest.raises(MountRefused, match="already"):
        await world.mount.start(str(tmp_path / "other"))
    second = Mount(world.shadow, world.store, dict, world.settings)
    with pytest.raises(MountRefused, match="already"):
        await second.start(str(tmp_path / "other"))
    assert not second.alive
    assert "already" in second.detail
    assert await world.out("cat", world.current / "README") == "a project\n"


async def test_a_refused_start_can_be_followed_by_a_good_one(world) -> None:
    await world.mount.stop()
    for bad in ("/dev/fd/99999", str(world.project), str(world.project / "README"), "/proc/self/none"):
        with pytest.raises(MountRefused):
            await world.mount.start(bad)
    await world.mount.start(str(world.place))
    assert await world.out("cat", world.current / "README") == "a project\n"


GONE = re.compile("not connected|abort|No such file")


async def test_stopping_under_readers(world) -> None:
    command = f"while cat {world.current}/src/deep/data >/dev/null; do :; done"
    readers = [asyncio.create_task(world.run("sh", "-c", command)) for _ in range(8)]
    held = await world.away((world.current / "README").open, "rb", buffering=0)
    await world.mount.stop()
    with pytest.raises(OSError, match=GONE):
        await world.away(os.fstatvfs, held.fileno())
    held.close()
    for reader in readers:
        assert GONE.search((await reader).stderr)


async def test_readers_that_are_killed_do_not_stop_the_loop(world) -> None:
    loop = f"while :; do cat {world.current}/src/deep/data {world.current}/README; done"
    for _ in range(6):
        readers = [
            await asyncio.create_subprocess_exec(
                "sh", "-c", loop, stdout=asyncio.subprocess.DEVNULL, start_new_session=True
            )
            for _ in range(6)
        ]
        await world.out("cat", world.current / "README")
        for reader in readers:
            os.killpg(reader.pid, signal.SIGKILL)
        for reader in readers:
            await asyncio.wait_for(reader.wait(), 20)
    assert world.mount.alive
    assert await world.out("cat", world.current / "README") == "a project\n"


async def test_unmounted_by_somebody_else(world, wait_for) -> None:
    await world.away(mountpoint.detach, str(world.place))
    await wait_for(lambda: not world.mount.alive)
    assert "from outside" in world.mount.detail
    (world.project / "README").write_text("changed\n")
    await world.captured()
    await world.mount.stop()
    await world.mount.start(str(world.place))
    assert await world.out("cat", world.current / "README") == "changed\n"


async def test_a_descriptor_mounted_by_somebody_else(
    world, handed_over: Callable[..., int], tmp_path: Path
) -> None:
    await world.mount.stop()
    place = tmp_path / "handed"
    fd = await world.away(handed_over, place)
    await world.mount.start(f"/dev/fd/{fd}")
    assert world.mount.alive
    assert f"/dev/fd/{fd}" in world.mount.detail
    current = place / "current"
    assert await world.out("cat", current / "README") == "a project\n"
    (world.project / "README").write_text("changed\n")
    await world.captured()
    assert await world.out("cat", current / "README") == "changed\n"
    await world.mount.stop()
    # Unmounting is its maker's job; until then it answers with an error.
    assert mountpoint.is_mounted(str(place))
    with pytest.raises(OSError, match="not connected"):
        await world.away(os.statvfs, place)


async def test_a_writable_mount_by_somebody_else_cannot_be_written(
    world, handed_over: Callable[..., int], tmp_path: Path
) -> None:
    await world.mount.stop()
    place = tmp_path / "handed"
    await world.mount.start(f"/dev/fd/{await world.away(handed_over, place, 'rw')}")
    file = place / "current" / "README"
    writes: dict[str, Callable[[], object]] = {
        "write": lambda: file.write_text("no"),
        "append": lambda: file.open("a").close(),
        "read and truncate": lambda: os.open(file, os.O_RDONLY | os.O_TRUNC),
        "truncate": lambda: os.truncate(file, 0),
        "create": lambda: file.with_name("new").touch(),
        "mkdir": lambda: file.with_name("new").mkdir(),
        "mknod": lambda: os.mkfifo(file.with_name("new")),
        "unlink": file.unlink,
        "rmdir": file.with_name("src").rmdir,
        "rename": lambda: file.rename(file.with_name("new")),
        "symlink": lambda: file.with_name("new").symlink_to("x"),
        "link": lambda: os.link(file, file.with_name("new")),
        "chmod": lambda: file.chmod(0o777),
        "chown": lambda: os.chown(file, 1, 1),
        "utime": lambda: os.utime(file),
        "setxattr": lambda: os.setxattr(file, "user.x", b"1"),
        "removexattr": lambda: os.removexattr(file, "user.lighthouse.sha256"),
        "stream": lambda: (place / "streams/events").write_text("no"),
    }
    for name, write in writes.items():
        error = None
        try:
            await world.away(write)
        except OSError as raised:
            error = raised.errno
        assert error == errno.EROFS, name
    assert await world.out("diff", "-r", "--no-dereference", world.project, place / "current") == ""


async def test_what_is_opened_for_writing_once_the_kernel_opens_by_itself_is_not_written(
    world, handed_over: Callable[..., int], tmp_path: Path
) -> None:
    await world.mount.stop()
    place = tmp_path / "handed"
    await world.mount.start(f"/dev/fd/{await world.away(handed_over, place, 'rw')}")
    file = place / "current" / "README"
    assert await world.out("cat", file) == "a project\n"

    def write() -> None:
        opened = os.open(file, os.O_RDWR)
        try:
            os.write(opened, b"no")
        finally:
            os.close(opened)

    with pytest.raises(OSError, match="Read-only file system"):
        await world.away(write)
    assert await world.out("cat", file) == "a project\n"


async def test_a_descriptor_serves_one_start(
    world, handed_over: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.mount.stop()
    fd = await world.away(handed_over, tmp_path / "handed")
    second = os.dup(fd)
    await world.mount.start(f"/dev/fd/{fd}")
    await world.mount.stop()
    monkeypatch.setattr(connection, "PATIENCE", 0.3)
    with pytest.raises(MountRefused, match="mount anew"):
        await world.mount.start(f"/dev/fd/{second}")
    await world.mount.start(str(world.place))
    assert await world.out("cat", world.current / "README") == "a project\n"


async def test_a_descriptor_inherited_by_another_process(
    world, handed_over: Callable[..., int], project: Path, tmp_path: Path
) -> None:
    place = tmp_path / "handed"
    fd = await world.away(handed_over, place)
    os.set_inheritable(fd, True)
    async with server(project, tmp_path / "other", f"/dev/fd/{fd}", pass_fds=(fd,)):
        assert await world.out("cat", place / "current" / "README") == "a project\n"
    assert mountpoint.is_mounted(str(place))
    os.close(fd)
    with pytest.raises(OSError, match="not connected"):
        await world.away(os.statvfs, place)


async def test_a_killed_server_leaves_a_dead_mount_and_the_next_start_replaces_it(
    world, project: Path, tmp_path: Path
) -> None:
    place = tmp_path / "crashed"
    async with server(project, tmp_path / "other", str(place)) as process:
        reading = asyncio.create_task(
            world.run("sh", "-c", f"while cat {place}/current/src/deep/data >/dev/null; do :; done")
        )
        await world.out("cat", place / "current" / "README")
        process.kill()
    assert GONE.search((await reading).stderr)
    with pytest.raises(OSError, match="not connected"):
        await world.away(os.statvfs, place)
    await world.mount.stop()
    await world.mount.start(str(place))
    assert await world.out("cat", place / "current" / "README") == "a project\n"


async def test_a_living_mount_of_another_server_is_left_alone(world, project: Path, tmp_path: Path) -> None:
    place = tmp_path / "taken"
    await world.mount.stop()
    async with server(project, tmp_path / "other", str(place)):
        with pytest.raises(MountRefused, match="mounted already"):
            await world.mount.start(str(place))
        assert await world.out("cat", place / "current" / "README") == "a project\n"
    assert not mountpoint.is_mounted(str(place))


async def test_a_server_that_hangs_is_not_waited_for(
    world, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "hanging"
    await world.mount.stop()
    monkeypatch.setattr(connection, "PATIENCE", 0.5)
    async with server(project, tmp_path / "other", str(place)) as process:
        process.send_signal(signal.SIGSTOP)
        try:
            with pytest.raises(MountRefused, match="does not answer"):
                await world.mount.start(str(place))
        finally:
            process.send_signal(signal.SIGCONT)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
async def test_a_user_without_privileges_mounts(world, project: Path, tmp_path: Path) -> None:
    for path in (project, *project.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | 0o555 if path.is_dir() else path.stat().st_mode | 0o444)
    for name in ("theirs", "other"):
        (tmp_path / name).mkdir()
        os.chown(tmp_path / name, NOBODY, NOBODY)
    place = tmp_path / "theirs"
    async with server(project, tmp_path / "other", str(place), str(NOBODY)):
        done = await world.run("cat", place / "current" / "README", user=NOBODY, group=NOBODY)
        assert done.stdout == "a project\n"
    assert not mountpoint.is_mounted(str(place))
