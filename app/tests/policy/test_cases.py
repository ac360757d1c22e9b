"""The tables of cases/, family by family, hold with the shipped policies."""

from pathlib import Path

import pytest

from lighthouse.policy.cases import BadCases, judge_cases, read_cases
from tests.policy.conftest import PROJECT, Bench

TABLES = sorted((Path(__file__).parent / "cases").glob("*.jsonl"))


@pytest.mark.parametrize("table", TABLES, ids=lambda path: path.stem)
def test_every_case_gets_the_verdict_that_is_expected(table, bench: Bench) -> None:
    wrong = [
        f"{table.name}:{line}: {verdict.decision} ({verdict.rule}: {verdict.reason}) for {case}"
        for line, case, verdict in judge_cases(bench.judge, table, PROJECT)
        if not case.met_by(verdict)
    ]
    assert not wrong, "\n".join(wrong)


def test_there_are_many() -> None:
    assert sum(1 for table in TABLES for _ in read_cases(table)) >= 600


@pytest.mark.parametrize(
    "line", ["{", '{"expect": "maybe", "command": "ls"}', '{"expect": "allow", "cmd": "ls"}']
)
def test_a_line_that_is_no_case_is_named(line, tmp_path) -> None:
    table = tmp_path / "cases.jsonl"
    table.write_text('{"expect": "allow", "command": "ls"}\n' + line + "\n")
    with pytest.raises(BadCases, match="line 2"):
        list(read_cases(table))
