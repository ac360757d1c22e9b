"""From a tool call to its facts: Bash through the shell's analysis, other tools by what their fields mean."""

from collections.abc import Mapping
from typing import Any

from lighthouse.policy.act import Facts
from lighthouse.policy.analysis import Analysis
from lighthouse.policy.places import Roots
from lighthouse.policy.programs.start import start
from lighthouse.policy.shell.grammar import MAX_BYTES, NotUnderstood, TakesTooLong, parse
from lighthouse.policy.shell.marks import ANY
from lighthouse.policy.shell.run import Shell
from lighthouse.policy.shell.state import State
from lighthouse.policy.tools import OWN_TOOLS, SERVERS, SHELLS, TOOLS, exfiltrates, judge_server_tool


def facts(tool: str, fields: Mapping[str, Any], cwd: str, roots: Roots) -> Facts:
    """What the call would do. Never raises for any input: what is not understood is an act `uncertain`."""
    if not cwd.startswith("/") or not cwd.isprintable():
        cwd = ANY
    analysis = Analysis(tool, roots)
    try:
        _gather(analysis, tool, fields, cwd)
    except TakesTooLong:
        # Time that a virtual machine stood still counts as its own: one more look tells the two apart.
        analysis = Analysis(tool, roots)
        try:
            _gather(analysis, tool, fields, cwd)
        except TakesTooLong as error:
            analysis.uncertain(error.message)
    exfiltrates(analysis)
    return analysis.facts


def _gather(analysis: Analysis, tool: str, fields: Mapping[str, Any], cwd: str) -> None:
    try:
        if tool in SHELLS:
            _bash(analysis, fields, cwd)
        elif tool.startswith(OWN_TOOLS):
            analysis.act("query", "local", tool[:200], tool[:200])
        elif (judge := TOOLS.get(tool)) is not None:
            judge(analysis, fields, State(analysis.roots, (cwd,)))
        elif tool.startswith(SERVERS):
            judge_server_tool(analysis, fields, State(analysis.roots, (cwd,)))
        else:
            analysis.uncertain(f"the tool {tool[:100]} is not known", tool[:100])
    except TakesTooLong:
        raise
    except NotUnderstood as error:
        analysis.uncertain(error.message)
    except RecursionError:
        analysis.uncertain("the command is nested too deeply")


def _bash(analysis: Analysis, fields: Mapping[str, Any], cwd: str) -> None:
    command = fields.get("command")
    if not isinstance(command, str):
        raise NotUnderstood("the call has no command")
    if len(command) > MAX_BYTES:
        raise NotUnderstood(f"the command is longer than {MAX_BYTES // 1024} KiB")
    if "\0" in command or "\r" in command.replace("\r\n", "\n"):
        raise NotUnderstood("the command has control characters that shells and people read differently")
    try:
        source = command.replace("\r\n", "\n").encode("utf-8")
    except UnicodeEncodeError as error:
        raise NotUnderstood("the command is not valid text") from error
    if fields.get("dangerouslyDisableSandbox") is True:
        analysis.act("privilege", "host", "without the sandbox", detail="leaves the sandbox that holds it")
    tree = parse(source)
    Shell(analysis, State(analysis.roots, (cwd,)), start).run(tree)
