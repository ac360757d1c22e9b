"""Programs that copy trees, here or to other machines: cp, install, rsync, scp, rclone."""

import re
from collections.abc import Callable

from lighthouse.policy.programs.invocation import Invocation
from lighthouse.policy.shell.marks import ANY, literal
from lighthouse.policy.shell.output import NOTHING, SOMETHING, Output

_REMOTE = re.compile(r"^(?:[a-z]+://|(?:[\w.-]+@)?[\w.-]{2,}:(?!\\))")
_RSYNC_DELETES = re.compile(r"^--(?:delete|del$|delete-\w+|remove-source-files|remove-sent-files|force)")


def _cp(call: Invocation) -> Output:
    arguments = call.arguments
    target = arguments.value("-t", "--target-directory")
    sources = arguments.operands if target is not None else arguments.operands[:-1]
    mode = arguments.value("-m", "--mode") or ""
    if call.name == "install" and re.search(r"^[0-7]*[2467][0-7]{3}$|s", mode):
        call.act("privilege", detail="makes a program that has its owner's rights")
    if call.name == "install" and arguments.has("-d", "--directory"):
        sources, target = [], None
        for operand in arguments.operands:
            call.role("write", operand)
        return NOTHING
    if arguments.open_option:
        call.uncertain("an argument is only known when it runs")
    if "/dev/null" in map(literal, sources) and target is None:
        call.role("discard:project", arguments.operands[-1])
    recursive = arguments.has("-r", "-R", "-a", "--recursive", "--archive")
    for source in sources:
        call.role("read", source, recursive=recursive)
    call.role(
        "write",
        target if target is not None else (arguments.operands[-1] if len(arguments.operands) > 1 else None),
    )
    into = literal(arguments.operands[-1]) if arguments.operands else ""
    call.state.written[into] = call.state.written.get(literal(sources[0]), ANY) if len(sources) == 1 else ANY
    return NOTHING


def _rsync(call: Invocation) -> Output:
    arguments = call.arguments
    if arguments.open_option:
        call.uncertain("an argument is only known when it runs")
    for name, value in arguments.options:
        if name in ("-e", "--rsh") and not re.fullmatch(
            r"ssh(?: -(?:[p] ?\d+|i ?[\w./~-]+|o ?StrictHostKeyChecking=\w+|[46Cqv]))*", literal(value or "")
        ):
            call.shell.script(literal(value or ""), call.name)
            call.uncertain(f"{name} runs a program")
        elif name in ("--rsync-path", "-M", "--remote-option", "--config"):
            call.uncertain("says what is done on the other side")
        elif name in ("--log-file", "--backup-dir", "--temp-dir", "--partial-dir"):
            call.role("write", value)
        elif name in ("--files-from", "--password-file"):
            call.role("read", value)
    operands = arguments.operands
    dry = arguments.has("-n", "--dry-run", "--list-only")
    if dry or len(operands) < 2:
        for operand in operands:
            if not _REMOTE.match(operand):
                call.role("read", operand)
        return SOMETHING
    *sources, target = operands
    for source in sources:
        if not _REMOTE.match(literal(source)):
            call.role("read", source)
    away = _REMOTE.match(literal(target)) is not None
    if any(_RSYNC_DELETES.match(name) for name, _ in arguments.options):
        if away:
            call.act("destroy:remote", literal(target), detail="removes what is not in the source")
        else:
            call.analysis.path(
                "discard", literal(target), call.state, call.name, detail="removes what is not in the source"
            )
    if away:
        call.act("send:remote", literal(target), detail="copies files to another machine")
    else:
        call.role("write", target)
    return SOMETHING


def _scp(call: Invocation) -> Output:
    *sources, target = call.arguments.operands or [""]
    if call.arguments.has("-o", "-S", "-F"):
        option = literal(call.arguments.value("-o") or "")
        if not re.fullmatch(
            r"(?i)(?:StrictHostKeyChecking|UserKnownHostsFile|ConnectTimeout|BatchMode)=\S+", option
        ):
            call.uncertain("an option may run a program")
    for source in sources:
        if _REMOTE.match(literal(source)):
            call.act("fetch:remote", literal(source))
        else:
            call.role("read", source)
    if _REMOTE.match(literal(target)):
        call.act("send:remote", literal(target), detail="copies files to another machine")
    else:
        call.role("write", target)
    return SOMETHING


HANDLERS: dict[str, Callable[[Invocation], Output]] = {"cp": _cp, "rsync": _rsync, "scp": _scp}
