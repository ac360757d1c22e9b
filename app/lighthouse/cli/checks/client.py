"""The agent's client on this machine: whether its hooks block where there is no verdict."""

import re

from lighthouse.cli.checks.finding import Finding, Outcome, ask

OLDEST = (2, 1, 295)


def check() -> list[Finding]:
    """All checks of this room."""
    return [judge_client(ask(["claude", "--version"]))]


def judge_client(answer: Outcome | None) -> Finding:
    """Whether a Claude Code that answers so to `--version` knows `onFailure`."""
    if answer is None:
        return Finding("client", "not applicable", "there is no Claude Code on your PATH")
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", answer.output)
    if answer.code != 0 or found is None:
        return Finding("client", "warn", "Claude Code does not tell its version", "run: claude --version")
    version = found.group()
    if tuple(map(int, found.groups())) >= OLDEST:
        return Finding("client", "ok", f"Claude Code {version} can block a call that got no verdict")
    return Finding(
        "client",
        "warn",
        f"Claude Code {version} lets a call pass when an HTTP hook gets no answer",
        "update it to 2.1.295, or run: lighthouse agent install --hook command",
    )
