"""Notes over real commits: a line that git's diff carries over has to be found at the line git says."""

import random
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from lighthouse.annotations.errors import BadAnnotation
from tests.annotations.conftest import Files, anchor, resolver_of, told

REPOSITORY = Path(__file__).parents[3]
COMMITS_APART, MOST_COMMITS, MOST_FILES, NOTES_EACH = 4, 60, 6, 8
_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", re.MULTILINE)


def git(*arguments: str) -> bytes:
    return subprocess.run(["git", "-C", str(REPOSITORY), *arguments], capture_output=True, check=True).stdout


def carried_over(old: str, new: str, before: str, after: str, lines: int) -> dict[int, int]:
    """The lines of a file that git's patience diff leaves, and where they are now."""
    diff = git("diff", "-U0", "--patience", "-M", old, new, "--", before, after).decode("utf-8", "replace")
    kept: dict[int, int] = {}
    here = there = 1
    for hunk in _HUNK.finditer(diff):
        start, size, _, come = (int(text) if text else 1 for text in hunk.groups())
        while here < (start if size else start + 1):
            kept[here] = there
            here, there = here + 1, there + 1
        here, there = here + size, there + come
    return kept | {line: there + line - here for line in range(here, lines + 1)}


def changed(old: str, new: str) -> Iterator[list[str]]:
    """For each file that both have and that differs: its path before and after."""
    for line in git("diff", "--name-status", "-M", old, new).decode().splitlines():
        letter, *paths = line.split("\t")
        if letter[0] in "MR":
            yield paths


def files_at(commit: str, paths: set[str]) -> Files:
    there = git("ls-tree", "-r", "--name-only", commit).decode().splitlines()
    return Files({path: git("show", f"{commit}:{path}") for path in sorted(paths & set(there))})


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_lines_that_git_carries_over_are_found_where_git_says() -> None:
    if not (REPOSITORY / ".git").exists():
        pytest.skip("there is no history here: this is no clone")
    chance = random.Random(7)
    commits = git("rev-list", "--no-merges", "HEAD").decode().split()
    chance.shuffle(commits)
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for new in commits[:MOST_COMMITS]:
        try:
            old = git("rev-parse", f"{new}~{COMMITS_APART}").decode().strip()
        except subprocess.CalledProcessError:
            continue  # one of the first
        names = git("diff", "--name-only", "--no-renames", old, new).decode().splitlines()
        trees = files_at(old, set(names)), files_at(new, set(names))
        resolver = resolver_of(*trees)
        pairs = [
            pair for pair in changed(old, new) if Path(pair[0]).suffix in (".py", ".md", ".yml", ".toml")
        ]
        for pair in chance.sample(pairs, min(MOST_FILES, len(pairs))):
            rows = git("show", f"{old}:{pair[0]}").decode().split("\n")
            kept = carried_over(old, new, pair[0], pair[-1], len(rows))
            telling = [line for line in kept if len(rows[line - 1].split()) >= 2]
            for line in chance.sample(telling, min(NOTES_EACH, len(telling))):
                try:
                    path, made = anchor(resolver, trees[0], f"{pair[0]}:{line}")
                except BadAnnotation:
                    continue  # a row of nothing but punctuation
                found = resolver.resolve(path, made, *trees)
                right = found is not None and found.lines is not None
                right = right and told(found).split(" ", 1)[1].startswith(f"{pair[-1]}:")
                right = right and found.lines[0] <= kept[line] <= found.lines[1]  # type: ignore[union-attr,index]
                counts["right" if right else "missed" if found is None else "wrong"] += 1
                if not right:
                    wrong.append(f"{old[:9]}..{new[:9]} {pair[0]}:{line}: {told(found)}, not {kept[line]}")
    print(dict(counts), *wrong, sep="\n")
    total = counts.total()
    assert total > 200
    assert counts["wrong"] <= total * 0.005, wrong
    assert counts["right"] >= total * 0.98, wrong
