"""The tree that is measured on: the same wherever it is made."""

import re
from pathlib import Path

from bench import data


def test_the_lock_pins_every_package_by_hash_and_names_no_host() -> None:
    for line in data.LOCK.read_text().splitlines():
        assert re.fullmatch(r"[a-z0-9-]+==[0-9.]+ --hash=sha256:[0-9a-f]{64}", line)


def test_variants_fill_the_tree_up_and_none_is_like_another(tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(name)
    (tmp_path / "large").write_bytes(b"x" * (data.VARIED + 1))
    data.vary(tmp_path, 120)
    files = list(data.walk(tmp_path))
    assert len(files) == 120
    assert len({path.read_bytes() for path in files}) == 120
    assert sum(path.stat().st_size > data.VARIED for path in files) == 1
    assert data.describe(tmp_path).files == 120


def test_a_copy_is_the_same_and_apart(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "file").write_text("old")
    copied = data.copy(tree, tmp_path / "copy")
    (copied / "file").write_text("new")
    assert (tree / "file").read_text() == "old"
