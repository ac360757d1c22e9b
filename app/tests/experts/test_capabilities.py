"""What covers what: no limit, every path and risk, one language; and what makes no sense is refused."""

import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighthouse.annotations.languages import NAMES
from lighthouse.experts import BadExpert, Capabilities
from lighthouse.experts.capabilities import Coverage
from lighthouse.policy import ACTIONS
from lighthouse.policy.verdict import TIERS


class Needs(msgspec.Struct):
    languages: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()


def specificity(needs: Needs, tier: str = "medium", **limits: tuple[str, ...]) -> int | None:
    return Coverage(Capabilities("security", **limits)).specificity(needs, tier)


EVERYTHING = Needs(("bash", "python"), ("src/a.py", "db/x.sql"), ("delete", "send"))


def test_without_limits_everything_is_covered_and_nothing_named() -> None:
    assert specificity(EVERYTHING) == 0
    assert specificity(Needs()) == 0


@pytest.mark.parametrize(
    ("limits", "named"),
    [
        ({"languages": ("python",)}, 1),
        ({"languages": ("ruby",)}, None),
        ({"paths": ("src/", "db/")}, 1),
        ({"paths": ("src/",)}, None),
        ({"paths": ("*.py", "*.sql")}, 1),
        ({"paths": ("*", "!db/")}, None),
        ({"risks": ("delete", "send", "write")}, 1),
        ({"risks": ("delete",)}, None),
        ({"risks": ("medium",)}, 1),
        ({"risks": ("high", "critical")}, None),
        ({"risks": ("medium", "delete", "send")}, 2),
        ({"risks": ("medium", "delete")}, None),
        ({"languages": ("bash",), "paths": ("*",), "risks": ("medium", "delete", "send")}, 4),
    ],
)
def test_each_limit(limits: dict[str, tuple[str, ...]], named: int | None) -> None:
    assert specificity(EVERYTHING, **limits) == named


def test_what_a_request_does_not_touch_limits_nothing() -> None:
    needs = Needs(risks=("send",))
    assert specificity(needs, languages=("python",), paths=("src/",)) == 0
    assert specificity(needs, languages=("python",), risks=("send",)) == 1


@pytest.mark.parametrize(
    ("glob", "path", "covered"),
    [
        ("db/", "db", True),
        ("db/", "lib/db/x/y", True),
        ("/db/", "lib/db/x", False),
        ("db/**", "db/x/y", True),
        ("db/**", "db", False),
        ("src/*.py", "src/a.py", True),
        ("src/*.py", "src/sub/a.py", False),
        ("*.{py,pyi}", "deep/down/a.pyi", True),
        ("*", "../x", False),
        ("*", "/etc/passwd", False),
        ("*", ".", False),
        ("!db/", ".", False),
    ],
)
def test_paths(glob: str, path: str, covered: bool) -> None:
    assert (specificity(Needs(paths=(path,)), paths=(glob,)) is not None) is covered


@pytest.mark.parametrize(
    ("speciality", "limits", "reason"),
    [
        ("", {}, "no speciality"),
        ("Security", {}, "no speciality"),
        ("two words", {}, "no speciality"),
        ("x" * 41, {}, "no speciality"),
        ("security\n", {}, "no speciality"),
        ("ops", {"languages": ("cobol",)}, "no language 'cobol'.*python"),
        ("ops", {"risks": ("fire",)}, "no risk 'fire'.*destroy"),
        ("ops", {"paths": ("[a",)}, "can match nothing"),
        ("ops", {"paths": ("x" * 1001,)}, "longer than"),
        ("ops", {"languages": ("python",) * 101}, "more than 100"),
    ],
)
def test_what_makes_no_sense_is_refused(
    speciality: str, limits: dict[str, tuple[str, ...]], reason: str
) -> None:
    with pytest.raises(BadExpert, match=reason):
        Coverage(Capabilities(speciality, **limits))


words = st.sampled_from(sorted(ACTIONS))


@given(st.sets(words), st.sets(words, min_size=1), st.sampled_from(sorted(TIERS)))
def test_no_risk_of_a_request_is_left_uncovered(able: set[str], risks: set[str], tier: str) -> None:
    found = specificity(Needs(risks=tuple(risks)), tier, risks=tuple(able))
    assert (found is not None) == (not able or risks <= able)


@given(st.text(max_size=30), st.lists(st.text(max_size=20), max_size=3), st.text(max_size=20))
def test_any_text_is_taken_or_refused(speciality: str, globs: list[str], path: str) -> None:
    try:
        coverage = Coverage(Capabilities(speciality, paths=tuple(globs)))
    except BadExpert:
        return
    assert coverage.specificity(Needs(paths=(path,)), "low") in (None, 0, 1)


def test_the_documentation_lists_the_languages() -> None:
    text = (Path(__file__).parents[3] / "docs" / "experts.md").read_text()
    [line] = [line for line in text.splitlines() if line.startswith("Languages: ")]
    assert re.findall(r"`(\w+)`", line) == sorted(NAMES)
