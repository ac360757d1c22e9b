"""Facts of the tools that are not Bash, each by what its fields mean."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from lighthouse.policy.analysis import Analysis
from lighthouse.policy.programs.invocation import host_place
from lighthouse.policy.shell.grammar import NotUnderstood
from lighthouse.policy.shell.state import State

Tool = Callable[[Analysis, Mapping[str, Any], State], None]


def _text(fields: Mapping[str, Any], *names: str) -> str:
    for name in names:
        if isinstance(value := fields.get(name), str) and value:
            return value
    raise NotUnderstood(f"the call has no {names[0]}")


def _file(action: str, *names: str) -> Tool:
    def judge(analysis: Analysis, fields: Mapping[str, Any], state: State) -> None:
        path = _text(fields, *names)
        if "\0" in path:
            raise NotUnderstood("the path has a NUL")
        analysis.path(action, path, state, analysis.facts.tool)

    return judge


def _look(analysis: Analysis, fields: Mapping[str, Any], state: State) -> None:
    path = fields.get("path")
    analysis.path("read", path if isinstance(path, str) and path else ".", state, analysis.facts.tool)


def _fetch(analysis: Analysis, fields: Mapping[str, Any], state: State) -> None:
    url = _text(fields, "url")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NotUnderstood("the address is no web page")
    analysis.act("fetch", host_place(parts.hostname), url[:200], analysis.facts.tool)


def _search(analysis: Analysis, fields: Mapping[str, Any], state: State) -> None:
    analysis.act("fetch", "remote", _text(fields, "query")[:200], analysis.facts.tool)


def _nothing(analysis: Analysis, fields: Mapping[str, Any], state: State) -> None:
    analysis.act("read", "self", "", analysis.facts.tool)


TOOLS: dict[str, Tool] = {
    "Write": _file("write", "file_path", "path"),
    "Edit": _file("write", "file_path", "path"),
    "MultiEdit": _file("write", "file_path", "path"),
    "NotebookEdit": _file("write", "notebook_path", "path"),
    "Read": _file("read", "file_path", "path"),
    "NotebookRead": _file("read", "notebook_path", "path"),
    "LS": _look,
    "Glob": _look,
    "Grep": _look,
    "WebFetch": _fetch,
    "WebSearch": _search,
    # These act on the conversation alone.
    "TodoWrite": _nothing,
    "TodoRead": _nothing,
    "ExitPlanMode": _nothing,
    "BashOutput": _nothing,
    "AskUserQuestion": _nothing,
    # The calls of whom it starts are judged one by one.
    "Task": _nothing,
    "Agent": _nothing,
}
# The bridge checks its own tools itself, by the token.
OWN_TOOLS = "mcp__lighthouse__"
_SENDING = frozenset(("send", "change", "publish"))


def exfiltrates(analysis: Analysis) -> None:
    """Where a call reads what is secret and sends to another machine, say so: apart neither tells it."""
    acts = analysis.facts.acts
    secrets = [act for act in acts if act.place == "secret" and act.action in ("read", "query")]
    if not secrets:
        return
    for act in acts:
        if act.action in _SENDING and act.place in ("remote", "unknown"):
            analysis.act(
                "exfiltrate",
                "remote",
                secrets[0].target,
                act.program,
                detail=f"{secrets[0].target} would leave this machine",
            )
            return
