"""Every case once, on the small tree: nothing is said about how fast, only that all is measured and right."""

import math
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from bench import data
from bench.__main__ import main
from bench.cases import CASES
from bench.report import LIGHTHOUSE, Report


@pytest.mark.timeout(300)
def test_a_quick_run_measures_everything(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--quick"])
    report = msgspec.json.decode((data.CACHE / "quick.json").read_bytes(), type=Report)
    assert {row.case for row in report.rows} == set(CASES) == set(report.loads)
    assert report.data.files == data.QUICK_FILES
    assert report.command == "make bench QUICK=1"
    for row in report.rows:
        assert LIGHTHOUSE in row.figures
        assert row.baseline is None or row.baseline in row.figures
        for figure in row.figures.values():
            assert math.isfinite(figure.value)
            assert figure.lowest <= figure.value <= figure.highest
            assert figure.value > 0
    assert "grep -rn, warm" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--only", "lukewarm"], "there is no case lukewarm"),
        (["--publish", "--quick"], "only a whole run"),
        (["--corpus", "nowhere.jsonl"], "nowhere.jsonl is no file"),
    ],
)
def test_what_cannot_be_run_is_refused(arguments: list[str], told: str) -> None:
    done = subprocess.run([sys.executable, "-m", "bench", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert told in done.stderr


def test_other_calls_are_judged_where_a_corpus_is_named(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text('{"command": "ls", "expected": "allow"}\n{"command": "rm -rf /"}\n')
    main(["--quick", "--only", "judge", "--corpus", str(corpus)])
    report = msgspec.json.decode((data.CACHE / "quick.json").read_bytes(), type=Report)
    assert report.command == "make bench QUICK=1 ONLY=judge CORPUS=FILE"
    assert [row.note for row in report.rows] == ["2 calls", "2 calls"]
