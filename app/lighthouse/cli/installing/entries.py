"""What an agent's client shall find in a project: merged into what is there, found again to be removed."""

import copy
import re
import shlex
from dataclasses import dataclass
from typing import Any, Literal

from lighthouse.cli.installing.document import NotMergeable

BEFORE, AFTER = "PreToolUse", "PostToolUse"
ROUTE = "/hooks/claude-code"
SERVER = "lighthouse"
TOKEN = "LIGHTHOUSE_TOKEN"  # noqa: S105
# The program gives up before the client does, which would take a program that it ended for no answer.
MARGIN_SECONDS = 10

_OWN_PROGRAM = re.compile(r"lighthouse['\"]? hook(?:\s|$)|lighthouse/hook_program\.py")

Settings = dict[str, Any]
Kind = Literal["http", "command"]


@dataclass(frozen=True)
class Wiring:
    """How an agent reaches its bridge. `program` is the lighthouse command, `asker` asks about a call."""

    url: str
    token_file: str
    program: str
    asker: tuple[str, ...]
    kind: Kind = "http"
    seconds: int = 330


def with_hooks(settings: Settings, wiring: Wiring) -> Settings:
    """The client's settings with our hooks for every tool. Raises NotMergeable."""
    if settings.get("disableAllHooks"):
        raise NotMergeable(
            "disableAllHooks is set in the client's settings: no hook runs", "take it out first"
        )
    changed = copy.deepcopy(settings)
    for event in (BEFORE, AFTER):
        groups = _groups(changed, event, make=True)
        wanted = {"hooks": [_hook(wiring, event)]}
        if [group for group in groups if _has_own(group)] != [wanted]:
            groups[:] = [*_without_own(groups), wanted]
    return changed


def without_hooks(settings: Settings) -> Settings:
    """The client's settings without our hooks, nor what only held them. Raises NotMergeable."""
    changed = copy.deepcopy(settings)
    for event in (BEFORE, AFTER):
        groups = _groups(changed, event, make=False)
        if any(_has_own(group) for group in groups):
            groups[:] = _without_own(groups)
            if not groups:
                del changed["hooks"][event]
            if not changed["hooks"]:
                del changed["hooks"]
    return changed


def with_server(servers: Settings, wiring: Wiring) -> Settings:
    """The content of .mcp.json with our server; what was added to its entry stays. Raises NotMergeable."""
    changed = copy.deepcopy(servers)
    known = _object(changed, "mcpServers", ".mcp.json", make=True)
    entry = known.setdefault(SERVER, {})
    if entry and not _is_own_server(entry):
        raise NotMergeable(f"mcpServers.{SERVER} in .mcp.json is another program", "give that another name")
    entry |= {"command": wiring.program, "args": ["mcp"]}
    env = _object(entry, "env", f"mcpServers.{SERVER} in .mcp.json", make=True)
    env |= {"LIGHTHOUSE_BRIDGE_URL": wiring.url, "LIGHTHOUSE_TOKEN_FILE": wiring.token_file}
    return changed


def without_server(servers: Settings) -> Settings:
    """The content of .mcp.json without our server. Raises NotMergeable."""
    changed = copy.deepcopy(servers)
    known = _object(changed, "mcpServers", ".mcp.json", make=False)
    if _is_own_server(known.get(SERVER)):
        del known[SERVER]
        if not known:
            del changed["mcpServers"]
    return changed


def token_file_of(servers: Settings) -> str | None:
    """Whose token the server in .mcp.json shows; None where none of ours is there. Raises NotMergeable."""
    entry = _object(servers, "mcpServers", ".mcp.json", make=False).get(SERVER)
    env = entry.get("env") if isinstance(entry, dict) and _is_own_server(entry) else None
    found = env.get("LIGHTHOUSE_TOKEN_FILE") if isinstance(env, dict) else None
    return found if isinstance(found, str) else None


def _hook(wiring: Wiring, event: str) -> dict[str, Any]:
    # What has been done cannot be blocked: without an answer to the second hook the agent just goes on.
    blocks = {"onFailure": "block"} if event == BEFORE else {}
    if wiring.kind == "http":
        return {
            "type": "http",
            "url": wiring.url + ROUTE,
            "headers": {"Authorization": f"Bearer ${TOKEN}"},
            "allowedEnvVars": [TOKEN],
            "timeout": wiring.seconds,
            **blocks,
        }
    words = [
        f"LIGHTHOUSE_BRIDGE_URL={shlex.quote(wiring.url)}",
        f"LIGHTHOUSE_TOKEN_FILE={_for_shell(wiring.token_file)}",
        *map(shlex.quote, wiring.asker),
        f"--seconds {wiring.seconds - MARGIN_SECONDS}",
    ]
    return {"type": "command", "command": " ".join(words), "timeout": wiring.seconds, **blocks}


def _for_shell(path: str) -> str:
    home = "${HOME}"
    return f'"{home}"{shlex.quote(path.removeprefix(home))}' if path.startswith(home) else shlex.quote(path)


def _groups(settings: Settings, event: str, *, make: bool) -> list[Any]:
    hooks = _object(settings, "hooks", "the client's settings", make=make)
    groups = hooks.setdefault(event, []) if make else hooks.get(event, [])
    if not isinstance(groups, list):
        raise NotMergeable(f"hooks.{event} in the client's settings is no list", "mend it first")
    return groups


def _object(value: Settings, name: str, where: str, *, make: bool) -> Settings:
    found = value.setdefault(name, {}) if make else value.get(name, {})
    if not isinstance(found, dict):
        raise NotMergeable(f"{name} in {where} is no object", "mend it first")
    return found


def _hooks(group: Any) -> list[Any]:
    hooks = group.get("hooks") if isinstance(group, dict) else None
    return hooks if isinstance(hooks, list) else []


def _has_own(group: Any) -> bool:
    return any(map(_is_own, _hooks(group)))


def _without_own(groups: list[Any]) -> list[Any]:
    """The groups without our hooks; a group that had nothing else goes."""
    kept: list[Any] = []
    for group in groups:
        if not _has_own(group):
            kept.append(group)
        elif others := [hook for hook in _hooks(group) if not _is_own(hook)]:
            kept.append(group | {"hooks": others})
    return kept


def _is_own(hook: Any) -> bool:
    if not isinstance(hook, dict):
        return False
    url, command = hook.get("url"), hook.get("command")
    if hook.get("type") == "http":
        return isinstance(url, str) and url.endswith(ROUTE)
    return isinstance(command, str) and bool(_OWN_PROGRAM.search(command))


def _is_own_server(entry: Any) -> bool:
    return isinstance(entry, dict) and entry.get("args") == ["mcp"]
