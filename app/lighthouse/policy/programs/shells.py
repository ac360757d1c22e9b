"""Shells: `sh -c`, scripts by name, and scripts from standard input."""

from collections.abc import Callable

from lighthouse.policy.programs.invocation import Invocation
from lighthouse.policy.shell.marks import ANY, PLAIN, literal, shown
from lighthouse.policy.shell.output import SOMETHING, Output

# These speak another language than bash where it matters.
_FOREIGN = frozenset(("fish", "csh", "tcsh", "nu", "xonsh", "elvish"))


def _shell(call: Invocation) -> Output:
    words = [literal(word) for word in call.words]
    at, inline, reads_input = 0, False, False
    while at < len(words) and words[at][:1] in ("-", "+") and words[at] not in ("-", "--"):
        word = words[at]
        if word.startswith(ANY) or ANY in word:
            call.uncertain("an option is only known when it runs")
        if word in ("--rcfile", "--init-file", "-o", "+o", "-O", "+O"):
            at += 1
        elif word in ("--help", "--version"):
            return SOMETHING
        elif not word.startswith("--"):
            inline = inline or "c" in word
            reads_input = reads_input or "s" in word
        at += 1
    rest = words[at + 1 :] if at < len(words) and words[at] in ("-", "--") else words[at:]
    if inline:
        return _inline(call, rest)
    if rest and not reads_input:
        return _file(call, rest[0], rest[1:])
    return from_input(call)


def _inline(call: Invocation, rest: list[str]) -> Output:
    if not rest:
        return SOMETHING
    if call.name in _FOREIGN:
        call.uncertain("another shell's language is not understood")
    # The words behind the script are $0, $1, …
    shell = call.shell.inner(call.shell.within, call.state.copy())
    shell.state.variables["0"] = rest[1] if len(rest) > 1 else PLAIN
    shell.state.arguments(rest[2:])
    return shell.script(rest[0], "sh", call.stdin)


def _file(call: Invocation, path: str, words: list[str]) -> Output:
    if path.startswith("/dev/fd/63"):
        if " network" in call.state.variables:
            call.act("execute:network", path, detail="runs what was just fetched")
        elif " decoded" in call.state.variables:
            call.act("hide", path, detail="runs what was just decoded")
        else:
            call.uncertain("runs the output of a command")
    elif path in ("/dev/stdin", "/proc/self/fd/0"):
        return from_input(call)
    else:
        call.execute(path, words)
    return SOMETHING


def from_input(call: Invocation) -> Output:
    """The shell reads its commands from standard input."""
    stdin = call.stdin
    if stdin is None:
        call.uncertain("a shell without a command waits for one")
    elif ANY in stdin.text or not stdin.text.isascii():
        if "network" in stdin.sources:
            call.act("execute:network", detail="runs what was just fetched")
        elif "decoded" in stdin.sources:
            call.act("hide", detail="runs what was just decoded")
        else:
            return call.shell.script(stdin.text, "sh")
    else:
        if "decoded" in stdin.sources:
            call.act("hide", shown(stdin.text)[:200], detail="runs what was just decoded")
        return call.shell.script(stdin.text, "sh")
    return SOMETHING


HANDLERS: dict[str, Callable[[Invocation], Output]] = {"shell": _shell}
