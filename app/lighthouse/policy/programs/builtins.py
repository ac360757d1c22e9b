"""The shell's own commands."""

from collections.abc import Callable

from lighthouse.policy.places import folders, resolve
from lighthouse.policy.programs.invocation import Invocation
from lighthouse.policy.shell.marks import ANY, PLAIN, is_open, literal
from lighthouse.policy.shell.output import NOTHING, SOMETHING, Output
from lighthouse.policy.shell.words import ansi


def _cd(call: Invocation) -> Output:
    operands = [word for word in call.words if not word.startswith("-") or word == "-"]
    target = operands[0] if operands else call.state.roots.home_folder
    if target == "-":
        call.state.change_folder((ANY,), may_fail=True)
        return NOTHING
    if is_open(target):
        found: tuple[str, ...] = (ANY,) if ANY in target else _folders(call, target)
    else:
        found = _folders(call, target)
    call.state.change_folder(found, may_fail=True)
    return NOTHING


def _folders(call: Invocation, target: str) -> tuple[str, ...]:
    # With -P it stands where the links lead.
    where = resolve if any(word.startswith("-") and "P" in word for word in call.words) else folders
    places = where(literal(target), call.state.cwds, call.state.roots)
    return tuple(ANY if place.kind == "unknown" else place.path.replace("…", PLAIN) for place in places)


def _popd(call: Invocation) -> Output:
    call.state.change_folder((ANY,), may_fail=True)
    return NOTHING


def _echo(call: Invocation) -> Output:
    words = list(call.words)
    escapes, newline = False, "\n"
    while words and words[0].startswith("-") and words[0][1:] and set(words[0][1:]) <= set("neE"):
        option = words.pop(0)
        escapes = escapes or "e" in option
        newline = "" if "n" in option else newline
    text = literal(" ".join(words))
    return _text(ansi(text) if escapes else text, escapes and "\\" in text, newline)


def _text(text: str, decoded: bool, newline: str = "") -> Output:
    return Output(text + newline, frozenset(("decoded",)) if decoded else frozenset())


def _printf(call: Invocation) -> Output:
    words = [literal(word) for word in call.words]
    if words and words[0] == "-v":
        if len(words) > 1:
            call.shell.set(words[1], ANY)
        return NOTHING
    if words and words[0] == "--":
        words = words[1:]
    if not words:
        return NOTHING
    template, values = words[0], words[1:]
    decoded = "\\x" in template or "\\0" in template
    text = ansi(template)
    if "%" not in text:
        return _text(text, decoded)
    if text.strip("\n ") == "%s":
        return _text("".join(text.replace("%s", value) for value in values or [""]), decoded)
    if text.count("%s") == text.count("%") == len(values):
        for value in values:
            text = text.replace("%s", value, 1)
        return _text(text, decoded)
    return Output(ANY)


def _read(call: Invocation) -> Output:
    value = call.stdin.text.strip() if call.stdin is not None else ANY
    if "\n" in value or " " in value:
        value = ANY
    for name in call.arguments.operands or ["REPLY"]:
        call.shell.set(literal(name), value if len(call.arguments.operands) == 1 else ANY)
    return NOTHING


def _eval(call: Invocation) -> Output:
    return call.shell.script(literal(" ".join(call.words)), "eval", call.stdin, own=False)


def _trap(call: Invocation) -> Output:
    words = [word for word in call.words if word not in ("-", "--", "-l", "-p")]
    if len(words) > 1 and words[0]:
        call.shell.script(literal(words[0]), "trap")
    return NOTHING


def _alias(call: Invocation) -> Output:
    for word in call.words:
        name, equals, value = literal(word).partition("=")
        if equals:
            call.shell.script(value, "alias")
            call.uncertain(f"{name} means something else from here on")
    return NOTHING


def _command(call: Invocation) -> Output:
    words = list(call.words)
    while words and words[0].startswith("-"):
        option = words.pop(0)
        if "v" in option.lower() and not any(word.startswith("-") for word in words):
            return Output(ANY)  # it only says where they are; with options it is taken as what would run
    return call.run(words)


def _exec(call: Invocation) -> Output:
    words = list(call.words)
    while words and words[0].startswith("-"):
        if words.pop(0) == "-a" and words:
            words.pop(0)
    return call.run(words) if words else NOTHING


def _source(call: Invocation) -> Output:
    words = [word for word in call.words if word != "--"]
    if not words:
        return NOTHING
    target = literal(words[0])
    if target.startswith("/dev/fd/63"):
        call.act(
            "execute:network" if _fetched(call) else "uncertain",
            target,
            detail="the output of a command is run",
        )
        return NOTHING
    if target in ("/dev/stdin", "-") and call.stdin is not None:
        return call.shell.script(call.stdin.text, "source", own=False)
    call.execute(target)
    # It may set and define anything.
    if not target.endswith("/activate"):
        for name in list(call.state.variables):
            call.state.variables[name] = ANY
    return SOMETHING


def _fetched(call: Invocation) -> bool:
    return " network" in call.state.variables


def _kill(call: Invocation) -> Output:
    words = call.words
    if words[:1] in (["-l"], ["-L"]) or not words:
        return SOMETHING
    targets = call.arguments.operands
    # `$!` and `%1` are what this shell started itself; both are names without more.
    own = all(target.startswith("%") or target == PLAIN for target in targets) and bool(targets)
    if call.arguments.value("-s", "--signal") == "0" or call.arguments.has("-0"):
        return SOMETHING
    negative = any(word in ("-1", "1") for word in words[1:]) or (words[:1] == ["-1"] and len(words) == 1)
    call.act("signal:" + ("root" if negative else "self" if own else "host"), " ".join(words))
    return NOTHING


def _set(call: Invocation) -> Output:
    if "--" in call.words or call.arguments.operands:
        _shift(call)
    return SOMETHING if not call.words else NOTHING


def _shift(call: Invocation) -> Output:
    """The positional parameters are others from here on."""
    for name in (*map(str, range(1, 10)), "@", "*"):
        call.state.variables[name] = ANY
    return NOTHING


def _enable(call: Invocation) -> Output:
    if call.arguments.has("-f"):
        call.uncertain("loads code into the shell")
    return SOMETHING


def _hash(call: Invocation) -> Output:
    if call.arguments.has("-p"):
        call.uncertain("makes a name run another program")
    return NOTHING


def _pwd(call: Invocation) -> Output:
    return Output(call.state.get("PWD") + "\n")


def _mapfile(call: Invocation) -> Output:
    if call.arguments.has("-C"):
        call.uncertain("runs a command for each line")
    for name in call.arguments.operands[:1] or ["MAPFILE"]:
        text = call.stdin.text if call.stdin is not None else ANY
        call.shell.set(name, text.strip() if text.count("\n") <= 1 else ANY)
    return NOTHING


HANDLERS: dict[str, Callable[[Invocation], Output]] = {
    "cd": _cd,
    "popd": _popd,
    "echo": _echo,
    "printf": _printf,
    "read": _read,
    "eval": _eval,
    "trap": _trap,
    "alias": _alias,
    "command": _command,
    "exec": _exec,
    "source": _source,
    "kill": _kill,
    "set": _set,
    "shift": _shift,
    "enable": _enable,
    "hash": _hash,
    "pwd": _pwd,
    "mapfile": _mapfile,
}
