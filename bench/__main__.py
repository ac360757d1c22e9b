"""Runs the cases, prints the table, writes the figures as JSON: `make bench`.

python -m bench [--quick] [--only NAME,…] [--rounds N] [--saves N] [--corpus FILE] [--publish]
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec

from bench import data, machine, page, table
from bench.cases import CASES
from bench.cases.case import Setting
from bench.report import Report
from lighthouse import __version__

SAVES, QUICK_SAVES = 1000, 20
BUSY = (
    "The machine had other work while this was measured: rates are lower and latencies higher than on one that has "
    "none, and a goal that is missed here may be met there."
)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run: a small tree, one round each")
    parser.add_argument("--only", metavar="NAME,…", help=f"only these cases: {', '.join(CASES)}")
    parser.add_argument("--rounds", type=int, metavar="N", help="at most so many turns for each contender")
    parser.add_argument("--saves", type=int, metavar="N", help="saves in the case visible")
    parser.add_argument("--corpus", type=Path, metavar="FILE", help="other tool calls for the case judge")
    parser.add_argument("--publish", action="store_true", help="write docs/bench.md, its figures and its plot anew")
    given = parser.parse_args(arguments)
    names = list(CASES) if given.only is None else given.only.split(",")
    if unknown := [name for name in names if name not in CASES]:
        parser.error(f"there is no case {unknown[0]}: {', '.join(CASES)}")
    if given.publish and (given.quick or given.only or given.rounds or given.saves or given.corpus):
        parser.error("only a whole run is published")
    saves = given.saves or (QUICK_SAVES if given.quick else SAVES)
    rounds = 1 if given.quick else given.rounds
    if given.corpus is not None and not given.corpus.is_file():
        parser.error(f"{given.corpus} is no file of tool calls")
    thorough = partial(Setting, quick=given.quick, saves=saves, limit=rounds, corpus=given.corpus)
    report = run(names, thorough, quick=given.quick, command=_command(given))
    table.show(report)
    written = data.CACHE / f"{'quick' if given.quick else 'last'}.json"
    written.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1))
    print(f"written: {written}")
    if given.publish:
        page.publish(report)
        print(f"written: {page.DOCS}/bench.md")


def run(names: Sequence[str], thorough: Callable[..., Setting], *, quick: bool, command: str) -> Report:
    """Run the cases on the tree, each in a folder of its own that is gone afterwards."""
    print("preparing the tree", file=sys.stderr)
    tree = data.prepare(quick=quick)
    described = data.describe(tree)
    print(f"{described.files:,} files, {described.bytes / 1e6:.0f} MB", file=sys.stderr)
    date = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    report = Report(command, date, __version__, machine.describe(), described, {}, [], [])
    if machine.load() > report.machine.cores / 2:
        report.remarks.append(BUSY)
    for name in names:
        report.loads[name] = machine.load()
        print(f"{name} (load {report.loads[name]})", file=sys.stderr)
        with tempfile.TemporaryDirectory(dir=data.CACHE, prefix="work-") as work:
            report.rows.extend(CASES[name](thorough(tree, Path(work), remarks=report.remarks)))
    return report


def _command(given: argparse.Namespace) -> str:
    words = ["make bench"]
    words += ["QUICK=1"] * given.quick
    words += [f"ONLY={given.only}"] if given.only else []
    words += [f"ROUNDS={given.rounds}"] if given.rounds else []
    words += [f"SAVES={given.saves}"] if given.saves else []
    words += ["CORPUS=FILE"] if given.corpus else []
    return " ".join([*words, *["PUBLISH=1"] * given.publish])


if __name__ == "__main__":
    main()
