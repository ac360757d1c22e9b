"""Tool calls to judge: those of the tables that the policies are tested with, or of another corpus."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from lighthouse.policy import Call

TABLES = Path(__file__).resolve().parents[1] / "app" / "tests" / "policy" / "cases"
PROJECT = "/home/ann/shop"


class Line(msgspec.Struct):
    """A line of a corpus; what else it says does not matter here."""

    command: str | None = None
    tool: str = "Bash"
    input: dict[str, Any] = {}
    cwd: str | None = None


def read(corpus: Path | None = None, project: str = PROJECT) -> list[Call]:
    """The calls of the corpus, one JSON object on a line with `command`, or `tool` and `input`; None: of the tables.

    `project` stands where they name theirs.
    """
    texts = [path.read_text().replace(PROJECT, project) for path in _files(corpus)]
    return [_call(line, project) for text in texts for line in text.splitlines() if line.startswith("{")]


def _files(corpus: Path | None) -> Iterable[Path]:
    return sorted(TABLES.glob("*.jsonl")) if corpus is None else [corpus]


def _call(line: str, project: str) -> Call:
    told = msgspec.json.decode(line, type=Line)
    fields = told.input if told.command is None else {"command": told.command}
    return Call(told.tool, fields, told.cwd or project)
