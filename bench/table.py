"""The run as one table for a terminal."""

from rich.console import Console
from rich.table import Table

from bench.contenders import BINDFS, PYFUSE3
from bench.report import LIGHTHOUSE, Figure, Report, Row

OTHERS = (BINDFS, PYFUSE3, LIGHTHOUSE)
HEADINGS = ("measured", "baseline", "", *OTHERS, "goal", "")


def show(report: Report, console: Console | None = None) -> None:
    """Print it."""
    table = Table(title="Ratios are to the baseline of the same row", title_justify="left")
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading in ("measured", "baseline") else "right")
    for line in lines(report):
        table.add_row(*line)
    console = console or Console(width=150)
    console.print(table)
    for remark in report.remarks:
        console.print(remark)


def lines(report: Report) -> list[list[str]]:
    """A line of cells for each row, under HEADINGS."""
    return [_line(row) for row in report.rows]


def _line(row: Row) -> list[str]:
    base = "" if row.baseline is None else number(row.figures[row.baseline], row.unit)
    cells = [_cell(row, name) for name in OTHERS]
    verdict = "" if row.goal is None else "met" if row.goal.met(row) else "missed"
    return [row.name, row.baseline or "", base, *cells, _goal(row), verdict]


def _cell(row: Row, name: str) -> str:
    figure = row.figures.get(name)
    if figure is None or name == row.baseline:
        return ""
    told = number(figure, row.unit)
    return told if row.baseline is None else f"{told} ({row.ratio(name):.2f}×)"


def _goal(row: Row) -> str:
    if row.goal is None:
        return ""
    sign = "≥" if row.goal.least else "≤"
    return f"{sign} {row.goal.bound:g}×" if row.goal.of == "ratio" else f"{sign} {row.goal.bound:,g} {row.unit}"


def number(figure: Figure, unit: str) -> str:
    """A figure with its unit, in three digits or so."""
    value = figure.value
    digits = f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.3f}"
    return f"{digits} {unit}"
