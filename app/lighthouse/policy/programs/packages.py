"""Package managers, task runners and what they start."""

import re
from collections.abc import Callable

from lighthouse.policy.places import resolve
from lighthouse.policy.programs.arguments import split
from lighthouse.policy.programs.invocation import Invocation
from lighthouse.policy.programs.spec import Spec
from lighthouse.policy.programs.tasks import act_of
from lighthouse.policy.shell.marks import ANY, literal
from lighthouse.policy.shell.output import NOTHING, SOMETHING, Output
from lighthouse.policy.vocabulary import listed

_ELSEWHERE = re.compile(
    r"^(?:git\+|git:|https?:|ssh:|file:|git@|github:|gitlab:|bitbucket:|[\w.-]+/[\w.-]+#|[\w-]+@(?:https?|git|file):)"
)


_BUILDS = Spec(acts="execute:project")


def _tasks(call: Invocation) -> Output:
    """`make TARGET`, `npm run NAME`: the project's own tasks, told by their names."""
    words = [literal(word) for word in call.arguments.operands]
    harmless = call.spec.harmless.split()
    if harmless and call.arguments.has(*harmless):
        return SOMETHING
    for name, value in call.arguments.options:
        if role := call.spec.options.get(name):
            call.role(role, value)
        if flag := call.spec.flags.get(name):
            call.act(flag, detail=f"{call.name} {name}")
    from lighthouse.policy.programs.generic import stray_paths

    stray_paths(call, call.arguments, _BUILDS)
    if call.arguments.open_option:
        call.uncertain("the task is only known when it runs")
    for word in words:
        name, equals, value = word.partition("=")
        if name.startswith("exec:"):
            call.uncertain("the build runs a program by name")
        if equals and name in ("SHELL", "CC", "CXX", "MAKEFLAGS", "EDITOR"):
            call.uncertain(f"{name} sets what it runs")
        elif equals and ("$(" in value or "`" in value or "${" in value):
            call.uncertain(f"the value of {name} may run a command")
    call.act(
        act_of(words) or "execute:project",
        " ".join([call.name, *words])[:200],
        detail=f"{call.name} {' '.join(words)[:100]}",
    )
    if call.name.endswith(("make", "just", "rake", "task")) and any(
        word in ("install", "uninstall") for word in words
    ):
        call.act("install:host", " ".join(words))
    return SOMETHING


def _install(call: Invocation) -> Output:
    """Packages of the project from its registry; from elsewhere or for the whole machine."""
    for name, value in call.arguments.options:
        if flag := call.spec.flags.get(name):
            call.act(flag, detail=f"{call.name} {name}")
        if role := call.spec.options.get(name):
            call.role("install:remote" if role == "read" and "://" in (value or "") else role, value)
    operands = [literal(word) for word in call.arguments.operands]
    if any(ANY in word for word in operands):
        call.uncertain("what would be installed is only known when it runs")
    place = "registry"
    if call.name in ("go install", "cargo install") and any("@" in word for word in operands):
        place = "home"  # a command for every later shell, from whatever place its name tells
    elif any(_ELSEWHERE.match(word) for word in operands):
        place = "remote"
    elif any(word.startswith(("/", "~", "../")) for word in operands) or (
        call.state.roots.project
        and any(
            found.kind not in ("project", "project_root", "generated", "git")
            for found in resolve(".", call.state.cwds, call.state.roots)
        )
    ):
        place = "other"  # what stands there says what is installed, and what that runs
    call.act(f"install:{place}", " ".join([call.name, *operands])[:200])
    return SOMETHING


def _runner(call: Invocation) -> Output:
    """`npx eslint`, `poetry run pytest`: another program, if it is one that is known."""
    from lighthouse.policy.programs.start import tables

    arguments = split(call.words, call.spec, stops=True)
    for name, value in arguments.options:
        if flag := call.spec.flags.get(name):
            call.act(flag, detail=f"{call.name} {name}")
        if role := call.spec.options.get(name):
            call.role(role, value)
        if name in ("-p", "--package", "--from", "--spec") and not _known(literal(value or "")):
            call.act("execute:registry", literal(value or ""), detail=f"{call.name} fetches and runs {value}")
    words = arguments.operands
    if words[:1] == ["--"]:
        words = words[1:]
    if not words:
        return SOMETHING
    name, plain = _package(literal(words[0]))
    # In the project's own environment every name is installed; a fetched one must be well known.
    local = bool(call.spec.skip) or (
        not call.name.startswith(("npx", "bunx", "pnpx", "uvx", "pipx", "npm ", "bun x", "uv tool"))
        and "dlx" not in call.name
    )
    if plain in tables() and (local or _known(plain)):
        return call.run([plain, *words[1:]])
    if "/" in plain and not plain.startswith("@"):
        return call.run([plain, *words[1:]])
    if plain.endswith((".py", ".js", ".ts", ".rb", ".mjs", ".cjs", ".tsx")):
        call.execute(plain)
        return NOTHING
    if local and re.fullmatch(r"[\w:.-]+", plain):
        call.act(
            act_of([plain, *map(literal, words[1:])]) or "execute:project", " ".join(map(literal, words))
        )
        return NOTHING
    call.act("execute:registry", name, detail=f"{call.name} fetches and runs {name}")
    return NOTHING


def _package(text: str) -> tuple[str, str]:
    """A package's name without its version, and the program's that it brings."""
    name = re.sub(r"(?<=.)(?:@[\w.^~-]+|[=<>!~]=?.*)$", "", text)
    return name, _SCOPED.get(name, name)


def _known(text: str) -> bool:
    """Whether a package that would be fetched and run is one that everybody uses."""
    from lighthouse.policy.programs.start import tables

    plain = _package(text)[1]
    return plain in tables("build") or plain in _WELL_KNOWN


def _run_source(call: Invocation) -> Output:
    """`go run ./cmd/x args`, `cargo run -- args`: the project's program, with its arguments."""
    call.act("execute:project", call.name)
    for operand in call.arguments.operands[:1] if call.name == "go run" else []:
        if "@" in operand or "://" in operand:
            call.act("execute:registry", operand, detail="fetches and runs a program")
        elif operand.startswith(("/", "~")):
            call.role("execute", operand)
    if act := act_of([literal(word) for word in call.arguments.operands]):
        call.act(act, " ".join(map(literal, call.arguments.operands))[:200])
    return SOMETHING


_WELL_KNOWN = listed("packages", "well_known")
_SCOPED = {
    "@biomejs/biome": "biome",
    "@playwright/test": "playwright",
    "@angular/cli": "ng",
    "@nestjs/cli": "nest",
    "typescript": "tsc",
    "@vue/cli-service": "vue-cli-service",
}


def _package_set(call: Invocation) -> Output:
    """`npm pkg set KEY=VALUE`: under `scripts` it is what npm runs."""
    operands = [literal(operand) for operand in call.arguments.operands]
    call.act("write:project", " ".join(operands)[:200])
    call.state.written["package.json"] = ANY
    if any(operand.startswith(("scripts", "bin")) for operand in operands):
        call.uncertain("sets what npm runs")
    return SOMETHING


def _workspace(call: Invocation) -> Output:
    """`yarn workspace NAME …`: the same as there."""
    words = call.words[1:]
    return call.run([call.name.partition(" ")[0], *words]) if words else NOTHING


def _tex(call: Invocation) -> Output:
    """A document is a program; one on the command line, or with the shell opened, is not looked at."""
    words = [literal(word) for word in call.words]
    if any(
        "\\" in word or word.lstrip("-").startswith(("shell-escape", "enable-write18", "e", "pdflatex="))
        for word in words
    ):
        call.uncertain("the document may run programs")
    call.act("execute:project", call.name)
    return SOMETHING


HANDLERS: dict[str, Callable[[Invocation], Output]] = {
    "tex": _tex,
    "workspace": _workspace,
    "package-set": _package_set,
    "tasks": _tasks,
    "install": _install,
    "runner": _runner,
    "run-source": _run_source,
}
__all__ = ["HANDLERS", "Spec"]
