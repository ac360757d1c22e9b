"""The folder of the proposals: what may be made there, patches, quotas, rebases, other users, the end."""

import asyncio
import errno
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lighthouse.events import NoRoom
from lighthouse.mount import proposal_operations
from lighthouse.proposals import ProposalBusy, ProposalConflict, scratch
from lighthouse.shadow import Shadow


def failure(call, *args, **kwargs) -> int | None:
    """The errno of what the call raises."""
    try:
        call(*args, **kwargs)
    except OSError as error:
        return error.errno
    return None


async def refused(desk, call, *args, **kwargs) -> int | None:
    return await desk.away(failure, call, *args, **kwargs)


async def test_the_top_folder(desk) -> None:
    assert sorted(await desk.away(os.listdir, desk.place)) == ["draft", "draft.patch"]
    await desk.away(os.mkdir, desk.place / "second")
    (made,) = [event for event in await desk.events("proposal.created") if event.value["name"] == "second"]
    assert made.value["uid"] == os.getuid()
    assert made.value["base"] == desk.shadow.current.seq
    assert made.agent_id == "lighthouse"
    assert await desk.away((desk.place / "second/src/main.py").read_text) == "print('one')\n"
    assert await refused(desk, os.mkdir, desk.place / "draft") == errno.EEXIST
    assert await refused(desk, os.mkdir, desk.place / "1st") == errno.EINVAL
    assert await refused(desk, os.mkdir, desk.place / "a.patch") == errno.EINVAL
    assert await refused(desk, (desk.place / "file").touch) == errno.EPERM
    assert await refused(desk, os.rmdir, desk.place / "second") == errno.EPERM
    assert await refused(desk, os.rename, desk.place / "second", desk.place / "third") == errno.EPERM
    assert await refused(desk, os.rename, desk.here / "README", desk.place / "second/R") == errno.EXDEV
    await desk.out("mv", desk.here / "README", desk.place / "second/R")
    assert await desk.away((desk.place / "second/R").read_text) == "a project\n"


async def test_the_patch_is_read_only(desk) -> None:
    assert await refused(desk, desk.patch.write_text, "x") == errno.EACCES
    assert await refused(desk, os.truncate, desk.patch, 0) == errno.EPERM
    assert await refused(desk, os.unlink, desk.patch) == errno.EPERM
    await desk.away((desk.here / "README").write_text, "mine\n")
    size = (await desk.away(desk.patch.stat)).st_size
    patch = await desk.away(desk.patch.read_text)
    assert len(patch) == size
    assert "-a project\n+mine\n" in patch


async def test_patches_that_are_open_do_not_take_all_descriptors(desk, monkeypatch) -> None:
    monkeypatch.setattr(proposal_operations, "MAX_PATCHES", 2)
    first = await desk.away(desk.patch.open)
    second = await desk.away(desk.patch.open)
    assert await refused(desk, desk.patch.open) == errno.ENFILE
    await desk.away(first.close)
    await desk.away((await desk.away(desk.patch.open)).close)
    await desk.away(second.close)


async def test_one_event_for_a_file_that_was_created_and_written(desk) -> None:
    before = len(await desk.changed())
    await desk.away((desk.here / "new").write_text, "hello\n")
    (edit,) = (await desk.changed())[before:]
    assert (edit["op"], edit["path"], edit["size"], edit["kind"]) == ("created", "new", 6, "file")
    await desk.away((desk.here / "new").write_text, "hello again\n")
    await desk.away(os.rename, desk.here / "new", desk.here / "newer")
    await desk.away(os.chmod, desk.here / "newer", 0o755)
    await desk.away(os.unlink, desk.here / "newer")
    assert [edit["op"] for edit in (await desk.changed())[before + 1 :]] == [
        "modified",
        "renamed",
        "mode",
        "deleted",
    ]


async def test_an_event_names_the_user_and_the_agent_bound_to_it(desk) -> None:
    await desk.proposals.create("bound", agent="eve", uid=os.getuid())
    await desk.away((desk.place / "bound/x").write_text, "x")
    await desk.away((desk.here / "x").write_text, "x")
    bound, draft = (await desk.events("proposal.changed"))[-2:]
    assert (bound.agent_id, bound.value["agent"], bound.value["uid"]) == ("eve", "eve", os.getuid())
    assert (draft.agent_id, draft.value.get("agent"), draft.value["uid"]) == ("lighthouse", None, os.getuid())


@pytest.mark.parametrize("quota", [{"proposal_max_bytes": 100_000}])
async def test_bytes_over_the_quota(desk) -> None:
    def fill(path: Path, size: int) -> None:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            os.write(fd, b"x" * size)
        finally:
            os.close(fd)

    assert await refused(desk, fill, desk.here / "big", 120_000) == errno.EDQUOT
    assert await refused(desk, fill, desk.here / "fits", 90_000) is None
    assert await refused(desk, os.truncate, desk.here / "fits", 110_000) == errno.EDQUOT
    assert (await desk.away((desk.here / "fits").stat)).st_size == 90_000
    assert await refused(desk, fill, desk.here / "more", 20_000) == errno.EDQUOT
    await desk.away(os.unlink, desk.here / "fits")
    assert await refused(desk, fill, desk.here / "more", 20_000) is None
    room = await desk.away(os.statvfs, desk.place)
    assert room.f_blocks * room.f_frsize <= 100_000
    await desk.restart()
    assert await refused(desk, fill, desk.here / "again", 85_000) == errno.EDQUOT
    assert await refused(desk, fill, desk.here / "again", 75_000) is None


@pytest.mark.parametrize("quota", [{"proposal_max_entries": 20}])
async def test_entries_over_the_quota(desk) -> None:
    made = 0
    while (number := await refused(desk, (desk.here / f"n{made}").touch)) is None:
        made += 1
        assert made < 30
    assert number == errno.EDQUOT
    assert 10 <= made <= 20
    for call in (os.mkdir, lambda path: path.symlink_to("x")):
        assert await refused(desk, call, desk.here / "other") == errno.EDQUOT
    assert await refused(desk, os.rename, desk.here / "README", desk.here / "R") == errno.EDQUOT
    assert await refused(desk, (desk.here / "README").write_text, "x") == errno.EDQUOT
    assert await desk.away((desk.here / "README").read_text) == "a project\n"
    for number in range(6):
        await desk.away(os.unlink, desk.here / f"n{number}")
    assert await refused(desk, (desk.here / "README").write_text, "x") is None


async def test_what_was_not_captured_cannot_be_changed(desk) -> None:
    (desk.project / "large").write_bytes(bytes(2 * 1024 * 1024))
    await desk.shadow.scan()
    await desk.away(os.mkdir, desk.place / "later")
    large = desk.place / "later/large"
    assert "not captured" in await desk.away(large.read_text)
    assert await refused(desk, large.write_text, "x") == errno.EACCES
    assert await refused(desk, os.truncate, large, 0) == errno.EACCES
    assert await refused(desk, os.unlink, large) == errno.EACCES


async def test_a_rebase_under_open_files_and_working_folders(desk) -> None:
    await desk.away((desk.here / "src/deep/mine").write_text, "mine\n")
    reader = await desk.away((desk.here / "README").open)
    same = await desk.away((desk.here / "src/main.py").stat)
    cwd = await desk.away(os.open, desk.here / "src/deep", os.O_RDONLY)
    (desk.project / "README").write_text("another text\n")
    (desk.project / "src/theirs").write_text("theirs\n")
    await desk.shadow.scan()
    await desk.proposals.rebase("draft", agent="ann")
    await desk.mount.settle()
    assert await desk.away((desk.here / "README").read_text) == "another text\n"
    assert await desk.away((desk.here / "src/theirs").read_text) == "theirs\n"
    assert await desk.away((desk.here / "src/deep/mine").read_text) == "mine\n"
    assert await desk.away(reader.read) == "a project\n"
    assert (await desk.away((desk.here / "src/main.py").stat)).st_ino == same.st_ino
    assert sorted(await desk.away(os.listdir, cwd)) == ["data", "mine"]
    await desk.away(reader.close)
    await desk.away(os.close, cwd)
    await desk.restart()
    assert await desk.away((desk.here / "src/deep/mine").read_text) == "mine\n"
    assert await desk.away((desk.here / "src/theirs").read_text) == "theirs\n"


async def test_no_rebase_while_a_file_is_being_written(desk) -> None:
    writer = await desk.away((desk.here / "README").open, "w", buffering=1)
    await desk.away(writer.write, "half\n")
    (desk.project / "more").touch()
    await desk.shadow.scan()
    with pytest.raises(ProposalBusy):
        await desk.proposals.rebase("draft", agent="ann")
    await desk.away(writer.close)
    await desk.proposals.rebase("draft", agent="ann")


async def test_a_conflict_changes_nothing(desk) -> None:
    await desk.away((desk.here / "README").write_text, "mine\n")
    (desk.project / "README").write_text("theirs\n")
    await desk.shadow.scan()
    with pytest.raises(ProposalConflict, match="README"):
        await desk.proposals.rebase("draft", agent="ann")
    assert await desk.away((desk.here / "README").read_text) == "mine\n"
    assert await desk.events("proposal.rebased") == []


async def test_a_withdrawn_proposal_is_gone_for_those_inside_too(desk) -> None:
    cwd = await desk.away(os.open, desk.here / "src", os.O_RDONLY)
    writer = await desk.away((desk.here / "README").open, "w", buffering=1)
    await desk.away(writer.write, "half\n")
    await desk.proposals.withdraw("draft", agent="ann", reason="not needed")
    await desk.mount.settle()
    assert await desk.away(os.listdir, desk.place) == []
    assert not await desk.away(desk.here.exists)
    assert not await desk.away(desk.patch.exists)
    assert await desk.away(os.listdir, cwd) == []
    assert await refused(desk, writer.write, "more\n") == errno.ESTALE
    await refused(desk, writer.close)
    await desk.away(os.close, cwd)
    await desk.away(os.mkdir, desk.here)
    assert await desk.away((desk.here / "README").read_text) == "a project\n"


async def test_applied_is_found(desk, wait_for) -> None:
    await desk.away((desk.here / "README").write_text, "better\n")
    await desk.away(os.rename, desk.here / "src/run", desk.here / "go")
    patch = await desk.away(desk.patch.read_bytes)
    (desk.project / "README").write_text("better\n")
    await desk.shadow.scan()
    await desk.away(desk.patch.stat)
    assert desk.proposals.get("draft").state == "open"
    (desk.project / "README").write_text("a project\n")
    subprocess.run(["git", "apply", "-"], input=patch, cwd=desk.project, check=True)
    await desk.shadow.scan()
    await wait_for(lambda: desk.proposals.get("draft").state == "applied")
    (event,) = await desk.events("proposal.applied")
    assert (event.value["by"], event.agent_id) == ("found", "lighthouse")
    kept = await desk.proposals.patch(desk.proposals.get("draft"))
    assert kept.read(0, kept.size) == patch


async def test_the_mount_may_be_ended_and_started_again(desk) -> None:
    await desk.away((desk.here / "x").write_text, "x")
    await desk.mount.stop()
    assert not desk.mount.alive
    assert await desk.away(os.listdir, desk.place) == []
    await desk.mount.start(str(desk.place))
    assert await desk.away((desk.here / "x").read_text) == "x"


async def test_another_user_may_write_where_the_mount_lets_it_in(desk, handed_over, tmp_path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    await desk.mount.stop()
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)
    place = tmp_path / "shared"
    descriptor = await desk.away(handed_over, place, "nosuid,nodev,noexec,allow_other")
    await desk.mount.start(f"/dev/fd/{descriptor}")
    script = "echo x > x; mkdir d; cp -a x d/y; chmod +x d/y; sed -i s/one/two/ src/main.py; ls -l"
    done = await desk.run("sh", "-ec", script, cwd=place / "draft", user=65534, group=65534, extra_groups=[])
    assert done.returncode == 0, done
    assert {event.value["uid"] for event in await desk.events("proposal.changed")} == {65534}
    assert await desk.away((place / "draft/src/main.py").read_text) == "print('two')\n"
    await desk.mount.stop()


SERVER = """
import asyncio, sys
from pathlib import Path
from lighthouse.config import Settings
from lighthouse.events import EventStore
from lighthouse.keys import KeyRing
from lighthouse.mount.proposal_mount import ProposalMount
from lighthouse.proposals import Proposals
from lighthouse.shadow import Shadow

async def serve(project, state, place):
    settings = Settings(project_path=project)
    store = EventStore.open(state, KeyRing(b"x" * 32))
    shadow = Shadow(project, state, store, settings)
    await shadow.start()
    proposals = Proposals(shadow, store, settings)
    await proposals.start()
    mount = ProposalMount(proposals, shadow, settings)
    await mount.start(place)
    print(mount.detail, flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await mount.stop()
    await proposals.close()
    await shadow.close()
    await store.close()

asyncio.run(serve(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
"""


@asynccontextmanager
async def server(project: Path, state: Path, place: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Another process that serves the proposals of `project` at `place`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        SERVER,
        project,
        state,
        place,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 20)
        assert line.startswith(b"serving"), line
        yield process
    finally:
        process.stdin.close()
        await asyncio.wait_for(process.wait(), 20)


async def test_what_was_acknowledged_survives_a_kill(project, tmp_path) -> None:
    state, place = tmp_path / "state", tmp_path / "mount"
    acknowledged: dict[str, bytes] = {}

    def work() -> None:
        """Change things until the server is gone, noting what was answered."""
        (place / "p").mkdir()
        for number in range(100_000):
            name, content = f"f{number}", os.urandom(number % 5000)
            try:
                (place / "p" / name).write_bytes(content)
                acknowledged[name] = content
                if number % 3 == 0:
                    (place / "p" / name).rename(place / "p" / f"r{number}")
                    acknowledged[f"r{number}"] = acknowledged.pop(name)
                if number % 7 == 0 and number:
                    (place / "p" / f"f{number}").unlink(missing_ok=True)
                    acknowledged.pop(name, None)
            except OSError:
                return

    async with server(project, state, place) as process:
        working = asyncio.create_task(asyncio.to_thread(work))
        while len(acknowledged) < 40:
            await asyncio.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        await asyncio.wait_for(working, 20)
    subprocess.run(["fusermount3", "-u", "-z", place], check=True)
    async with server(project, state, place):
        listed = set(await asyncio.to_thread(os.listdir, place / "p")) - {
            path.name for path in project.iterdir()
        }
        # One operation was under way: it may have been done or not.
        assert len(listed ^ acknowledged.keys()) <= 2
        for name in listed & acknowledged.keys():
            assert await asyncio.to_thread((place / "p" / name).read_bytes) == acknowledged[name]


WRITE_MINE = "import os, sys; f = os.open(sys.argv[1], os.O_WRONLY); os.write(f, b'mine'); os.close(f)"


async def test_a_full_disk_is_told_and_harms_nothing(desk, monkeypatch) -> None:
    real, full = os.pwrite, True

    def pwrite(fd: int, data: bytes, offset: int) -> int:
        if full:
            raise OSError(errno.ENOSPC, "no space left")
        return real(fd, data, offset)

    monkeypatch.setattr(scratch.os, "pwrite", pwrite)
    path = desk.here / "README"
    outside = (sys.executable, "-c", WRITE_MINE, path)
    done = await desk.run(*outside)
    assert "No space left" in done.stderr
    assert await desk.away(path.read_text) == "a project\n"
    full = False
    await desk.out(*outside)
    assert await desk.away(path.read_text) == "mineoject\n"
    assert desk.proposals.get("draft").tree.bytes == 10


async def test_a_close_tells_what_could_not_be_kept(desk, monkeypatch) -> None:
    async def refuse(*_: object) -> None:
        raise NoRoom("there is no room")

    path = desk.here / "README"
    with monkeypatch.context() as broken:
        broken.setattr(Shadow, "keep_file", refuse)
        done = await desk.run(sys.executable, "-c", WRITE_MINE, path)
        assert "No space left" in done.stderr
    await desk.mount.settle()
    assert await desk.away(path.read_text) == "a project\n"
    assert await desk.changed() == []
