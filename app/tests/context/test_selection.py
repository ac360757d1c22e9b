"""Paths, folders and globs choose what goes into a context."""

import pytest

from lighthouse.context import BadContext, selection
from lighthouse.context.selection import select
from lighthouse.paths import to_bytes
from lighthouse.search import BadGlob
from lighthouse.shadow import NotCaptured, Shadow


def chosen(shadow: Shadow, *files: str) -> list[str]:
    return sorted(to_bytes(path).decode() for path in select(shadow.current, files))


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["README.md"], ["README.md"]),
        (["src/deep/"], ["src/deep/lamp.py", "src/deep/notes.txt"]),
        (["src/link"], ["src/link"]),
        ([".", "!deep"], ["README.md", "src/link", "src/main.py", "tests/test_main.py"]),
        (["*.py", "!tests/"], ["src/deep/lamp.py", "src/main.py"]),
        (["!*.txt", "src"], ["src/deep/lamp.py", "src/link", "src/main.py"]),
        (["/*.md"], ["README.md"]),
        (["src/*.{py,txt}"], ["src/main.py"]),
        (["src/**/*.txt", "README.md", "!README.md"], ["README.md", "src/deep/notes.txt"]),
        (["README.md", "*.md", "./README.md"], ["README.md"]),
    ],
)  # fmt: skip
def test_what_is_chosen(shadow: Shadow, files: list[str], expected: list[str]) -> None:
    assert chosen(shadow, *files) == expected


@pytest.mark.parametrize("files", [["gone"], ["*.c"], ["src", "../README.md"], ["*.py", "!*.py"]])
def test_each_has_to_choose_something(shadow: Shadow, files: list[str]) -> None:
    with pytest.raises(NotCaptured, match="takes no file"):
        chosen(shadow, *files)


def test_a_bad_glob_is_told(shadow: Shadow) -> None:
    with pytest.raises(BadGlob):
        chosen(shadow, "src/[a")


def test_limits(shadow: Shadow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "MAX_FILES", 2)
    with pytest.raises(BadContext, match="more than 2 files"):
        chosen(shadow, "src")
    monkeypatch.setattr(selection, "MAX_BYTES", 20)
    assert chosen(shadow, "README.md") == ["README.md"]
    with pytest.raises(BadContext, match="at most 20"):
        chosen(shadow, "src/deep")


def test_choosing_has_an_end(shadow, monkeypatch) -> None:
    monkeypatch.setattr(selection, "MAX_SECONDS", -1.0)
    with pytest.raises(BadContext, match="takes longer"):
        chosen(shadow, "README.md")
