"""The published run: docs/bench.json as it was measured, and the page and plot made from it."""

import re
from pathlib import Path
from string import Template

import msgspec
import pygal  # type: ignore[import-untyped]

from bench import table
from bench.contenders import BINDFS, NATIVE, PYFUSE3
from bench.report import LIGHTHOUSE, Report

DOCS = Path(__file__).resolve().parents[1] / "docs"
TEMPLATE = Path(__file__).with_name("page.md")
PLOTTED = "warm"
COLOURS = {NATIVE: "#8a8f98", BINDFS: "#d9a441", PYFUSE3: "#b5655a", LIGHTHOUSE: "#2f6f9f"}


def publish(report: Report, folder: Path = DOCS) -> None:
    """Write the figures, the page and the plot."""
    (folder / "bench.json").write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n")
    (folder / "bench.md").write_text(page(report))
    (folder / "bench.svg").write_text(plot(report))


def page(report: Report) -> str:
    """The page as Markdown."""
    machine, data = report.machine, report.data
    kind = f"{machine.cores} cores of {machine.processor}, {machine.memory_mib:,} MiB, {machine.kernel}"
    return Template(TEMPLATE.read_text()).substitute(
        command=report.command,
        date=report.date,
        version=report.version,
        machine=f"{kind}, Python {machine.python}",
        programs=", ".join(f"{name} {version}" for name, version in machine.programs.items()),
        files=f"{data.files:,}",
        megabytes=f"{data.bytes / 1e6:.0f}",
        packages=", ".join(data.packages),
        loads=", ".join(f"{name} {load:g}" for name, load in report.loads.items()),
        table=_table(report),
        remarks="".join(f"{remark}\n\n" for remark in report.remarks),
    )


def _table(report: Report) -> str:
    lines = [["", *table.HEADINGS[1:]], ["---"] * len(table.HEADINGS), *table.lines(report)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def plot(report: Report) -> str:
    """Bars for each command, as an SVG that loads nothing."""
    style = pygal.style.Style(
        background="transparent",
        plot_background="transparent",
        colors=tuple(COLOURS.values()),
        font_family="sans-serif",
        label_font_size=13,
        major_label_font_size=13,
        legend_font_size=14,
        value_font_size=11,
        title_font_size=16,
    )
    chart = pygal.Bar(
        js=[], style=style, width=900, height=420, legend_at_bottom=True, print_values=True, show_y_guides=True
    )
    chart.uuid = "bench"  # the same figures shall give the same file
    chart.title = "Reading, warm: times as long as on the disk"
    chart.value_formatter = lambda value: f"{value:.2f}"
    rows = [row for row in report.rows if row.case == PLOTTED]
    chart.x_labels = [row.name.partition(",")[0] for row in rows]
    for name in COLOURS:
        chart.add(name, [round(row.ratio(name), 2) for row in rows])
    # The library writes its own version and the day into comments.
    return re.sub(r"<!--.*?-->", "", chart.render(is_unicode=True), flags=re.DOTALL) + "\n"
