"""Figures, ratios, goals, and the forms they are shown in."""

import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from bench import page, table
from bench.report import LIGHTHOUSE, Figure, Report
from bench.sampling import interleaved, percentile


def test_contenders_take_turns_and_each_round_begins_with_another() -> None:
    turns: list[str] = []

    def contender(name: str) -> Callable[[], float]:
        def turn() -> float:
            turns.append(name)
            return float(len(turns))

        return turn

    figures = interleaved(
        {name: contender(name) for name in "abc"}, 3, before=lambda name: turns.append(f"before {name}")
    )
    assert [turn for turn in turns if len(turn) == 1] == list("abcbcacab")
    assert turns[:2] == ["before a", "a"]
    assert figures["a"] == Figure(12.0, 2.0, 16.0, 3)


def test_one_disturbed_sample_does_not_move_the_figure() -> None:
    assert Figure.of([1.0, 90.0, 1.1]).value == 1.1


@pytest.mark.parametrize(("share", "expected"), [(0.5, 500), (0.99, 990), (1.0, 1000), (0.0001, 1)])
def test_percentiles_are_by_nearest_rank(share: float, expected: int) -> None:
    assert percentile([float(number) for number in range(1000, 0, -1)], share) == expected


def test_ratios_and_goals_are_told(report: Report) -> None:
    compared, alone = report.rows
    assert compared.ratio(LIGHTHOUSE) == pytest.approx(1.1)
    assert [row.goal.met(row) for row in report.rows if row.goal] == [True, False]
    assert table.lines(report) == [
        [
            "grep -rn, warm",
            "native",
            "0.500 s",
            "1.500 s (3.00×)",
            "2.000 s (4.00×)",
            "0.550 s (1.10×)",
            "≤ 1.15×",
            "met",
        ],
        ["64 writers", "", "", "", "", "4,321 events/s", "≥ 6,000 events/s", "missed"],
    ]
    with pytest.raises(ValueError, match="no baseline"):
        alone.ratio(LIGHTHOUSE)


def test_the_terminal_shows_all_of_it(report: Report) -> None:
    written = io.StringIO()
    table.show(report, Console(file=written, width=200))
    assert all(cell in written.getvalue() for line in table.lines(report) for cell in line)


def test_the_page_and_the_plot_come_from_the_figures(report: Report, tmp_path: Path) -> None:
    page.publish(report, tmp_path)
    kept = msgspec.json.decode((tmp_path / "bench.json").read_bytes(), type=Report)
    assert kept == report
    text = (tmp_path / "bench.md").read_text()
    assert "| grep -rn, warm | native | 0.500 s |" in text
    assert "make bench PUBLISH=1\n" in text
    drawn = (tmp_path / "bench.svg").read_text()
    assert ET.fromstring(drawn).tag.endswith("svg")
    assert "1.10" in drawn
    assert "<script" not in re.sub(r"<script[^>]*>window.pygal.*?</script>", "", drawn, flags=re.DOTALL)
    assert page.plot(report) == drawn, "the same figures give the same file"


def test_the_published_page_is_that_of_its_figures() -> None:
    figures = page.DOCS / "bench.json"
    published = msgspec.json.decode(figures.read_bytes(), type=Report)
    assert (page.DOCS / "bench.md").read_text() == page.page(published)
    assert (page.DOCS / "bench.svg").read_text() == page.plot(published)
    assert {row.case for row in published.rows} == set(published.loads)
