"""`lighthouse doctor`: what is wrong, what that means, and what to do."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lighthouse.cli.options import AsJson, Url
from lighthouse.cli.output import print_json, print_table, printable

if TYPE_CHECKING:
    from lighthouse.cli.checks.finding import Finding

_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red", "not applicable": "dim"}


def doctor(
    # A str: typer looks up a Path in this process, and a mount whose server hangs would hang it too.
    mount: Annotated[
        str | None,
        typer.Option(
            "--mount", metavar="DIR", help="The mount to try [else what the bridge or the environment says]."
        ),
    ] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Say what is wrong here, and how to mend it.

    Looks at the bridge, your token, the mount, the host and your client.

    Exits with 1 when a check failed. Changes nothing.
    """
    findings = _examine(url, Path(mount) if mount else None)
    states = {finding.state for finding in findings}
    worst = next(state for state in ("fail", "warn", "ok") if state in states)
    if as_json:
        print_json({"status": worst, "checks": findings})
    else:
        _print(findings)
    if worst == "fail":
        raise typer.Exit(1)


def _examine(url: str | None, mount: Path | None) -> "list[Finding]":
    import asyncio

    from lighthouse.cli.checks import bridge, client, service, system
    from lighthouse.cli.checks import mount as mounts

    reached, findings = asyncio.run(bridge.check(os.environ, url))
    return [
        *findings,
        *mounts.check(reached, mount),
        *system.check(reached),
        *service.check(),
        *client.check(),
    ]


def _print(findings: "list[Finding]") -> None:
    from rich.text import Text

    rows = []
    for finding in findings:
        said = Text(printable(finding.detail))
        if finding.todo:
            said.append(f"\n-> {printable(finding.todo)}", style="italic")
        rows.append((Text(finding.state, style=_STYLES[finding.state]), finding.check, said))
    print_table(("", "", ""), rows)
