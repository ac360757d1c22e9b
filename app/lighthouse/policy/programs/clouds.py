"""What of services' command lines their verb alone cannot tell: copies, raw requests, queries."""

import re
from collections.abc import Callable

from lighthouse.policy.programs.data import judge_sql
from lighthouse.policy.programs.invocation import Invocation
from lighthouse.policy.shell.marks import ANY, literal
from lighthouse.policy.shell.output import SOMETHING, Output

_REMOTE = re.compile(r"^(?:[a-z][\w+.-]*://|[\w-]{2,}:)")


def _copy(call: Invocation) -> Output:
    """From here to there sends, from there to here writes; between two folders here it copies."""
    if _dry(call):
        return SOMETHING
    for name, _ in call.arguments.options:
        if flag := call.spec.flags.get(name):
            call.act(flag, detail=f"{call.name} {name}")
    operands = [literal(operand) for operand in call.arguments.operands]
    target = operands[-1] if len(operands) > 1 else ""
    for source in operands[:-1]:
        if not _REMOTE.match(source) and source != "-":
            call.role("read", source)
    if _REMOTE.match(target):
        call.act("send:remote", target, detail="copies files to a service")
    elif target and target != "-":
        call.act("fetch:remote", operands[0])
        call.role("write", target)
    return SOMETHING


def _sync(call: Invocation) -> Output:
    """Makes the target like the source: what only the target has is lost."""
    if not _dry(call):
        call.act(
            "destroy:remote",
            " ".join(map(literal, call.arguments.operands)),
            detail="what only the target has is lost",
        )
    return SOMETHING


def _dry(call: Invocation) -> bool:
    return call.arguments.has("--dry-run", "--dryrun", "-n", *call.spec.harmless.split())


def _last_write(call: Invocation) -> Output:
    call.act("query:remote", call.name)
    for operand in call.arguments.operands[-1:]:
        call.role("write", operand)
    return SOMETHING


def _gh_api(call: Invocation) -> Output:
    arguments = call.arguments
    method = literal(arguments.value("-X", "--method") or "").upper()
    fields = [
        value or ""
        for name, value in arguments.options
        if name in ("-f", "--raw-field", "-F", "--field", "--input")
    ]
    target = " ".join(map(literal, arguments.operands))[:200]
    for field in fields:
        if re.search(r"=@(?!-)", field):
            call.role("read", field.partition("=@")[2])
    graphql = arguments.operands[:1] == ["graphql"]
    if ANY in target or (any(ANY in field for field in fields) and not graphql):
        call.act("send:remote", target, detail="a part of the request is only known when it runs")
    elif method == "DELETE" or any(re.search(r"\bmutation\b", field) for field in fields):
        call.act("destroy:remote" if method == "DELETE" else "change:remote", target)
    elif method in ("", "GET", "HEAD") and (not fields or method or graphql):
        call.act("query:remote", target)
    else:
        call.act("change:remote", target)
    return SOMETHING


def _bq(call: Invocation) -> Output:
    for operand in call.arguments.operands:
        action, why = judge_sql(literal(operand))
        call.act(f"{action}:remote", why, detail=why)
    return SOMETHING


def _kafka(call: Invocation) -> Output:
    """Kafka's scripts say by an option what they do."""
    arguments = call.arguments
    if "delete-records" in call.name or arguments.has(
        "--delete",
        "--remove",
        "--reset-offsets",
        "--delete-config",
        "--execute",
        "--to-earliest",
        "--delete-offsets",
    ):
        if not (arguments.has("--dry-run") and not arguments.has("--execute")):
            call.act("destroy:remote", f"{call.name} {' '.join(map(literal, call.words))}"[:200])
    elif (
        "consumer.sh" in call.name
        or call.name.endswith(("consumer", "versions", "versions.sh", "log-dirs", "log-dirs.sh"))
        or arguments.has("--list", "--describe", "--verify", "--state", "--members")
    ):
        call.act("query:remote", call.name)
    else:
        call.act("change:remote", call.name)
    return SOMETHING


HANDLERS: dict[str, Callable[[Invocation], Output]] = {
    "cloud-copy": _copy,
    "cloud-sync": _sync,
    "last-write": _last_write,
    "gh-api": _gh_api,
    "bq-query": _bq,
    "kafka": _kafka,
}
