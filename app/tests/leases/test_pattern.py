"""Whether two names may be the same, held against names made at random."""

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighthouse.leases.index import Index, Touch
from lighthouse.leases.pattern import DEEP, Names, meet, same

words = st.text("ab", min_size=1, max_size=3)
globs = st.text("ab*?", min_size=1, max_size=4).filter(lambda name: "**" not in name)
patterns = st.lists(st.one_of(words, globs, st.just(DEEP)), max_size=4).map(tuple)
paths = st.lists(words, max_size=5).map(tuple)


def covers(pattern: Names, path: Names) -> bool:
    """As it is defined: the pattern matches the path or a folder above it."""
    return any(_matches(pattern, path[:length]) for length in range(len(path) + 1))


def _matches(pattern: Names, path: Names) -> bool:
    if not pattern:
        return not path
    if pattern[0] == DEEP:
        return any(_matches(pattern[1:], path[at:]) for at in range(len(path) + 1))
    return bool(path) and fnmatchcase(path[0], pattern[0]) and _matches(pattern[1:], path[1:])


@given(patterns, paths)
def test_a_path_is_covered_exactly_where_it_matches(pattern: Names, path: Names) -> None:
    assert meet(pattern, path, beneath=False) == covers(pattern, path)


@given(patterns, patterns, paths)
def test_patterns_with_a_path_in_common_always_meet(one: Names, other: Names, path: Names) -> None:
    if covers(one, path) and covers(other, path):
        assert meet(one, other, beneath=True)
        assert meet(other, one, beneath=True)


@given(st.lists(patterns, max_size=6), paths, st.sampled_from(["one", "all"]))
def test_the_index_finds_what_comparing_finds(known: list[Names], path: Names, extent: str) -> None:
    index = Index((pattern, pattern) for pattern in known)
    found = set(index.touched(Touch(path, extent), lambda names: True))  # type: ignore[arg-type]
    assert found == {one for one in known if meet(one, path, beneath=extent == "all")}


@given(st.lists(patterns, max_size=6), st.lists(st.one_of(words, globs), max_size=4).map(tuple))
def test_so_it_does_for_globs(known: list[Names], touched: Names) -> None:
    index = Index((pattern, pattern) for pattern in known)
    found = set(index.touched(Touch(touched, "all"), lambda names: True))
    assert found == {one for one in known if meet(one, touched, beneath=True)}


@pytest.mark.parametrize(
    ("one", "other", "may"),
    [
        ("a.py", "a.py", True),
        ("a.py", "b.py", False),
        ("*.py", "a.py", True),
        ("*.py", "*.md", False),
        ("test_*", "main_*", False),
        ("a*b", "*c*", True),
        ("[id].py", "[id].py", True),
        ("[id].py", "i.py", True),
        ("[id].py", "x.py", False),
    ],
)
def test_names(one: str, other: str, may: bool) -> None:
    assert same(one, other) is may
    assert same(other, one) is may


@pytest.mark.parametrize(
    ("pattern", "touch", "is_folder", "hit"),
    [
        ("src/a.py", Touch(("src",), "one"), True, False),
        ("src/a.py", Touch(("src",), "into"), True, True),
        ("src/a.py", Touch(("src",), "into"), False, True),
        ("src/a.py", Touch(("src",), "all"), True, True),
        ("src/a.py", Touch(("src", "b.py"), "into"), False, False),
        ("src", Touch(("src", "new", "b.py"), "one"), False, True),
        ("**/*.py", Touch(("doc", "a.md"), "into"), False, False),
        ("**/*.py", Touch(("doc",), "into"), True, True),
        ("**/*.py", Touch(("doc", "…"), "one"), False, True),
        ("src/a.py", Touch(("src", "*.py"), "one"), False, True),
        ("src/a.py", Touch(("…",), "one"), False, True),
        ("src/a.py", Touch((), "one"), True, False),
        ("src/a.py", Touch((), "into"), True, True),
    ],
)
def test_touches(pattern: str, touch: Touch, is_folder: bool, hit: bool) -> None:
    index = Index([(tuple(pattern.split("/")), 1)])
    assert bool(list(index.touched(touch, lambda names: is_folder))) is hit
