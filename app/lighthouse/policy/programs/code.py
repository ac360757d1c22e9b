"""Interpreters: code on the command line or standard input, scripts and modules."""

import itertools
import re
import sys
from collections.abc import Callable

from lighthouse.policy.places import resolve
from lighthouse.policy.programs.arguments import split
from lighthouse.policy.programs.inline import judge
from lighthouse.policy.programs.invocation import Invocation
from lighthouse.policy.programs.tasks import act_of
from lighthouse.policy.shell.marks import ANY, PLAIN, is_open, literal
from lighthouse.policy.shell.output import SOMETHING, Output
from lighthouse.policy.vocabulary import listed

_LANGUAGE = {
    "python": "python",
    "pypy": "python",
    "ipython": "python",
    "node": "javascript",
    "bun": "javascript",
    "deno": "javascript",
    "nodejs": "javascript",
    "perl": "perl",
    "ruby": "ruby",
    "php": "php",
}
_INLINE = {
    "python": ("-c",),
    "javascript": ("-e", "--eval", "-p", "--print", "-pe", "-r", "eval"),
    "perl": ("-e", "-E", "-n", "-p"),
    "ruby": ("-e",),
    "php": ("-r",),
}
# Modules that are programs under their own name, and modules that run code given to them.
_MODULE_PROGRAMS = {
    "pip": "pip",
    "pytest": "pytest",
    "py.test": "pytest",
    "black": "black",
    "ruff": "ruff",
    "mypy": "mypy",
    "flake8": "flake8",
    "isort": "isort",
    "pylint": "pylint",
    "coverage": "coverage",
    "build": "pyproject-build",
    "twine": "twine",
    "tox": "tox",
    "nox": "nox",
    "uvicorn": "uvicorn",
    "gunicorn": "gunicorn",
    "flask": "flask",
    "django": "django-admin",
    "poetry": "poetry",
    "pre_commit": "pre-commit",
    "piptools": "pip-compile",
    "virtualenv": "virtualenv",
    "pyright": "pyright",
    "bandit": "bandit",
    "sphinx": "sphinx-build",
    "alembic": "alembic",
    "celery": "celery",
    "jupyter": "jupyter",
    "hatch": "hatch",
    "pdm": "pdm",
    "uv": "uv",
    "awscli": "aws",
    "ansible": "ansible",
}
_QUIET_MODULES = listed("code", "quiet_modules")
_RUNNING_MODULES = listed("code", "running_modules")


def _interpreter(call: Invocation) -> Output:
    base = call.name.rstrip("0123456789.")
    language = _LANGUAGE.get(base, base)
    arguments = split(call.words, call.spec, stops=True)
    if call.words and call.words[0] in ("--version", "-V", "-v", "--help", "-h", "-VV"):
        return SOMETHING
    for name, value in arguments.options:
        if (role := call.spec.options.get(name)) == "module":
            return _module(call, literal(value or ""), _behind_module(call.words))
        if base == "ruby" and _unsafe_library(name, literal(value or "")):
            call.uncertain(f"loads {value}")
        if role == "inline":
            inline(call, language, literal(value or ""))
            _operands(call, arguments.operands)
            return SOMETHING
        if role:
            call.role(role, value)
        if flag := call.spec.flags.get(name):
            call.act(flag, detail=f"{call.name} {name}")
    if arguments.open_option:
        call.uncertain("an argument is only known when it runs")
    operands = arguments.operands
    if not operands and any(name in call.spec.flags for name, _ in arguments.options):
        return SOMETHING
    if operands and operands[0] not in ("-", "/dev/stdin"):
        return script(call, operands[0], operands[1:])
    return _input(call, language)


def script(call: Invocation, path: str, words: list[str]) -> Output:
    """A file of the project is run; its arguments may say what it would do."""
    if path in call.state.written or path.removeprefix("./") in call.state.written:
        text = call.state.written.get(path, call.state.written.get(path.removeprefix("./"), ANY))
        base = call.name.rstrip("0123456789.")
        inline(call, _LANGUAGE.get(base, base), text)
        return SOMETHING
    if path.startswith("/dev/fd/63"):
        call.act(
            "execute:network" if " network" in call.state.variables else "uncertain",
            path,
            detail="runs the output of a command",
        )
        return SOMETHING
    call.execute(literal(path), words)
    return SOMETHING


def _behind_module(words: list[str]) -> list[str]:
    """What stands behind `-m NAME`: all of it is the module's, its options too."""
    for at, word in enumerate(map(literal, words)):
        if re.fullmatch(r"-[a-zA-Z]*m.*", word) and not word.startswith(("-W", "-X")):
            return words[at + (2 if word.endswith("m") else 1) :]
    return []


def _module(call: Invocation, module: str, words: list[str]) -> Output:
    if (program := _MODULE_PROGRAMS.get(module)) is not None:
        return call.run([program, *words])
    if any(path.partition(".py")[0].replace("/", ".").strip(".") == module for path in call.state.written):
        call.uncertain(f"the module {module} was just written")
    if module in _RUNNING_MODULES or is_open(module):
        if words and words[0].endswith(".py") and module == "cProfile":
            return script(call, words[0], words[1:])
        call.uncertain(f"the module {module} runs code")
    elif module == "venv":
        for word in words:
            call.role("write", word if not word.startswith("-") else None)
    elif module == "http.server":
        folder = next(
            (word for option, word in itertools.pairwise(words) if option in ("-d", "--directory")), "."
        )
        inside = all(
            place.kind.startswith("project") for place in resolve(folder, call.state.cwds, call.state.roots)
        )
        call.act("start:local" if inside else "send:remote", module, detail="serves a folder to the network")
    elif module in _QUIET_MODULES:
        for word in words:
            if module == "json.tool" and not word.startswith("-"):
                call.role("read", word)
        if module == "json.tool" and len([word for word in words if not word.startswith("-")]) > 1:
            call.role("write", words[-1])
    elif (
        module.partition(".")[0] in sys.stdlib_module_names
        and module not in ("unittest", "doctest", "test")
        and not (
            module in ("zipfile", "tarfile", "gzip") and words[:1] in (["-l"], ["--list"], ["-t"], ["--test"])
        )
    ):
        call.uncertain(f"what the module {module} does with its words is not known")
    else:
        call.act(
            act_of([module, *map(literal, words)]) or "execute:project",
            f"{module} {' '.join(map(literal, words))}"[:200],
        )
    return SOMETHING


def _unsafe_library(name: str, value: str) -> bool:
    """Whether `-r` loads more than what is harmless."""
    return name == "-r" and value not in (
        "json",
        "time",
        "set",
        "date",
        "yaml",
        "csv",
        "pp",
        "bigdecimal",
        "erb",
        "uri",
    )


def _operands(call: Invocation, words: list[str]) -> None:
    """Files that code on the command line is given, as `perl -pe … file` has them."""
    for word in words:
        if call.name.startswith(("perl", "ruby")):
            if set(literal(word)) & set("|<>"):
                call.uncertain("a file's name of this kind runs a command")
            call.role("read", word)
            if any(re.match(r"-\w*i", literal(option)) for option in call.words if option.startswith("-")):
                call.role("write", word)


def _input(call: Invocation, language: str) -> Output:
    if call.stdin is None:
        call.uncertain("an interpreter without a script waits for one")
    elif "network" in call.stdin.sources:
        call.act("execute:network", detail="runs what was just fetched")
    elif "decoded" in call.stdin.sources:
        call.act("hide", detail="runs what was just decoded")
    else:
        inline(call, language, call.stdin.text)
    return SOMETHING


def inline(call: Invocation, language: str, code: str) -> None:
    """Tell what code does, as far as its words tell."""
    if ANY in code:
        call.uncertain("a part of the code is only known when it runs")
        return
    for path in call.state.written:
        if (stem := path.rpartition("/")[2].partition(".")[0]) and re.search(rf"\b{re.escape(stem)}\b", code):
            call.uncertain(f"the code may load {path}, which was just written")
    found = judge(language, code.replace(PLAIN, "0"))
    for command in found.commands:
        call.shell.script(literal(command), call.name)
    for path in found.reads:
        call.role("read", path)
    for path in found.writes:
        call.role("write", path)
    for path in found.deletes:
        call.role("delete", path, recursive=True)  # what code removes, it removes without a look
    for path in found.loads:
        call.role("load", path)
    if found.unknown or found.commands:
        call.uncertain(found.unknown or "the code runs a command")


def _deno(call: Invocation) -> Output:
    """Its subcommands take a file, an address or code as their first operand."""
    operands = call.arguments.operands
    if call.name == "deno eval":
        inline(call, "javascript", literal(operands[0] if operands else ANY))
    elif operands:
        script(call, operands[0], operands[1:])
    else:
        call.uncertain("runs nothing that is named")
    return SOMETHING


def _java(call: Invocation) -> Output:
    arguments = split(call.words, call.spec, stops=True)
    jar = arguments.value("-jar")
    words = arguments.operands
    if arguments.has("-javaagent", "-agentpath") or any(
        name.startswith(("-javaagent", "-agent", "-XX:OnError", "-XX:OnOutOf"))
        for name, _ in arguments.options
    ):
        call.uncertain("an option loads code")
    for folder in (arguments.value("-cp", "-classpath", "--class-path") or "").split(":"):
        call.role("load", folder if folder.startswith(("/", "~", "../")) else None)
    if jar is None and not words:
        return SOMETHING
    return script(call, jar, words) if jar is not None else _java_class(call, words)


def _java_class(call: Invocation, words: list[str]) -> Output:
    call.act(act_of([literal(word) for word in words]) or "execute:project", literal(words[0]))
    return SOMETHING


HANDLERS: dict[str, Callable[[Invocation], Output]] = {
    "interpreter": _interpreter,
    "java": _java,
    "deno": _deno,
}
