"""The common lines of two texts are always right, mostly the most there are, and never take long to find."""

import difflib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lighthouse.shadow import lines
from lighthouse.shadow.lines import common

texts = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n", b"d\n", b"\n"]), max_size=30)


def check(old: list[bytes], new: list[bytes]) -> int:
    """Assert that the blocks are true, in order, apart and not empty; the number of common lines."""
    at = (0, 0)
    for i, j, n in common(old, new):
        assert n > 0
        assert i >= at[0]
        assert j >= at[1]
        assert old[i : i + n] == new[j : j + n]
        assert (i, j) != at or at == (0, 0)  # neighbours are one block
        at = i + n, j + n
    return sum(n for _, _, n in common(old, new))


def most(old: list[bytes], new: list[bytes]) -> int:
    """The length of the longest common subsequence."""
    row = [0] * (len(new) + 1)
    for line in old:
        last = 0
        for j, other in enumerate(new, 1):
            last, row[j] = row[j], last + 1 if line == other else max(row[j], row[j - 1])
    return row[-1]


@settings(max_examples=300, deadline=None)
@given(texts, texts)
def test_blocks_are_true(old: list[bytes], new: list[bytes]) -> None:
    check(old, new)


@settings(max_examples=300, deadline=None)
@given(texts, texts)
def test_without_unique_lines_nothing_is_missed(old: list[bytes], new: list[bytes]) -> None:
    # Every line twice: patience finds no hold, and Myers is exact.
    old, new = [line for line in old for _ in "12"], [line for line in new for _ in "12"]
    assert check(old, new) == most(old, new)


@settings(max_examples=100, deadline=None)
@given(texts, texts, st.integers(0, 30))
def test_out_of_patience_it_is_still_true(old: list[bytes], new: list[bytes], work: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(lines, "MAX_WORK", work)
        patched.setattr(lines, "MAX_STEPS", work)
        patched.setattr(lines, "MAX_DEPTH", work % 3)
        check(old, new)


def test_an_edit_costs_only_itself() -> None:
    old = [b"line %d\n" % n for n in range(100_000)]
    new = [*old[:500], b"more\n", *old[500:70_000], *old[70_010:]]
    assert check(old, new) == 100_000 - 10


@pytest.mark.parametrize("kinds", [1, 2, 50, 10**6])
def test_what_drives_other_algorithms_mad_ends(kinds: int) -> None:
    draw = random.Random(kinds)
    old = [b"%d\n" % draw.randrange(kinds) for _ in range(40_000)]
    new = [b"%d\n" % draw.randrange(kinds) for _ in range(40_000)]
    check(old, new)


def test_it_is_as_good_as_the_library_on_source_code() -> None:
    with open(lines.__file__, "rb") as file:  # noqa: PTH123
        old = file.readlines()
    draw = random.Random(7)
    for _ in range(20):
        new = [line for line in old if draw.random() > 0.1]
        for _ in range(10):
            new.insert(draw.randrange(len(new)), draw.choice(old))
        found = sum(
            block.size for block in difflib.SequenceMatcher(None, old, new, False).get_matching_blocks()
        )
        assert check(old, new) >= found * 0.97
