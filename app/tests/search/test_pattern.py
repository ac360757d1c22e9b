"""Patterns: RE2's reasons for refusing one, the case that is ignored, and that no pattern takes long."""

import time

import pytest

from lighthouse.search import BadPattern
from lighthouse.search.pattern import compile_pattern


def found(pattern: str, text: bytes, **options: bool) -> tuple[int, int] | None:
    return compile_pattern(pattern, **options).find(text, 0, len(text))


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(", "missing )"),
        ("a)(b", "unexpected )"),
        ("a{2000}", "invalid repetition size"),
        ("(?=x)", "invalid perl operator"),
        (r"(a)\1", "invalid escape sequence"),
        ("[z-a]", "invalid character class range"),
        ("*a", "no argument for repetition operator"),
        (r"(?:\pL{1,500}){1,2}" * 20, "pattern too large"),
        ("x" * 5000, "longer than"),
        ("a\nb", "line break"),
    ],
)
def test_a_bad_pattern_is_refused_with_the_reason(pattern: str, reason: str) -> None:
    for word in (False, True):
        with pytest.raises(BadPattern, match=reason.replace(")", r"\)")):
            compile_pattern(pattern, word=word)


def test_any_text_is_good_as_a_fixed_one() -> None:
    assert found("a)(b", b"xa)(b", fixed=True) == (1, 5)
    assert found("é.", "é. é!".encode(), fixed=True) == (0, 3)


@pytest.mark.parametrize(
    ("pattern", "folds"),
    [("light", True), ("Light", False), (r"\Slight\W", True), (r"\pLlight", True), (r"(?P<Name>light)", True),
     ("lighT", False), ("ärger", True), ("Ärger", False), ("123", True)],
)  # fmt: skip
def test_smart_case(pattern: str, folds: bool) -> None:
    from lighthouse.search.pattern import _is_lower

    assert _is_lower(pattern, fixed=False) is folds


def test_a_match_stays_within_its_line() -> None:
    assert found(r"a\s*b", b"a\nb a b\n") == (4, 7)
    assert found(r"[^x]+", b"ab\ncd\n") == (0, 2)
    assert found(r"(?s)a.b", b"a\nb\n") is None


def test_a_pattern_that_ruins_backtracking_takes_a_moment() -> None:
    text = (b"a" * 60_000 + b"\n") * 10
    begun = time.process_time()
    assert found("(a*)*b|(a|aa)+$x", text) is None
    assert time.process_time() - begun < 20  # backtracking would not end in a lifetime
