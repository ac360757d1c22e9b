"""What is measured, by name. Each case is given the tree and a folder to work in, and answers rows."""

from collections.abc import Callable

from bench.cases import agents, appending, capture, history, hook, http, judge, mcp, memory, reading, validate, visible
from bench.cases.case import Setting
from bench.report import Row

CASES: dict[str, Callable[[Setting], list[Row]]] = {
    "warm": reading.warm,
    "cold": reading.cold,
    "capture": capture.capture,
    "visible": visible.visible,
    "history": history.history,
    "memory": memory.memory,
    "append": appending.append,
    "http": http.http,
    "hook": hook.hook,
    "judge": judge.judge,
    "mcp": mcp.mcp,
    "validate": validate.validate,
    "agents": agents.agents,
}
