"""Merging three texts: as `git merge-file` does it, wherever that finds no conflict."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lighthouse.proposals.merge import merge

LINES = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n", b"d\n", b"e\n", b"\n"]), max_size=12)


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [
        ("1\n2\n3\n", "1\n2\n3\n", "1\n2\n4\n", "1\n2\n4\n"),
        ("1\n2\n3\n", "0\n2\n3\n", "1\n2\n4\n", "0\n2\n4\n"),
        ("1\n2\n3\n", "9\n2\n3\n", "9\n2\n3\n", "9\n2\n3\n"),
        ("1\n2\n3\n", "8\n2\n3\n", "9\n2\n3\n", None),
        ("1\n2\n", "0\n1\n2\n", "1\n2\n3\n", "0\n1\n2\n3\n"),
        ("", "a\n", "", "a\n"),
        ("", "a\n", "b\n", None),
        ("1\n2", "1\n2", "0\n2", "0\n2"),
        ("1\n2\n3", "0\n2\n3", "1\n2\n3\n", "0\n2\n3\n"),
        ("1\n2\n3\n4\n", "1\n4\n", "1\n2\n3\n4\n5\n", "1\n4\n5\n"),
    ],
)
def test_cases(base: str, ours: str, theirs: str, merged: str | None) -> None:
    found = merge(base.encode(), ours.encode(), theirs.encode())
    assert found == (None if merged is None else merged.encode())


@given(base=LINES, ours=LINES, theirs=LINES)
def test_what_only_one_side_changed_is_taken(base, ours, theirs) -> None:
    old, one, other = b"".join(base), b"".join(ours), b"".join(theirs)
    assert merge(old, one, old) == one
    assert merge(old, old, other) == other
    assert merge(old, one, one) == one
    assert merge(old, one, other) == merge(old, other, one)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_changes_far_from_each_other_are_merged_as_git_does(tmp_path_factory, data) -> None:
    old = [b"%d\n" % number for number in range(30)]
    first = data.draw(st.integers(0, 10))
    second = data.draw(st.integers(15, 29))
    new = data.draw(LINES)
    more = data.draw(LINES)
    ours = [*old[:first], *new, *old[first + 1 :]]
    theirs = [*old[:second], *more, *old[second + 1 :]]
    folder = tmp_path_factory.mktemp("merge")
    for name, lines in (("old", old), ("ours", ours), ("theirs", theirs)):
        (Path(folder) / name).write_bytes(b"".join(lines))
    done = subprocess.run(
        ["git", "merge-file", "-p", "ours", "old", "theirs"], cwd=folder, capture_output=True, check=False
    )
    assert done.returncode == 0
    assert merge(b"".join(old), b"".join(ours), b"".join(theirs)) == done.stdout
