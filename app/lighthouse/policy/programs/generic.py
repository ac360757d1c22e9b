"""Tells what a program does from its table alone: options, operands, subcommands, wrappers, services."""

import re

from lighthouse.policy.places import resolve
from lighthouse.policy.programs.arguments import Arguments, split
from lighthouse.policy.programs.invocation import Invocation
from lighthouse.policy.programs.options import watch
from lighthouse.policy.programs.services import service
from lighthouse.policy.programs.spec import Spec
from lighthouse.policy.shell.marks import ANY, BELOW, PLAIN, literal, shown
from lighthouse.policy.shell.output import NOTHING, SOMETHING, Output

_SETTINGS = re.compile(
    r"--?(?:c|r|f|p|config\S*|plugin\S*|require|rcfile|setup\S*|load\S*|import|preset|init\S*|rootdir)$"
)
_WATCHED = frozenset(("secret", "startup", "guard", "git", "device", "root"))
_INSIDE = frozenset(("project", "project_root", "generated", "null"))
_FROM_ELSEWHERE = frozenset(("network", "decoded"))
_REMOVES = frozenset(("uninstall", "remove", "rm", "un", "purge"))
_NO_TABLE = Spec()
_HELP = frozenset(("--help", "--version", "-help", "-version", "--usage"))


def describe(call: Invocation) -> Output:
    """Tell the acts of a program by its table; gives what it prints."""
    spec, arguments = call.spec, call.arguments
    if spec.helps and _asks_help(call.words, spec):
        return SOMETHING
    if spec.kind == "service":
        return service(call)
    if spec.kind == "wrapper":
        return _wrapped(call)
    if spec.sub or spec.otherwise:
        return _subcommand(call)
    _plain(call, spec, arguments)
    return _printed(call, spec, arguments)


def _asks_help(words: list[str], spec: Spec) -> bool:
    """Whether help is asked for and nothing else can happen.

    Behind a subcommand or a wrapped program the option may be another program's, which need not heed it.
    """
    if not words or (words[0] not in _HELP and words[-1] not in _HELP):
        return False
    if words[0] in _HELP:
        return True
    if spec.kind == "wrapper":
        return False
    return "--" not in words and (not spec.sub and not spec.kind and not spec.handler)


def _plain(call: Invocation, spec: Spec, arguments: Arguments) -> None:
    harmless = spec.harmless.split()
    if harmless and arguments.has(*harmless):
        # Then it only looks at what it would have changed.
        roles = _roles(spec.operands, len(arguments.operands))
        for part, operand in zip(roles, arguments.operands, strict=False):
            call.role("read" if part in ("read", "write", "delete") else "data", operand)
        return
    if call.name in ("patch", "git apply", "git am") and call.stdin and call.stdin.sources & _FROM_ELSEWHERE:
        call.uncertain("applies what was just fetched or decoded")
    recursive = False
    for name, _ in arguments.options:
        flag = spec.flags.get(name)
        if flag == "recursive":
            recursive = True
        elif flag:
            call.act(flag, detail=f"{call.name} {shown(name)}")
    for name, value in arguments.options:
        if (role := spec.options.get(name)) is not None:
            call.role(role, value, recursive=recursive)
    if arguments.open_option and (spec.flags or spec.options):
        call.uncertain("an argument may be an option that is only known when it runs")
    if spec.acts:
        call.act(spec.acts, " ".join(map(shown, call.words))[:200])
    stray_paths(call, arguments, spec)
    for role, operand in zip(
        _roles(spec.operands, len(arguments.operands)), arguments.operands, strict=False
    ):
        call.role(role, operand, recursive=recursive)


def stray_paths(call: Invocation, arguments: Arguments, spec: Spec) -> None:
    """Paths outside of the project that an option is given, where no table says what for.

    Where the program builds or runs something, its settings and plugins are code: from outside it is somebody
    else's. Other programs read it, or write it.
    """
    runs = "execute" in spec.acts or "write:project" in spec.acts or "install" in spec.acts
    for name, value in arguments.options:
        if name in spec.options or (path := _path_in(name, value)) is None:
            continue
        for place in resolve(path, call.state.cwds, call.state.roots):
            if place.kind in _WATCHED:
                call.uncertain(f"what {shown(name)} does with {shown(path)} is not known")
            elif (
                runs and place.kind not in _INSIDE and (name not in spec.takes_value or _SETTINGS.match(name))
            ):
                call.role("load", path)


def _path_in(name: str, value: str | None) -> str | None:
    """The path outside that an option holds: `--x=/a`, `-I/a`, `--x type=y,src=/a`, or the word behind it."""
    for text in (value, name[2:] if value is None and not name.startswith("--") else None):
        for part in text.split(",") if text is not None else ():
            path = part.rpartition("=")[2]
            if path.startswith(("/", "~", "../")) and len(path) > 1:
                return path
    return None


def _roles(pattern: str, count: int) -> list[str]:
    """The role of each operand: the pattern's, the last or the one with `...` repeated."""
    roles = pattern.split() or ["data"]
    spread = next((number for number, role in enumerate(roles) if role.endswith("...")), len(roles) - 1)
    before, after = roles[:spread], roles[spread + 1 :]
    middle = roles[spread].removesuffix("...")
    if len(roles) > 1 and count < len(roles):
        return after[-count:] if after else roles[:count]
    return before + [middle] * (count - len(before) - len(after)) + after


def _subcommand(call: Invocation) -> Output:
    """Programs like git or cargo: options of their own, a subcommand, and that one's arguments."""
    spec = call.spec
    own = split(call.words, spec, stops=True)
    for name, value in own.options:
        if flag := spec.flags.get(name):
            call.act(flag, detail=f"{call.name} {shown(name)}")
        if role := spec.options.get(name):
            call.role(role, value)
    if not own.operands:
        return NOTHING
    verb = own.operands[0]
    rest = own.operands[1:]
    found = spec.sub.get(literal(verb))
    if found is None:
        if spec.otherwise.startswith("@"):
            from lighthouse.policy.programs.start import HANDLERS

            return HANDLERS[spec.otherwise[1:]](call)
        if spec.otherwise:
            call.act(spec.otherwise, f"{call.name} {shown(verb)}", detail=f"{call.name} {shown(verb)}")
        else:
            call.uncertain(f"the subcommand {shown(verb)} is not known")
        return SOMETHING
    name = f"{call.name} {verb}"
    if verb in _REMOVES and "lighthouse" in map(literal, rest):
        call.act("configure:guard", name, detail=f"{name} lighthouse: removes what judges it")
    _own_options_behind(call, rest, found)
    if isinstance(found, str):
        behind = split(rest, _NO_TABLE)
        watch(call, name, behind, _NO_TABLE, spec)
        stray_paths(call, behind, Spec(acts=found))
        if not (rest and rest[-1] in _HELP):
            call.act(found, " ".join([name, *map(shown, rest)])[:200], detail=name)
            # A path outside may be where the code is taken from.
            for word in behind.operands:
                if word.startswith(("/", "~", "../")):
                    if "execute" in found:
                        call.role("load", word)
                    elif any(
                        place.kind in _WATCHED for place in resolve(word, call.state.cwds, call.state.roots)
                    ):
                        call.uncertain(f"what it does with {shown(word)} is not known")
        return SOMETHING
    inner = Invocation(
        call.shell, name, rest, call.stdin, found, split(rest, found, stops=found.kind == "wrapper"), spec
    )
    from lighthouse.policy.programs.start import handle

    return handle(inner)


def _own_options_behind(call: Invocation, rest: list[str], found: str | Spec) -> None:
    """The program's own long options count behind the subcommand, too, unless that one has the same name."""
    theirs = found if isinstance(found, Spec) else _NO_TABLE
    if not call.spec.options and not call.spec.flags:
        return
    for name, value in split(rest, call.spec).options:
        if not name.startswith("--") or name in theirs.takes_value or name in theirs.flags:
            continue
        if flag := call.spec.flags.get(name):
            call.act(flag, detail=f"{call.name} {shown(name)}")
        if role := call.spec.options.get(name):
            call.role(role, value)


def _wrapped(call: Invocation) -> Output:
    """A program that runs the rest of its words: `sudo`, `timeout 5`, `nice`."""
    spec = call.spec
    arguments = split(call.words, spec, stops=True)
    for name, value in arguments.options:
        if flag := spec.flags.get(name):
            call.act(flag, detail=f"{call.name} {shown(name)}")
        if role := spec.options.get(name):
            call.role(role, value)
    if spec.acts:
        call.act(spec.acts, " ".join(map(shown, call.words))[:200])
    words = arguments.operands
    if words[:1] == ["--"]:
        words = words[1:]
    words = words[spec.skip :]
    if words[:1] == ["--"]:
        words = words[1:]
    if spec.joins:
        return call.shell.script(literal(" ".join(words)), call.name) if words else NOTHING
    return call.run(words) if words else NOTHING


def _printed(call: Invocation, spec: Spec, arguments: Arguments) -> Output:
    match spec.prints:
        case "plain":
            # A format or a text among the words may put a slash into what is printed.
            harmless = not any(char in word for word in call.words for char in ("/", " ", "..", ANY))
            return Output(PLAIN if harmless else ANY)
        case "endless":
            return Output(ANY, frozenset(("endless",)))
        case "nothing":
            return NOTHING
        case "decoded":
            return Output(ANY, frozenset(("decoded",)))
        case "input":
            if call.stdin is not None and not arguments.operands:
                return Output(
                    ANY if call.stdin.text not in (PLAIN, BELOW) else call.stdin.text, call.stdin.sources
                )
            return Output(ANY)
        case "lines":  # some of the input's lines, unchanged
            if call.stdin is not None and len(arguments.operands) <= _roles_before_read(spec):
                return Output(
                    call.stdin.text if "\n" not in call.stdin.text.strip() else ANY, call.stdin.sources
                )
            return Output(ANY)
        case "paths":
            bases = [operand for operand in arguments.operands if not operand.startswith("-")] or ["."]
            return Output("".join(f"{base}/{BELOW}\n" for base in bases))
    sources = call.stdin.sources if call.stdin is not None else frozenset()
    return Output(ANY, sources - {"endless"})


def _roles_before_read(spec: Spec) -> int:
    return sum(role == "data" for role in spec.operands.split())
