"""Programs that run other programs, each in a way of its own: env, sudo, xargs, parallel, flock."""

import shlex
from collections.abc import Callable

from lighthouse.policy.programs.arguments import Arguments, split
from lighthouse.policy.programs.invocation import Invocation
from lighthouse.policy.programs.spec import Spec
from lighthouse.policy.shell.marks import ANY, literal
from lighthouse.policy.shell.output import NOTHING, SOMETHING, Output

_SHELLS = frozenset(("sh", "bash", "zsh", "dash", "ash", "ksh", "mksh", "fish"))
_SUDO_QUIET = frozenset(
    ("-l", "-k", "-K", "-v", "-V", "--list", "--version", "--validate", "--reset-timestamp")
)


def _env(call: Invocation) -> Output:
    words = call.words
    at = 0
    while at < len(words):
        word = literal(words[at])
        if word in ("-u", "--unset", "-C", "--chdir"):
            if word in ("-C", "--chdir") and at + 1 < len(words):
                call.state.change_folder((ANY,), may_fail=True)
            at += 2
        elif word.startswith(("-S", "--split-string")):
            text = word.removeprefix("--split-string").removeprefix("-S").removeprefix("=") or " ".join(
                words[at + 1 :]
            )
            return call.shell.script(
                literal(" ".join([text, *words[at + 1 :]]) if text not in words else text), call.name
            )
        elif word.startswith("--chdir="):
            call.state.change_folder((ANY,), may_fail=True)
            at += 1
        elif word in ("-", "--") or word.startswith("-"):
            at += 1
        elif "=" in word and not word.startswith(("/", ".")):
            name, _, value = word.partition("=")
            call.shell.environment(name, value)
            at += 1
        else:
            return call.run(words[at:])
    return SOMETHING


def _sudo(call: Invocation) -> Output:
    arguments = split(call.words, call.spec, stops=True)
    if arguments.has(*_SUDO_QUIET) and not arguments.operands:
        return SOMETHING
    target = " ".join(arguments.operands)
    if arguments.has("-e", "--edit"):
        for operand in arguments.operands:
            call.role("write", operand)
    call.act("privilege", literal(target), detail=f"{call.name}: with another user's rights")
    words = arguments.operands
    while words and "=" in words[0] and not words[0].startswith(("/", ".")):
        name, _, value = words[0].partition("=")
        call.shell.environment(name, value)
        words = words[1:]
    if words and not arguments.has("-e", "--edit"):
        return call.run(words)
    return SOMETHING


def _su(call: Invocation) -> Output:
    call.act(
        "privilege", " ".join(map(literal, call.words)), detail=f"{call.name}: with another user's rights"
    )
    arguments = call.arguments
    if (command := arguments.value("-c", "--command")) is not None:
        call.shell.script(literal(command), call.name)
    if call.name == "runuser" and arguments.after_dashes is not None:
        return call.run(arguments.operands[arguments.after_dashes :])
    return SOMETHING


def _xargs(call: Invocation) -> Output:
    arguments = split(call.words, call.spec, stops=True)
    words = arguments.operands or ["echo"]
    if (file := arguments.value("-a", "--arg-file")) is not None:
        call.role("read", file)
        given = ANY
    else:
        given = call.stdin.text if call.stdin is not None else ANY
    token = next(
        (value or "{}" for name, value in arguments.options if name in ("-I", "-i", "--replace")), None
    )
    items = _items(given, arguments, whole=token is not None)
    if len(items) > 20 or any(ANY in item for item in items):
        items = [ANY]
    sources = call.stdin.sources if call.stdin is not None else frozenset()
    if sources and _is_shell(words):
        call.act(
            "execute:network" if "network" in sources else "hide", detail="runs what was fetched or decoded"
        )
    if _is_shell(words) and (words[-1].startswith("-") or words[-1] == token):
        call.shell.script(literal(given), call.name)  # however it is parted, it is what somebody wants to run
    if token is not None and any(token in word for word in words):
        for item in items:
            call.run([word.replace(token, item) for word in words], stdin=SOMETHING)
        return SOMETHING
    return call.run([*words, *items], stdin=SOMETHING)


def _is_shell(words: list[str]) -> bool:
    return words[:1] != [] and words[0].rpartition("/")[2] in _SHELLS


def _items(given: str, arguments: Arguments, *, whole: bool) -> list[str]:
    """The words that xargs makes of its input: lines with -I and -d, else as quotes and blanks part them."""
    if arguments.has("-0", "--null"):
        # What stands for many paths is told by lines, also where a NUL parts them.
        return given.splitlines() or [given]
    if whole or arguments.has("-d", "--delimiter"):
        delimiter = literal(arguments.value("-d", "--delimiter") or "\n")
        items = given.split("\n" if delimiter in ("\\n", "n") else delimiter)
        return [item.strip() for item in items if item.strip()] or [ANY]
    try:
        return shlex.split(given) or [ANY]
    except ValueError:
        return [ANY]


def _parallel(call: Invocation) -> Output:
    arguments = split(call.words, call.spec, stops=True)
    words = arguments.operands
    cut = next((number for number, word in enumerate(words) if word in (":::", "::::", ":::+")), len(words))
    template, items = words[:cut], words[cut + 1 :]
    if (cut < len(words) and words[cut] == "::::") or not items:
        given = call.stdin.text.split("\n") if call.stdin is not None and not items else [ANY]
        items = [item for item in given if item] or [ANY]
    if len(items) > 20:
        items = [ANY]
    for item in items:
        # Unless it is told to quote, the words are joined and parted anew; either way of reading counts.
        if template:
            known = [word.replace("{}", item) for word in template]
            call.run(known if known != template else [*template, item], stdin=SOMETHING)
        if not template or (_is_shell(template) and template[-1].startswith("-")):
            call.shell.script(literal(item), call.name)
        elif any("{" in word for word in template):
            line = " ".join(template)
            for token in ("{}", "{.}", "{/}", "{//}", "{/.}"):
                line = line.replace(token, item)
            call.shell.script(literal(line), call.name)
        else:
            call.shell.script(literal(" ".join([*template, item])), call.name)
    return SOMETHING


def _shell_wrapper(call: Invocation) -> Output:
    """Wrappers that take `-c TEXT` or words: script, flock, watch, entr."""
    arguments = split(call.words, call.spec, stops=True)
    command = arguments.value("-c", "--command")
    if command is not None:
        call.shell.script(literal(command), call.name)
    operands = arguments.operands
    if call.name == "script":
        for operand in operands[:1]:
            call.role("write", operand)
        if command is None:
            call.uncertain("starts a shell")
        return SOMETHING
    if call.name == "flock":
        for operand in operands[:1]:
            call.role("write", operand)
        rest = operands[1:]
        if rest[:1] == ["-c"]:
            return call.shell.script(literal(rest[1]), call.name) if len(rest) > 1 else NOTHING
        return call.run(rest) if rest else NOTHING
    return call.run(operands) if operands else NOTHING


def _watch(call: Invocation) -> Output:
    """Its words are a script, or with -x a program."""
    arguments = split(call.words, call.spec, stops=True)
    if arguments.has("-x", "--exec"):
        return call.run(arguments.operands)
    text = literal(" ".join(arguments.operands))
    return call.shell.script(text, call.name) if text else SOMETHING


def _busybox(call: Invocation) -> Output:
    return call.run(call.words) if call.words and not call.words[0].startswith("-") else SOMETHING


def _each_quoted(call: Invocation) -> Output:
    """Every operand is a command of its own: hyperfine, concurrently."""
    for _, value in (
        (name, value) for name, value in call.arguments.options if call.spec.options.get(name) == "code"
    ):
        if value:
            call.shell.script(literal(value), call.name)
    for operand in call.arguments.operands:
        call.shell.script(literal(operand), call.name)
    return SOMETHING


def _after_dashes(call: Invocation) -> Output:
    """Runs what stands behind `--`, and nothing else of its words: `op run -- cmd`, `direnv exec . cmd`."""
    place = call.arguments.after_dashes
    if place is None:
        words = split(call.words, Spec(values=call.spec.values), stops=True).operands[call.spec.skip :]
        return call.run(words) if words else SOMETHING
    return call.run(call.arguments.operands[place:])


HANDLERS: dict[str, Callable[[Invocation], Output]] = {
    "env": _env,
    "sudo": _sudo,
    "su": _su,
    "xargs": _xargs,
    "parallel": _parallel,
    "shell-wrapper": _shell_wrapper,
    "busybox": _busybox,
    "watch": _watch,
    "each-quoted": _each_quoted,
    "after-dashes": _after_dashes,
}
