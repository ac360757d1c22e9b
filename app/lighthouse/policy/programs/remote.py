"""Commands on other machines: ssh and what is like it."""

from collections.abc import Callable

from lighthouse.policy.places import Roots
from lighthouse.policy.programs.arguments import split
from lighthouse.policy.programs.invocation import Invocation
from lighthouse.policy.shell.marks import literal
from lighthouse.policy.shell.output import SOMETHING, Output
from lighthouse.policy.shell.state import State

_RUNNING_OPTIONS = (
    "proxycommand",
    "localcommand",
    "permitlocalcommand",
    "knownhostscommand",
    "match",
    "include",
    "proxyusefdpass",
)


def elsewhere(call: Invocation, folder: str) -> State:
    """A state without this machine's project: another host's or a container's."""
    return State(Roots((), "/home/remote"), (folder,))


def _ssh(call: Invocation) -> Output:
    arguments = split(call.words, call.spec, stops=True)
    for name, value in arguments.options:
        if name in ("-o", "-F", "-S", "-E") and value:
            if (
                name == "-o"
                and literal(value).lower().replace(" ", "=").partition("=")[0] in _RUNNING_OPTIONS
            ):
                call.shell.script(literal(value).partition("=")[2], call.name)
                call.uncertain(f"{literal(value)} runs a program")
            elif name in ("-F",):
                call.uncertain("its options stand in a file")
    if not arguments.operands:
        return SOMETHING
    host, words = arguments.operands[0], arguments.operands[1:]
    call.act("start:remote", literal(host), detail=f"a shell on {literal(host)}")
    if words:
        shell = call.shell.inner(call.shell.within, elsewhere(call, "/home/remote"))
        shell.script(literal(" ".join(words)), call.name, call.stdin)
    elif call.stdin is not None:
        shell = call.shell.inner(call.shell.within, elsewhere(call, "/home/remote"))
        shell.script(call.stdin.text, call.name)
    return SOMETHING


def _sshpass(call: Invocation) -> Output:
    arguments = split(call.words, call.spec, stops=True)
    return call.run(arguments.operands) if arguments.operands else SOMETHING


HANDLERS: dict[str, Callable[[Invocation], Output]] = {"ssh": _ssh, "sshpass": _sshpass}
