"""`lighthouse validate`: a running bridge's verdict on a call, as an agent would get it."""

from pathlib import Path
from typing import Annotated

import typer

from lighthouse.cli.asking import ask
from lighthouse.cli.call import Input, Tool, tool_input
from lighthouse.cli.options import AsJson, Url
from lighthouse.cli.output import print_json, print_line


def validate(
    command: Annotated[str | None, typer.Argument(help="The Bash command to judge.")] = None,
    tool: Tool = "Bash",
    fields: Input = None,
    cwd: Annotated[
        str | None, typer.Option("--cwd", metavar="DIR", help="Where the call is made [else here].")
    ] = None,
    wait: Annotated[
        float,
        typer.Option("--wait", metavar="SECONDS", min=0, max=600, help="Wait so long for an answer."),
    ] = 0.0,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Ask the bridge whether a call may be made; nothing runs. Exits with 1 unless it is allowed."""
    call = tool_input(command, fields)
    where = cwd or str(Path.cwd())
    verdict = ask(url, lambda bridge: bridge.validate(tool, call, cwd=where, wait_seconds=wait))
    if as_json:
        print_json(verdict)
    else:
        print_line(f"{verdict.decision} ({verdict.tier}), by {verdict.rule}: {verdict.reason}")
        if verdict.suggestion:
            print_line(f"safer: {verdict.suggestion}")
        if verdict.decision == "escalate":
            print_line(f"{verdict.id} waits for an answer: see `lighthouse approvals`")
    if verdict.decision != "allow":
        raise typer.Exit(1)
