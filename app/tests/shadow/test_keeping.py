"""Contents and trees of others than the scan: stored whole and durably, or refused."""

import hashlib
import os
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from lighthouse.events import NoRoom, StoreUnavailable
from lighthouse.paths import BadPath
from lighthouse.shadow import FILE, FOLDER, LINK, Leaf, Shadow
from lighthouse.shadow.contents import CHUNK
from lighthouse.shadow.reader import ContentReader

MakeShadow = Callable[..., Awaitable[Shadow]]


@pytest.mark.parametrize(
    "content", [b"", b"text\n", os.urandom(5 * CHUNK + 3)], ids=["empty", "small", "large"]
)
async def test_a_content_and_a_file_are_kept(
    make_shadow: MakeShadow, tmp_path: Path, state: Path, content: bytes
) -> None:
    shadow = await make_shadow()
    (tmp_path / "scratch").write_bytes(content)
    digest = hashlib.sha256(content).digest()
    assert await shadow.keep_file(tmp_path / "scratch") == (digest, len(content))
    assert await shadow.keep(content) == digest
    assert shadow.read(digest, 0, len(content) + 1) == content
    other = ContentReader(state)  # another connection sees what is committed, and no more
    assert other.size(digest) == len(content)
    other.close()


async def test_what_is_no_file_is_not_kept(make_shadow: MakeShadow, tmp_path: Path) -> None:
    shadow = await make_shadow()
    (tmp_path / "link").symlink_to("project")
    os.mkfifo(tmp_path / "fifo")
    for name in ("link", "fifo", "project", "none"):
        with pytest.raises(OSError, match=name):
            await shadow.keep_file(tmp_path / name)


async def test_a_tree_is_kept_and_opened(make_shadow: MakeShadow) -> None:
    shadow = await make_shadow()
    text, target = await shadow.keep(b"text"), await shadow.keep(b"a/file")
    leaves: dict[tuple[bytes, ...], Leaf] = {
        (b"a", b"b", b"file"): (FILE, 0o755, text, 4, 5),
        (b"link",): (LINK, 0o777, target, 6, 7),
        (b"a",): (FOLDER, 0o700, b"", 0, 9),
        (b"empty",): (FOLDER, 0o755, b"", 0, 11),
    }
    root = await shadow.keep_tree(leaves)
    tree = shadow.open_tree(root, 42)
    assert (tree.root, tree.mtime_ns, tree.seq) == (root, 42, 0)
    assert list(tree.children(())) == [b"a", b"empty", b"link"]
    file, folder, way = (tree.lookup(path) for path in ((b"a", b"b", b"file"), (b"a",), (b"a", b"b")))
    assert file
    assert folder
    assert way
    assert (file.kind, file.mode, file.hash, file.size, file.mtime_ns) == leaves[b"a", b"b", b"file"]
    assert (folder.kind, folder.mode, folder.mtime_ns) == (FOLDER, 0o700, 9)
    assert (way.mode, way.mtime_ns) == (0o755, 5)
    assert tree.children((b"empty",)) == {}
    assert await shadow.keep_tree(dict(reversed(leaves.items()))) == root
    assert shadow.open_tree(await shadow.keep_tree({})).children(()) == {}


async def test_a_tree_that_cannot_be_is_refused(make_shadow: MakeShadow) -> None:
    shadow = await make_shadow()
    leaf: Leaf = (FILE, 0o644, b"\0" * 32, 0, 0)
    for leaves in ({(b"a",): leaf, (b"a", b"b"): leaf}, {(): leaf}):
        with pytest.raises(BadPath):
            await shadow.keep_tree(leaves)


@pytest.mark.parametrize(
    ("code", "kind"), [(sqlite3.SQLITE_FULL, NoRoom), (sqlite3.SQLITE_IOERR, StoreUnavailable)]
)
async def test_a_full_disk_is_told(
    make_shadow: MakeShadow, monkeypatch: pytest.MonkeyPatch, code: int, kind: type[Exception]
) -> None:
    shadow = await make_shadow(reconcile_seconds=3600)

    def fail(_: bytes) -> bytes:
        error = sqlite3.OperationalError("no")
        error.sqlite_errorcode = code
        raise error

    monkeypatch.setattr(shadow._capture, "keep", fail)
    with pytest.raises(kind):
        await shadow.keep(b"x")
