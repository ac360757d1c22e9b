"""Facts of the tools that are not Bash, each by what its fields mean."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from lighthouse.policy.analysis import Analysis
from lighthouse.policy.programs import services
from lighthouse.policy.programs.invocation import host_place
from lighthouse.policy.shell.grammar import NotUnderstood
from lighthouse.policy.shell.state import State
from lighthouse.policy.vocabulary import listed

MOST_FIELDS = 200

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
    if not url.startswith(("http://", "https://")):
        raise NotUnderstood("the address is no web page")
    analysis.act("fetch", host_place(_host(url)), url[:200], analysis.facts.tool)


def _host(url: str) -> str:
    try:
        host = urlsplit(url).hostname
    except ValueError as error:
        raise NotUnderstood("the address is none") from error
    if not host:
        raise NotUnderstood("the address is none")
    return host


def _search(analysis: Analysis, fields: Mapping[str, Any], state: State) -> None:
    analysis.act("fetch", "remote", _text(fields, "query")[:200], analysis.facts.tool)


def _nothing(analysis: Analysis, fields: Mapping[str, Any], state: State) -> None:
    analysis.act("read", "self", "", analysis.facts.tool)


def _edits(analysis: Analysis, fields: Mapping[str, Any], state: State) -> None:
    """Several edits: of one file, or each of a file that it names itself."""
    _file("write", "file_path", "path")(analysis, fields, state)
    edits = fields.get("edits")
    for edit in edits if isinstance(edits, list) else []:
        if isinstance(edit, dict) and isinstance(path := edit.get("file_path"), str) and "\0" not in path:
            analysis.path("write", path, state, analysis.facts.tool)


def _act(action: str, place: str, *names: str) -> Tool:
    def judge(analysis: Analysis, fields: Mapping[str, Any], state: State) -> None:
        words = [str(fields[name])[:100] for name in names if fields.get(name)]
        analysis.act(action, place, " ".join(words), analysis.facts.tool)

    return judge


def _leave_worktree(analysis: Analysis, fields: Mapping[str, Any], state: State) -> None:
    if fields.get("action") == "remove" or fields.get("discard_changes"):
        analysis.act("discard", "project", "the worktree", analysis.facts.tool, detail="removes a worktree")


def judge_server_tool(analysis: Analysis, fields: Mapping[str, Any], state: State) -> None:
    """A tool of another MCP server: its name says what it does, its fields what with."""
    tool = analysis.facts.tool
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", tool.rpartition("__")[2])
    words = re.split(r"[_-]+", name.lower())
    action, verb = services.judge(words)
    if action == "query" and words[0] not in _READING:
        action = "change"
    for number, (field, value) in enumerate(_texts("", fields)):
        if number >= MOST_FIELDS:
            raise NotUnderstood(f"the call has more than {MOST_FIELDS} fields")
        if _CODE.search(field) or (field == "query" and verb not in _SEARCHES):
            analysis.uncertain(
                f"{tool[:100]}: what its field {field[:50]} would run is not known", tool[:100]
            )
        elif "://" in value or _ADDRESS.search(field):
            host = _host(value if "://" in value else f"//{value}")
            analysis.act("send", host_place(host), value[:200], tool[:100])
        elif value.startswith(("/", "~", "../")) or _PATH.search(field):
            if "\0" in value:
                raise NotUnderstood("the path has a NUL")
            analysis.path("read" if action == "query" else "write", value, state, tool[:100])
    analysis.act(action, "remote", tool[:200], tool[:100], detail=f"{tool[:100]}: {verb[:50]}")


def _texts(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """All texts in a value, each with the name of the field that it stands in, however deep."""
    if isinstance(value, str):
        if value:
            yield name, value
    elif isinstance(value, Mapping):
        for inner, one in value.items():
            yield from _texts(inner, one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(name, one)


_CODE = re.compile(r"(?i)command|cmd|script|code|sql|expression|program|eval|function|payload|body")
_READING = frozenset(
    (
        "get",
        "list",
        "search",
        "read",
        "describe",
        "show",
        "find",
        "view",
        "query",
        "lookup",
        "resolve",
        "count",
    )
)
_SEARCHES = frozenset(("search", "find", "lookup", "resolve"))
_ADDRESS = re.compile(r"(?i)^(?:url|uri|href|host|endpoint|address)$")
_PATH = re.compile(r"(?i)path|file|folder|dir(?:ectory)?$")
TOOLS: dict[str, Tool] = {
    "Write": _file("write", "file_path", "path"),
    "Edit": _file("write", "file_path", "path"),
    "MultiEdit": _edits,
    "NotebookEdit": _file("write", "notebook_path", "path"),
    "Read": _file("read", "file_path", "path"),
    "NotebookRead": _file("read", "notebook_path", "path"),
    "LS": _look,
    "Glob": _look,
    "Grep": _look,
    "WebFetch": _fetch,
    "WebSearch": _search,
    # These act on the conversation alone.
    **dict.fromkeys(listed("tools", "conversation"), _nothing),
    # What the session itself has started.
    "KillShell": _act("signal", "self", "shell_id"),
    "KillBash": _act("signal", "self", "shell_id"),
    "TaskStop": _act("signal", "self", "task_id"),
    "ListMcpResourcesTool": _act("query", "local", "server"),
    "ReadMcpResourceTool": _act("query", "local", "server", "uri"),
    "LSP": _look,
    # Instructions that stand in the project; they may run commands of their own.
    "Skill": _act("execute", "project", "skill", "command"),
    "SlashCommand": _act("execute", "project", "command"),
    "EnterWorktree": _act("write", "project", "name"),
    "ExitWorktree": _leave_worktree,
    "CronCreate": _act("persist", "host", "cron", "prompt"),
    "RemoteTrigger": _act("change", "remote", "action"),
    "Artifact": _act("publish", "remote", "file_path"),
    "Config": _act("configure", "guard", "setting", "value"),
    # The calls of whom it starts are judged one by one.
    "Task": _nothing,
    "Agent": _nothing,
}
# The bridge checks its own tools itself, by the token.
# These run a command as Bash does.
SHELLS = frozenset(("Bash", "Monitor"))
SERVERS = "mcp__"
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
