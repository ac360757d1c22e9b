"""Globs: braces as the shell expands them, and what can match nothing is refused. What they mean is compared
with ripgrep in test_like_ripgrep.py, and with git in tests/shadow/test_gitignore.py."""

import shutil
import subprocess
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lighthouse.search import BadGlob
from lighthouse.search.globs import Globs, alternatives

# Nested alternatives of letters, without what the shell would read otherwise.
words = st.text("abx.*", max_size=3)
braces = st.recursive(
    words,
    lambda inner: st.lists(inner, min_size=2, max_size=3).map(lambda parts: "{" + ",".join(parts) + "}"),
    max_leaves=6,
)
globs = st.lists(braces, min_size=1, max_size=3).map("".join)


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@settings(max_examples=30, deadline=None)
@given(st.lists(globs.filter(bool), min_size=20, max_size=40))
def test_braces_are_expanded_as_by_bash(patterns: list[str]) -> None:
    script = "set -f\n" + "\n".join(f"printf '<%s>' x{pattern}; echo" for pattern in patterns)
    expanded = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, timeout=10)
    ours = ["".join(f"<{one}>" for one in alternatives(f"x{pattern}")) for pattern in patterns]
    assert ours == expanded.stdout.splitlines()


@given(st.text("{},[]!\\ab*", max_size=12))
def test_any_glob_is_taken_or_refused(glob: str) -> None:
    with suppress(BadGlob):
        assert alternatives(glob)


@pytest.mark.parametrize("glob", ["{a", "a}", "", "   ", "#comment", "[a", "{a,b}" * 20])
def test_what_can_match_nothing_is_refused(glob: str) -> None:
    with pytest.raises(BadGlob):
        Globs([glob])


def test_an_unknown_type_is_told_with_the_known_ones() -> None:
    with pytest.raises(BadGlob, match=r"'cobol'.*py, ruby, rust"):
        Globs((), ["cobol"])


def test_types_and_globs_must_both_agree() -> None:
    both = Globs(["src/**"], ["py"])
    assert both.takes((b"src", b"a.py"))
    assert not both.takes((b"src", b"a.c"))
    assert not both.takes((b"a.py",))
    assert both.enters((b"src",))


@pytest.mark.parametrize(("glob", "name"), [(r"\{a", b"{a"), (r"a\}", b"a}"), ("[{]", b"{"), ("[}]", b"}")])
def test_braces_can_be_meant_literally(glob: str, name: bytes) -> None:
    assert Globs([glob]).takes((name,))


def test_of_too_many_globs_the_rest_is_not_even_read() -> None:
    with pytest.raises(BadGlob, match="more than 256 globs"):
        Globs(["{a,b}" * 7] * 3 + ["}"])
