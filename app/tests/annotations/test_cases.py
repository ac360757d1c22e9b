"""The cases of real refactorings: each note is looked for, and docs/annotations.md tells what was found."""

import os
from collections import Counter
from pathlib import Path

import pytest

from tests.annotations.conftest import CASES, Case, after, cases, files_in, resolve, told

DOCUMENT = Path(__file__).parents[3] / "docs" / "annotations.md"
BEGIN, END = "<!-- cases: begin -->\n", "<!-- cases: end -->\n"


def got(case: Case, folder: Path) -> tuple[str, float]:
    """Where the note of a case stands after it, and how sure that is."""
    folder.mkdir()
    standing = resolve(files_in(CASES / case.language / "before"), after(case, folder), case.note)
    return told(standing), standing.confidence if standing is not None else 0.0


def verdict(case: Case, found: str) -> str:
    """What became of a note, for a person who relies on it."""
    if found == case.expect:
        return "found" if found != "orphaned" else "orphaned, rightly"
    if found == "orphaned":
        return "**missed**"
    if found.partition(" ")[2] == case.expect.partition(" ")[2]:
        return "**found, told as another status**"
    return "**wrong place**"


def table(outcomes: list[tuple[Case, str, float]]) -> str:
    """The part of the document that is made by this test."""
    verdicts = Counter(verdict(case, found).strip("*") for case, found, _ in outcomes)
    lines = [
        f"{len(outcomes)} cases: " + ", ".join(f"{n} {name}" for name, n in verdicts.most_common()) + ".",
        "",
    ]
    lines += ["| case | what happens | the note | where it should stand | where it was found | sure | |"]
    lines += ["|---|---|---|---|---|---|---|"]
    for case, found, sure in outcomes:
        shown = "as it should" if found == case.expect else f"`{found}`"
        cells = [f"{case.language}/{case.name}", case.title, f"`{case.note}`", f"`{case.expect}`", shown]
        cells += [f"{sure:.2f}", verdict(case, found)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Case, str, float]]:
    folder = tmp_path_factory.mktemp("cases")
    return [(case, *got(case, folder / f"{case.language}-{case.name}")) for case in cases()]


def test_there_are_cases_of_every_kind_in_every_language() -> None:
    found = cases()
    assert len(found) >= 60
    assert {case.language for case in found} == {"python", "typescript", "go", "rust", "c", "yaml", "text"}
    kinds = Counter(case.refactoring for case in found)
    for kind in ("rename", "move in file", "move to file", "reformat", "code added", "delete", "rename file"):
        assert kinds[kind] >= 5, kind
    assert kinds["duplicate"] + kinds["split"] >= 4


def test_the_document_tells_what_was_found_and_missed(outcomes: list[tuple[Case, str, float]]) -> None:
    """`LIGHTHOUSE_WRITE_DOCS=1` writes it anew."""
    text = DOCUMENT.read_text()
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    wanted = head + BEGIN + table(outcomes) + END + tail
    if os.environ.get("LIGHTHOUSE_WRITE_DOCS") == "1":
        DOCUMENT.write_text(wanted)
    assert DOCUMENT.read_text() == wanted


def test_hardly_a_note_is_put_where_it_does_not_belong(outcomes: list[tuple[Case, str, float]]) -> None:
    wrong = [case.name for case, found, _ in outcomes if verdict(case, found) == "**wrong place**"]
    assert len(wrong) * 50 <= len(outcomes), wrong
    found = [case.name for case, found, _ in outcomes if found == case.expect]
    assert len(found) >= 0.9 * len(outcomes)
