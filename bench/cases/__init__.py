"""What is measured, by name. Each case is given the tree and a folder to work in, and answers rows."""

from collections.abc import Callable

from bench.cases import appending, http, reading
from bench.cases.case import Setting
from bench.report import Row

CASES: dict[str, Callable[[Setting], list[Row]]] = {
    "warm": reading.warm,
    "cold": reading.cold,
    "append": appending.append,
    "http": http.http,
}
