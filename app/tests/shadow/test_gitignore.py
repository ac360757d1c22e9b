"""Lines of a `.gitignore` mean what git says they mean: compared with git, on trees of random names."""

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from lighthouse.paths import ProjectPath
from lighthouse.shadow.gitignore import parse
from lighthouse.shadow.ignore import Rules

NAMES = ["a", "b", "foo", "bar.o", "x.txt", "b.o", " s", "!n", "#h", "q]", "é"]
PARTS = [
    *["a", "b", "foo", "*", "**", "***", "*.o", "f*", "?", "[ab]", "x.*", "bar.o", "[!a]", "[^a]", "q]", "é"],
    *["fo[a-z]", "\\!n", "\\#h", "*.txt", "a*b", "**a", "[", "a[", "[]a]", "[[:alpha:]]", "[a-", "*a*b*"],
    *[" s", "\\ ", "a\\b"],
]
ENDS = ["", "", "", "/", "/**", " ", "\r"]

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def random_line(rng: random.Random) -> str:
    parts = "/".join(rng.choice(PARTS) for _ in range(rng.randint(1, 3)))
    return rng.choice(["", "", "!"]) + rng.choice(["", "", "/"]) + parts + rng.choice(ENDS)


def random_tree(root: Path, rng: random.Random) -> None:
    for _ in range(25):
        path = root.joinpath(*(rng.choice(NAMES) for _ in range(rng.randint(1, 4))))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if rng.random() < 0.7:
                path.touch()
            else:
                path.mkdir(exist_ok=True)
        except OSError:
            continue
    folders = [folder for folder in root.rglob("*") if folder.is_dir()]
    for folder in [root, *rng.sample(folders, min(len(folders), rng.randint(0, 2)))]:
        lines = [random_line(rng) for _ in range(rng.randint(1, 4))]
        (folder / ".gitignore").write_text("\n".join(lines))


def ignored_by_us(root: Path) -> tuple[set[ProjectPath], list[ProjectPath]]:
    """What is ignored, and everything that was asked for."""
    ignored: set[ProjectPath] = set()
    asked: list[ProjectPath] = []

    def walk(path: ProjectPath, rules: Rules) -> None:
        folder = root.joinpath(*(name.decode() for name in path))
        if (file := folder / ".gitignore").is_file():
            rules = rules.beneath(len(path), file.read_bytes())
        for child in folder.iterdir():
            here = (*path, child.name.encode())
            asked.append(here)
            if rules.ignores(here, is_folder=child.is_dir()):
                ignored.add(here)
            elif child.is_dir():
                walk(here, rules)

    walk((), Rules.configured([]))
    return ignored, asked


def ignored_by_git(root: Path, paths: list[ProjectPath]) -> set[ProjectPath]:
    git = ["git", "-c", "core.excludesFile=/dev/null", "-C", str(root)]
    subprocess.run([*git, "init", "-q", "."], check=True)
    answer = subprocess.run(
        [*git, "check-ignore", "--stdin", "-z", "--no-index"],
        input=b"\0".join(b"/".join(path) for path in paths),
        capture_output=True,
        check=False,
    )
    assert answer.returncode in (0, 1), answer.stderr
    return {tuple(path.split(b"/")) for path in answer.stdout.split(b"\0") if path}


@needs_git
@pytest.mark.parametrize("seed", range(40))
def test_as_git_does(tmp_path: Path, seed: int) -> None:
    random_tree(tmp_path, random.Random(seed))
    ours, asked = ignored_by_us(tmp_path)
    assert ours == ignored_by_git(tmp_path, asked)


@pytest.mark.parametrize("line", [b"", b"   ", b"# note", b"/", b"!", b"[a", b"a\\", b"[[:nothing:]]"])
def test_lines_that_match_nothing(line: bytes) -> None:
    assert parse(line) is None


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (b"*a" * 40 + b"b", b"a" * 255),
        (b"**/a/" * 30 + b"b", b"a/" * 120 + b"c"),
        (b"a*?*" * 30, b"a" * 250 + b"/"),
    ],
)
def test_a_hostile_line_ends(line: bytes, name: bytes) -> None:
    """Each of these takes a backtracking search longer than anybody waits."""
    pattern = parse(line)
    assert pattern is not None
    assert not pattern.matches(name, name, is_folder=False)


def test_bytes_that_are_no_text() -> None:
    pattern = parse(b"\xff*.o")
    assert pattern is not None
    assert pattern.matches(b"\xff\xfe.o", b"\xff\xfe.o", is_folder=False)
