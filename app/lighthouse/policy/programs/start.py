"""Starts programs by name: those of the tables, files of the project, and the unknown."""

import posixpath
from collections.abc import Callable
from functools import cache

from lighthouse.policy.places import resolve
from lighthouse.policy.programs import (
    builtins,
    clouds,
    code,
    containers,
    copying,
    data,
    files,
    finding,
    git,
    network,
    packages,
    remote,
    running,
    shells,
    system,
    text,
)
from lighthouse.policy.programs.arguments import Arguments, split
from lighthouse.policy.programs.generic import describe
from lighthouse.policy.programs.invocation import Invocation
from lighthouse.policy.programs.options import watch
from lighthouse.policy.programs.spec import Spec, load_tables
from lighthouse.policy.shell.marks import ANY, has_glob, is_open, literal, shown
from lighthouse.policy.shell.output import SOMETHING, Output
from lighthouse.policy.shell.run import Shell
from lighthouse.policy.vocabulary import listed

_SYSTEM_FOLDERS = listed("start", "system_folders")
# Folders in the project or a home where tools are installed under their own names.
_VERSIONED = frozenset(
    (
        "python",
        "pypy",
        "pip",
        "ipython",
        "ruby",
        "perl",
        "php",
        "lua",
        "node",
        "gcc",
        "g++",
        "clang",
        "clang++",
        "clang-format",
        "clang-tidy",
    )
)
_TOOL_FOLDERS = (
    "node_modules/.bin",
    ".venv/bin",
    "venv/bin",
    "env/bin",
    "vendor/bin",
    ".local/bin",
    ".cargo/bin",
    "go/bin",
    ".bun/bin",
)

# Behind their first operand another program's options stand.
_ENDS_AT_OPERAND = listed("options", "ends_at_operand")

HANDLERS: dict[str, Callable[[Invocation], Output]] = {
    **builtins.HANDLERS,
    **clouds.HANDLERS,
    **code.HANDLERS,
    **containers.HANDLERS,
    **copying.HANDLERS,
    **data.HANDLERS,
    **files.HANDLERS,
    **finding.HANDLERS,
    **git.HANDLERS,
    **network.HANDLERS,
    **packages.HANDLERS,
    **remote.HANDLERS,
    **running.HANDLERS,
    **shells.HANDLERS,
    **system.HANDLERS,
    **text.HANDLERS,
}


@cache
def tables(family: str = "") -> dict[str, Spec]:
    """What is known of programs, of all or of one table's, read once."""
    return load_tables(family)


def start(shell: Shell, argv: list[str], stdin: Output | None) -> Output:
    """Start the program that the first word names."""
    name, words = literal(argv[0]), argv[1:]
    if is_open(name) or has_glob(argv[0]):
        shell.analysis.program(name, words, shell.within)
        shell.analysis.uncertain(f"the program is only known when it runs: {shown(name)}")
        return SOMETHING
    if "/" in name:
        known = _installed(shell, name)
        if known is None:
            shell.analysis.program(name, words, shell.within)
            Invocation(shell, name, words, stdin, Spec(), split(words, Spec())).execute(name, words)
            return Output(ANY)
        name = known
    shell.analysis.program(name, words, shell.within)
    spec = tables().get(name) or _versioned(name)
    if spec is None:
        return _unknown(shell, name, words)
    call = Invocation(shell, name, words, stdin, spec, split(words, spec, stops=spec.kind == "wrapper"))
    return handle(call)


def handle(call: Invocation) -> Output:
    """Tell what a known program does: by its handler where it has one, else by its table."""
    spec = call.spec
    if spec.kind != "service":
        watch(call, call.name, _own_arguments(call), spec, call.outer)
    if call.spec.handler:
        return HANDLERS[call.spec.handler](call)
    return describe(call)


def _own_arguments(call: Invocation) -> Arguments:
    """The arguments without those of a program, a script or a subcommand behind the first operand."""
    spec, words = call.spec, call.words
    if spec.handler == "interpreter" and call.name.startswith(("python", "pypy")):
        # Behind -m NAME and -c CODE they are that one's.
        last = (
            at for at, word in enumerate(words) if word.startswith(("-m", "-c")) or word.endswith(("m", "c"))
        )
        words = words[: next(last, len(words)) + 1]
    if spec.kind == "wrapper" or spec.sub or spec.otherwise or spec.handler in _ENDS_AT_OPERAND:
        return split(words, spec, stops=True)
    return call.arguments


def _installed(shell: Shell, name: str) -> str | None:
    """The plain name of a program that a path names, where it stands where programs are installed."""
    folder, _, base = name.rpartition("/")
    if posixpath.normpath(folder) in _SYSTEM_FOLDERS:
        return base
    if base in ("gradlew", "mvnw") and folder == ".":
        return base
    places = {place.kind for place in resolve(name, shell.state.cwds, shell.state.roots)}
    if folder.endswith(_TOOL_FOLDERS) and places <= {"project", "generated", "home"}:
        return base if base in tables() or _versioned(base) else None
    return None


def _versioned(name: str) -> Spec | None:
    """`python3.12` and `clang-18` are their program."""
    base = name.rstrip("0123456789.").rstrip("-")
    return tables().get(base) if base != name and base in _VERSIONED else None


def _unknown(shell: Shell, name: str, words: list[str]) -> Output:
    if words in (["--version"], ["--help"]):
        shell.analysis.act("read", "self", name, name)
    else:
        shell.analysis.uncertain(f"the program {shown(name)} is not known", name)
    return SOMETHING
