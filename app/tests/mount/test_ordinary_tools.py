"""Ordinary tools do not notice: what they print of the mount is what they print of a plain copy."""

import asyncio
import json
import os
import shutil
from pathlib import Path

import pytest

from tests.mount.conftest import World

# Owner, permissions, links to a folder and a folder's size are the mount's own, see docs/spec-mount.md.
SAME = {
    "find": "find . -mindepth 1 -printf '%p %y %T@ %l\\n' | sort",
    "find, by size": "find . -type f -size +4k -printf '%p %s\\n' | sort",
    "find, by content": "find . -type f -exec sha256sum {} + | sort",
    "ls": "ls -R .",
    "ls, long": "ls -lRgG --time-style=full-iso . | grep '^[-l]' | cut -c 11- | sed 's/^ *1 *//; s/^ *//'",
    "grep": "grep -rn import . | sort",
    "grep, binary": "grep -rc . . | sort",
    "rg": "rg --no-config --no-ignore --hidden --sort path -n 'def |class '",
    "rg, mapped": "rg --no-config --no-ignore --hidden --sort path --mmap -c .",
    "du": "find . -type f -print0 | xargs -0 du -b | sort",
    "tar": "find . -mindepth 1 -print0 | sort -z | tar -c --no-recursion --null -T -"
    " --format=gnu --owner=0 --group=0 --mode=a=rX | sha256sum",
    "wc": "find . -type f -print0 | sort -z | xargs -0 wc",
    "tail": "find . -name '*.py' -print0 | sort -z | xargs -0 tail -n 2",
    "dd": "find . -type f -print0 | sort -z |"
    " xargs -0 -I% dd if=% bs=777 skip=3 count=2 status=none | sha256sum",
    "readlink": "find . -type l -exec readlink {} + | sort",
    "test -x": "find . -type f -executable | sort",
    "python": "PYTHONPATH=lib python3 -B -c 'import json.tool as t, os; print(os.path.relpath(t.__file__))'",
    "depth": "cd deep/deep/deep && find . | wc -l && cat $(find . -type f)",
}

needs_rsync = pytest.mark.skipif(shutil.which("rsync") is None, reason="rsync is not installed")


@pytest.fixture
def project(project: Path) -> Path:
    """A real library, and names and shapes that tools stumble over."""
    library = Path(json.__file__).parent
    for package in ("json", "email", "unittest"):
        shutil.copytree(
            library.parent / package, project / "lib" / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name in (
        b"not utf-8 \xff\xfe",
        b"two\nlines",
        b" spaces ",
        b"-n",
        b"x" * 255,
        b"quote'\"\\",
        "ümläut".encode(),
    ):
        (project / os.fsdecode(name)).write_bytes(b"content of " + name)
    (project / "zeros").write_bytes(bytes(300_000))
    (project / "empty folder").mkdir()
    (project / "dangling").symlink_to("nowhere")
    (project / "absolute").symlink_to("/etc/hostname")
    (project / "up").symlink_to("../project/lib")
    deep = project.joinpath(*["deep"] * 60)
    deep.mkdir(parents=True)
    (deep / "bottom").write_text("the bottom\n")
    return project


async def compared(world: World, shown: Path, plain: Path) -> None:
    """Every tool of the table says the same of both; all that differ are told."""
    different: dict[str, tuple[str, str]] = {}
    for tool, script in SAME.items():
        if tool.startswith("rg") and not shutil.which("rg"):
            continue
        printed = [await world.run("bash", "-c", script, cwd=place) for place in (shown, plain)]
        assert printed[1].stdout, tool
        if printed[0].stdout != printed[1].stdout:
            different[tool] = (printed[0].stdout[-500:] + printed[0].stderr[-500:], printed[1].stdout[-500:])
    assert not different


@pytest.mark.parametrize("way", ["by handle", "by inode"])
async def test_what_tools_print(world: World, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    await world.out("cp", "-a", world.project, plain)
    await compared(world, world.current, plain)
    seq = world.shadow.current.seq
    (world.project / "README").write_text("another\n")
    shutil.rmtree(world.project / "lib" / "email")
    await world.captured()
    await compared(world, world.place / "history" / str(seq), plain)


@needs_rsync
async def test_tools_that_compare_find_no_difference(world: World, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    await world.out("cp", "-a", world.project, plain)
    shown = world.current
    assert await world.out("diff", "-r", "--no-dereference", shown, plain) == ""
    assert await world.out("git", "diff", "--no-index", shown, plain) == ""
    checked = ("rsync", "-rltcn", "--delete", "--out-format=%i %n")
    # The top folder shows when the version was captured.
    top = {"", ".d..t...... ./\n"}
    assert await world.out(*checked, f"{plain}/", f"{shown}/") in top
    assert await world.out(*checked, f"{shown}/", f"{plain}/") in top
    (plain / "README").write_text("other\n")
    assert (await world.run("diff", "-r", "--no-dereference", shown, plain)).returncode == 1
    assert (await world.run("git", "diff", "--no-index", shown, plain)).returncode == 1
    assert (await world.out(*checked, f"{plain}/", f"{shown}/")).endswith(" README\n")


@needs_rsync
async def test_copies_are_whole(world: World, tmp_path: Path) -> None:
    for number, copy in enumerate((["cp", "-r", "--reflink=auto"], ["rsync", "-rlt"], ["cp", "-a"])):
        await world.out(*copy, f"{world.current}/", tmp_path / f"copy{number}")
        assert (
            await world.out("diff", "-r", "--no-dereference", tmp_path / f"copy{number}", world.project) == ""
        )


async def test_tools_that_write_are_refused_and_change_nothing(world: World) -> None:
    before = await world.out("find", world.place / "current", "-printf", "%p %T@\n")
    shown = world.current
    for command in (
        ["python3", "-m", "compileall", "-q", shown / "lib" / "json"],
        ["touch", shown / "new"],
        ["sed", "-i", "s/a/b/", shown / "README"],
        ["rm", "-rf", shown / "lib"],
        ["mv", shown / "README", shown / "READ"],
        ["chmod", "+w", shown / "README"],
        ["ln", shown / "README", shown / "linked"],
        ["rsync", "-r", f"{world.project}/", f"{shown}/copy/"],
        ["git", "init", shown],
        ["dd", "if=/dev/zero", f"of={shown}/README", "count=1"],
        ["truncate", "-s", "0", shown / "README"],
        ["setfattr", "-n", "user.x", "-v", "y", shown / "README"],
    ):
        if shutil.which(command[0]) is None:
            continue
        done = await world.run(*command)
        told = done.stdout + done.stderr
        assert done.returncode != 0, command
        assert "Read-only" in told or "Permission denied" in told, (command, told)
    assert await world.out("find", world.place / "current", "-printf", "%p %T@\n") == before


async def test_sixty_four_readers_at_once_see_the_same(world: World) -> None:
    script = "find . -type f -exec sha256sum {} + | sort | sha256sum"
    (expected,) = {await world.out("bash", "-c", script, cwd=world.project)}
    seen = await asyncio.gather(*(world.out("bash", "-c", script, cwd=world.current) for _ in range(64)))
    assert set(seen) == {expected}
