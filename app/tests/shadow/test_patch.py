"""Whatever differs between two trees, git itself makes the new one from the old one and our patch."""

import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lighthouse.paths import ProjectPath
from lighthouse.shadow import FILE, LINK, Kind, patch
from lighthouse.shadow.diff import changes
from tests.shadow.trees import Leaves, Memory, found, write

Leaf = tuple[Kind, int, bytes]

NAMES = [b"a", b"b", b"c d", b"e ", b"\xff\xfe", b'q"\\', b"t\tn\n", "ü".encode(), b"-x"]
LINES = [
    b"one\n",
    b"two\n",
    b"three\n",
    b"}\n",
    b"\n",
    b"\r\n",
    b"- minus\n",
    b"caf\xe9\n",
    b"\\ No newline\n",
]

texts = st.lists(st.sampled_from(LINES), max_size=40).map(b"".join)
contents = st.one_of(
    texts,
    st.tuples(texts, st.sampled_from([b"end", b"\r", b"\0", b"\xff"])).map(b"".join),
    st.binary(max_size=200),
)
files = st.tuples(st.just(FILE), st.sampled_from([0o644, 0o755, 0o600]), contents)
# Links lead nowhere: where one that leads to a folder is to become a folder, git looks through it.
links = st.tuples(
    st.just(LINK),
    st.just(0o777),
    st.sampled_from([b"../x", b"no such", b"d/e", b"\xff", b"two\nlines"]),
)
paths = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map(tuple)
leaf = st.one_of(files, files, links)


def consistent(leaves: Leaves) -> dict[ProjectPath, Leaf]:
    """Without those that would lie beneath a file or a link."""
    kept: dict[ProjectPath, Leaf] = {}
    for path in sorted(leaves):
        if not any(path[:length] in kept for length in range(1, len(path))):
            kept[path] = leaves[path]
    return kept


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Leaves, Leaves]:
    """An old tree, and a new one that has much of it: kept, moved, edited, chmodded, replaced, gone."""
    old = consistent(draw(st.dictionaries(paths, leaf, max_size=8)))
    new: dict[ProjectPath, Leaf] = {}
    for path, (kind, mode, content) in old.items():
        what = draw(st.sampled_from(["keep", "move", "edit", "move and edit", "chmod", "replace", "delete"]))
        if "move" in what:
            path = draw(paths)
        if "edit" in what and kind == FILE:
            middle = len(content) // 2
            content = content[:middle] + draw(contents) + content[middle:]
        if what == "chmod" and kind == FILE:
            mode ^= 0o111
        if what == "replace":
            kind, mode, content = draw(leaf)
        if what != "delete":
            new[path] = kind, mode, content
    new |= draw(st.dictionaries(paths, leaf, max_size=3))
    return old, consistent(new)


def patched(old: Leaves, new: Leaves, *, reverse: bool = False) -> Mapping[ProjectPath, object]:
    """What git makes of `old` (or in reverse of `new`) with our patch."""
    memory = Memory()
    listed = changes(memory.tree(old), memory.tree(new), memory.read)
    text = b"".join(patch.unified(listed, memory.read))
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), new if reverse else old)
        if text:
            apply(Path(folder), text, *(["-R"] if reverse else []))
        return found(Path(folder))


def apply(folder: Path, text: bytes, *options: str) -> None:
    # Outside of any repository, and with nobody's configuration.
    env = {"PATH": os.environ["PATH"], "GIT_DIR": "/nonexistent", "GIT_CONFIG_GLOBAL": "/dev/null"}
    ended = subprocess.run(
        ["git", "apply", "--whitespace=nowarn", *options, "-"],
        cwd=folder,
        env=env,
        input=text,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, (ended.stderr, text)


def as_git_sees(leaves: Leaves) -> Mapping[ProjectPath, object]:
    return {
        path: (kind, kind == FILE and bool(mode & 0o100), content)
        for path, (kind, mode, content) in leaves.items()
    }


@settings(max_examples=60, deadline=None)
@given(pairs())
def test_git_applies_it(both: tuple[Leaves, Leaves]) -> None:
    old, new = both
    assert patched(old, new) == as_git_sees(new)


@settings(max_examples=20, deadline=None)
@given(pairs())
def test_git_takes_it_back(both: tuple[Leaves, Leaves]) -> None:
    old, new = both
    assert patched(old, new, reverse=True) == as_git_sees(old)


@pytest.mark.soak
@pytest.mark.timeout(900)
@settings(max_examples=3000, deadline=None)
@given(pairs())
def test_git_applies_it_both_ways_many_times(both: tuple[Leaves, Leaves]) -> None:
    old, new = both
    assert patched(old, new) == as_git_sees(new)
    assert patched(old, new, reverse=True) == as_git_sees(old)


def text_of(old: Leaves, new: Leaves) -> bytes:
    memory = Memory()
    listed = changes(memory.tree(old), memory.tree(new), memory.read)
    return b"".join(patch.unified(listed, memory.read))


def test_how_it_looks() -> None:
    old: Leaves = {(b"src", b"a.py"): (FILE, 0o644, b"".join(b"%d\n" % n for n in range(1, 21)))}
    kind, _, content = old[b"src", b"a.py"]
    edited = content.replace(b"10\n", b"ten\n").removesuffix(b"\n")
    assert text_of(old, {(b"lib", b"a.py"): (kind, 0o755, edited)}).decode() == (
        "diff --git a/src/a.py b/lib/a.py\n"
        "old mode 100644\n"
        "new mode 100755\n"
        "similarity index 88%\n"
        "rename from src/a.py\n"
        "rename to lib/a.py\n"
        "index 0ff3bbb9c8bba2291654cd64067fa417ff54c508..ef7b43183d32412eff6637ab661e5df3ea7b462b\n"
        "--- a/src/a.py\n"
        "+++ b/lib/a.py\n"
        "@@ -7,7 +7,7 @@\n"
        " 7\n 8\n 9\n-10\n+ten\n 11\n 12\n 13\n"
        "@@ -17,4 +17,4 @@\n"
        " 17\n 18\n 19\n-20\n+20\n\\ No newline at end of file\n"
    )


@pytest.mark.parametrize(
    ("name", "written"),
    [
        (b"plain/name.py", b"plain/name.py"),
        (b"with space", b'"with space"'),
        (b"caf\xc3\xa9", b'"caf\\303\\251"'),
        (b'"\\\n\t\x7f\x01', b'"\\"\\\\\\n\\t\\177\\001"'),
    ],
)
def test_names(name: bytes, written: bytes) -> None:
    assert patch.quoted(name) == written


def test_permission_bits_that_git_does_not_know_are_no_patch() -> None:
    assert text_of({(b"a",): (FILE, 0o644, b"x")}, {(b"a",): (FILE, 0o600, b"x")}) == b""


def test_what_was_not_captured_is_a_remark_that_git_passes_over(tmp_path: Path) -> None:
    memory = Memory()
    leaves: Leaves = {
        (b"a",): (FILE, 0o644, b"1\n"),
        (b"big",): (FILE, 0o644, b"stand-in"),
        (b"c",): (FILE, 0o644, b"1\n"),
    }
    after = {path: (kind, mode, content + b"2\n") for path, (kind, mode, content) in leaves.items()}
    old, new = (memory.tree(one, {(b"big",): "too_large"}) for one in (leaves, after))
    text = b"".join(patch.unified(changes(old, new, memory.read), memory.read))
    assert b"lighthouse: big is left out: not captured, too_large\n" in text
    assert b"stand-in" not in text
    write(tmp_path, leaves)
    apply(tmp_path, text)
    assert found(tmp_path) == {**as_git_sees(after), (b"big",): (FILE, False, b"stand-in")}


def test_a_large_content_is_told_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patch, "MAX_TEXT", 10_000)
    monkeypatch.setattr(patch, "PIECE", 1000)
    lines = b"".join(b"line %d\n" % n for n in range(50_000))
    old: Leaves = {(b"a",): (FILE, 0o644, lines), (b"b",): (FILE, 0o644, b"small\n")}
    new: Leaves = {(b"a",): (FILE, 0o644, b"more\n" + lines), (b"b",): (FILE, 0o644, lines[::-1])}
    assert patched(old, new) == as_git_sees(new)
    assert text_of(old, new).count(b"GIT binary patch\n") == 2
    memory = Memory()
    pieces = list(patch.unified(changes(memory.tree(old), memory.tree(new)), memory.read))
    assert max(map(len, pieces)) < sum(map(len, pieces)) / 10


def test_git_knows_our_names_of_contents(tmp_path: Path) -> None:
    """Three ways, where the file is no longer what the patch was made for."""
    base = b"".join(b"%d\n" % n for n in range(30))
    old: Leaves = {(b"f",): (FILE, 0o644, base)}
    new: Leaves = {(b"f",): (FILE, 0o644, base.replace(b"20\n", b"twenty\n"))}
    write(tmp_path, old)

    def git(*words: str, given: bytes = b"") -> None:
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words],
            cwd=tmp_path,
            input=given,
            check=True,
            capture_output=True,
            timeout=60,
        )

    git("init", "-q")
    git("add", "f")
    git("commit", "-qm", "base")
    (tmp_path / "f").write_bytes(b"before\n" * 40 + base.replace(b"18\n", b"eighteen\n"))
    git("commit", "-qam", "moved on")
    git("apply", "--3way", "-", given=text_of(old, new))
    assert b"eighteen\n19\ntwenty\n" in (tmp_path / "f").read_bytes()
