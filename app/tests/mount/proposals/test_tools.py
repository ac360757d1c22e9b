"""Ordinary programs in a proposal do what they do on a disk."""

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

Picture = dict[str, tuple[str, bool, bytes]]


def picture(root: Path) -> Picture:
    """Every path beneath `root` with its kind, whether it is executable, and its content."""
    found: Picture = {}
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name != ".git"]
        for name in (*folders, *files):
            path = Path(folder, name)
            where = str(path.relative_to(root))
            if path.is_symlink():
                found[where] = "link", False, os.fsencode(path.readlink())
            elif path.is_dir():
                found[where] = "folder", False, b""
            else:
                found[where] = "file", path.stat().st_mode & 0o100 != 0, path.read_bytes()
    return found


async def check_patch(desk, tmp_path: Path) -> None:
    """The patch, applied by git to a copy of the project, makes of it what the proposal holds."""
    copy = tmp_path / "applied"
    shutil.copytree(desk.project, copy, symlinks=True)
    patch = await desk.away(desk.patch.read_bytes)
    assert len(patch) == (await desk.away(desk.patch.stat)).st_size
    if patch:
        subprocess.run(["git", "apply", "-"], input=patch, cwd=copy, check=True)
    assert filled(picture(copy)) == filled(await desk.away(picture, desk.here))


def filled(found: Picture) -> Picture:
    """Without the empty folders: git knows none."""
    return {path: what for path, what in found.items() if what[0] != "folder"}


async def test_a_new_proposal_shows_the_project(desk) -> None:
    assert await desk.away(picture, desk.here) == picture(desk.project)
    assert await desk.away(desk.patch.read_bytes) == b""


async def test_sed(desk, tmp_path) -> None:
    await desk.out("sed", "-i", "s/one/two/", desk.here / "src/main.py")
    assert await desk.away((desk.here / "src/main.py").read_text) == "print('two')\n"
    assert (desk.project / "src/main.py").read_text() == "print('one')\n"
    await check_patch(desk, tmp_path)
    assert "+print('two')" in await desk.away(desk.patch.read_text)


async def test_vim(desk, tmp_path) -> None:
    if shutil.which("vim") is None:
        pytest.skip("no vim on this machine")
    vim = ("vim", "-N", "-u", "NONE", "-es", "+%s/one/three/", "+wq")
    await desk.out(*vim, desk.here / "src/main.py", env={**os.environ, "HOME": str(tmp_path)})
    assert await desk.away((desk.here / "src/main.py").read_text) == "print('three')\n"
    assert sorted(await desk.away(os.listdir, desk.here / "src")) == ["deep", "main.py", "run"]
    await check_patch(desk, tmp_path)


async def test_git_apply_and_patch(desk, tmp_path) -> None:
    other = tmp_path / "other"
    shutil.copytree(desk.project, other, symlinks=True)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", other]
    await desk.out(*git, "init", "-q")
    await desk.out(*git, "add", "-A")
    await desk.out(*git, "commit", "-qm", "base")
    (other / "src/main.py").write_text("print('one')\nprint('more')\n")
    (other / "README").rename(other / "READ.me")
    (other / "src/run").chmod(0o644)
    (other / "bin").write_bytes(bytes(range(256)))
    (other / "empty").unlink()
    (other / "to").symlink_to("bin")
    await desk.out(*git, "add", "-A")
    diff = tmp_path / "diff"
    diff.write_bytes(
        subprocess.run(
            [*map(str, git), "diff", "--cached", "-M", "--binary"], capture_output=True, check=True
        ).stdout
    )
    await desk.out("git", "apply", diff, cwd=desk.here)
    assert await desk.away(picture, desk.here) == picture(other)
    await check_patch(desk, tmp_path)
    plain = tmp_path / "plain"
    names = "--- a/src/main.py\n+++ b/src/main.py\n"
    plain.write_text(f"{names}@@ -1,2 +1,2 @@\n-print('one')\n+print('won')\n print('more')\n")
    await desk.out("patch", "-p1", "-i", plain, cwd=desk.here)
    assert await desk.away((desk.here / "src/main.py").read_text) == "print('won')\nprint('more')\n"


async def test_rsync_cp_and_tar(desk, tmp_path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(Path(os.__file__).parent / "json", tree / "json")
    (tree / "json/tool.py").chmod(0o755)
    (tree / "link").symlink_to("json")
    await desk.out("cp", "-a", tree, desk.here / "copied")
    await desk.out("rsync", "-a", f"{tree}/", f"{desk.here}/synced/")
    with tarfile.open(tmp_path / "t.tar", "w") as tar:
        tar.add(tree, "unpacked")
    await desk.out("tar", "-x", "-f", tmp_path / "t.tar", "-C", desk.here)
    for name in ("copied", "synced", "unpacked"):
        assert await desk.away(picture, desk.here / name) == picture(tree), name
    again = await desk.out("rsync", "-an", "--out-format=%n", f"{tree}/", f"{desk.here}/synced/")
    assert again == ""
    await check_patch(desk, tmp_path)
    await desk.out("rm", "-r", desk.here / "copied", desk.here / "synced", desk.here / "unpacked")
    assert await desk.away(desk.patch.read_bytes) == b""


async def test_everything_is_there_after_a_restart(desk, tmp_path) -> None:
    await desk.out(
        "sh",
        "-ec",
        """
        echo new > new; mkdir -p a/b; echo x > a/b/c; chmod +x a/b/c; mv a moved; rm README; ln -s new to
        mv src/deep data; mkdir src/deep; echo again > README; truncate -s 3 new; touch -d 2020-01-01 new
        """,
        cwd=desk.here,
    )
    before = await desk.away(picture, desk.here)
    patch = await desk.away(desk.patch.read_bytes)
    mtime = (await desk.away((desk.here / "new").stat)).st_mtime
    await desk.restart()
    assert await desk.away(picture, desk.here) == before
    assert await desk.away(desk.patch.read_bytes) == patch
    assert (await desk.away((desk.here / "new").stat)).st_mtime == mtime
    await check_patch(desk, tmp_path)


async def test_a_repository_in_a_proposal(desk) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "safe.directory=*", "-C", desk.here]
    await desk.out(*git, "init", "-q")
    await desk.out(*git, "add", "-A")
    await desk.out(*git, "commit", "-qm", "base")
    assert await desk.out(*git, "status", "--porcelain") == ""
    await desk.out("sed", "-i", "s/one/two/", desk.here / "src/main.py")
    assert await desk.out(*git, "status", "--porcelain") == " M src/main.py\n"
    await desk.out(*git, "stash", "-q")
    assert await desk.away((desk.here / "src/main.py").read_text) == "print('one')\n"
    await desk.out(*git, "stash", "pop", "-q")
    await desk.out(*git, "gc", "-q")
    assert await desk.out(*git, "fsck", "--strict", "--no-dangling") == ""


async def test_an_archive_a_compiler_and_a_database(desk) -> None:
    await desk.out("tar", "-czf", desk.here / "all.tgz", "-C", desk.here, "src")
    assert "src/main.py" in await desk.out("tar", "-tzf", desk.here / "all.tgz")
    await desk.out("python3", "-m", "compileall", "-q", desk.here / "src")
    script = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute('create table t (a)');"
    script += "db.executemany('insert into t values (?)', [(n,) for n in range(1000)]); db.commit();"
    script += "print(db.execute('pragma integrity_check').fetchone()[0])"
    assert await desk.out("python3", "-c", script, desk.here / "data.db") == "ok\n"
