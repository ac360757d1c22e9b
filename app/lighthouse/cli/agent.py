"""`lighthouse agent`: lets an agent's client ask the bridge about every call, in one project."""

import difflib
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from lighthouse.cli.options import AsJson
from lighthouse.cli.output import note, print_json, print_line
from lighthouse.errors import LighthouseError

app = typer.Typer(help="Connect an agent's client to the bridge.", rich_markup_mode=None)

MCP = ".mcp.json"
SHORTEST_SECONDS, LONGEST_SECONDS = 20, 86400


class Scope(StrEnum):
    """Which of a project's settings files; the second is each person's own, and not shared."""

    PROJECT = "project"
    LOCAL = "local"


class HookKind(StrEnum):
    """How the client asks."""

    HTTP = "http"
    COMMAND = "command"
    NONE = "none"


SETTINGS = {Scope.PROJECT: ".claude/settings.json", Scope.LOCAL: ".claude/settings.local.json"}

ProjectOption = Annotated[
    Path, typer.Option("--project", metavar="DIR", help="The project's folder [else the present one].")
]
AgentOption = Annotated[
    str | None,
    typer.Option("--agent", metavar="ID", help="Whose token: the one in ~/.config/lighthouse/ID.token."),
]
TokenFile = Annotated[
    str | None, typer.Option("--token-file", metavar="FILE", help="The token's file, where it is elsewhere.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")]

Merge = Callable[[dict[str, Any]], dict[str, Any]]


@app.callback()
def _agent() -> None:
    """Connect an agent's client to the bridge."""


@app.command("install")
def install(
    project: ProjectOption = Path(),
    agent: AgentOption = None,
    token_file: TokenFile = None,
    scope: Annotated[
        Scope, typer.Option("--scope", help="settings.json, or settings.local.json, which is not shared.")
    ] = Scope.PROJECT,
    hook: Annotated[
        HookKind,
        typer.Option(
            "--hook", help="http, for Claude Code from 2.1.295 on; a command for each call; or none."
        ),
    ] = HookKind.HTTP,
    seconds: Annotated[
        int,
        typer.Option(
            "--seconds",
            min=SHORTEST_SECONDS,
            max=LONGEST_SECONDS,
            help="How long a call may wait for a person: more than person_seconds of the bridge.",
        ),
    ] = 330,
    url: Annotated[
        str | None,
        typer.Option("--url", metavar="URL", help="The bridge's address [else LIGHTHOUSE_BRIDGE_URL]."),
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Have Claude Code ask the bridge before each call in a project, and give it the MCP server.

    Merges with what is in .claude/settings.json and .mcp.json, and shows what it changes. Writes no token.
    """
    from lighthouse.cli.installing.entries import Kind, Wiring, with_hooks, with_server, without_hooks
    from lighthouse.client.environment import bridge_url

    file = _token_file(agent, token_file)
    if file is None:
        raise typer.BadParameter("name the agent with --agent, or its token's file with --token-file")
    address = bridge_url(os.environ, url)
    if hook is HookKind.COMMAND and not address.startswith("http://"):
        raise LighthouseError("the hook's command speaks plain http only", "take --hook http")
    kind: Kind = "command" if hook is HookKind.COMMAND else "http"
    wiring = Wiring(address, file, _program(), _asker(), kind, seconds)
    # In both files they would ask twice.
    changes: dict[str, Merge] = dict.fromkeys(SETTINGS.values(), without_hooks)
    if hook is not HookKind.NONE:
        changes[SETTINGS[scope]] = lambda there: with_hooks(there, wiring)
    changes[MCP] = lambda there: with_server(there, wiring)
    changed = _carry_out(project, changes, dry_run=dry_run, as_json=as_json)
    if changed and not as_json and hook is HookKind.HTTP:
        shown = file.replace("${HOME}", "~")
        note(f'start the client with its token: LIGHTHOUSE_TOKEN="$(cat {shown})" claude')


@app.command("remove")
def remove(
    project: ProjectOption = Path(),
    agent: AgentOption = None,
    token_file: TokenFile = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take away what `lighthouse agent install` wrote, and nothing else.

    Where an agent or its token's file is named, only if it was installed for this one.
    """
    from lighthouse.cli.installing.document import parse
    from lighthouse.cli.installing.entries import token_file_of, without_hooks, without_server
    from lighthouse.cli.installing.project import Project

    changes: dict[str, Merge] = dict.fromkeys(SETTINGS.values(), without_hooks) | {MCP: without_server}
    file = _token_file(agent, token_file)
    if file is not None:
        with Project(project.absolute()) as folder:
            installed = token_file_of(parse(folder.read(MCP) or b"", MCP))
        changes = changes if installed == file else {}
    _carry_out(project, changes, dry_run=dry_run, as_json=as_json)


def _token_file(agent: str | None, token_file: str | None) -> str | None:
    if token_file is not None:
        return str(Path(token_file).absolute())
    return None if agent is None else f"${{HOME}}/.config/lighthouse/{agent}.token"


def _carry_out(folder: Path, changes: dict[str, Merge], *, dry_run: bool, as_json: bool) -> bool:
    """Make the changes, all of them found possible first; whether there were any."""
    from lighthouse.cli.installing.document import parse, render
    from lighthouse.cli.installing.project import Project

    with Project(folder.absolute()) as project:
        planned: list[tuple[str, bytes | None, bytes | None]] = []
        for name, merge in changes.items():
            before = project.read(name)
            there = parse(before or b"", name)
            wanted = merge(there)
            if wanted != there:
                planned.append((name, before, render(wanted, before or b"") if wanted else None))
        for name, before, after in planned:
            if not dry_run:
                project.replace(name, before, after)
    if as_json:
        files = [{"path": one[0], "diff": "".join(_diff(*one))} for one in planned]
        print_json({"changed": bool(planned), "files": files})
    else:
        for one in planned:
            for line in _diff(*one):
                print_line(line.rstrip("\n"))
        if not planned:
            print_line("nothing to change")
    return bool(planned)


def _diff(name: str, before: bytes | None, after: bytes | None) -> Sequence[str]:
    def lines(content: bytes | None) -> list[str]:
        return (content or b"").decode().splitlines(keepends=True)

    old, new = ("/dev/null" if content is None else name for content in (before, after))
    return list(difflib.unified_diff(lines(before), lines(after), old, new))


def _program() -> str:
    """This command by its path, for a client that looks for it elsewhere."""
    called = Path(sys.argv[0])
    if called.name == "lighthouse" and (found := shutil.which(str(called))):
        return str(Path(found).absolute())
    return shutil.which("lighthouse") or "lighthouse"


def _asker() -> tuple[str, ...]:
    """What starts `lighthouse hook` without what Python loads for other programs."""
    import lighthouse

    if sys.flags.no_site:
        return (_program(), "hook")
    return (sys.executable, "-SI", str(Path(lighthouse.__file__).absolute().with_name("hook_program.py")))
