"""`find` and `fd`: what they look through, what they do with it."""

import itertools
from collections.abc import Callable

from lighthouse.policy.programs.arguments import split
from lighthouse.policy.programs.invocation import Invocation
from lighthouse.policy.programs.spec import Spec
from lighthouse.policy.shell.marks import ANY, BELOW, STAR, literal
from lighthouse.policy.shell.output import SOMETHING, Output
from lighthouse.policy.vocabulary import listed

_WRITES = frozenset(("-fprint", "-fprint0", "-fls", "-fprintf"))
_RUNS = frozenset(("-exec", "-execdir", "-ok", "-okdir"))
_TESTS = listed("options", "find_tests")
_NAMES = frozenset(("-name", "-iname", "-path", "-wholename", "-ipath"))


def _find(call: Invocation) -> Output:
    words = call.words
    at = 0
    while (at < len(words) and words[at] in ("-H", "-L", "-P", "-D", "-E", "-X", "-s")) or (
        at < len(words) and words[at].startswith("-O")
    ):
        at += 2 if words[at] == "-D" else 1
    bases: list[str] = []
    while at < len(words) and words[at][:1] not in ("-", "(", "!", ","):
        bases.append(words[at])
        at += 1
    bases = bases or ["."]
    tests = words[at:]
    found = [_found(base, _pattern(tests)) for base in bases]
    for base in bases:
        if base.startswith(ANY):
            call.uncertain("an argument is only known when it runs")
        call.analysis.path("read", literal(base), call.state, call.name)
    at = 0
    while at < len(tests):
        test = literal(tests[at])
        at += 1
        if ANY in test[:1]:
            call.uncertain("an argument is only known when it runs")
        if test == "-delete":
            for path in found:
                call.analysis.path("delete", path, call.state, call.name, recursive=True)
        elif test in _WRITES and at < len(tests):
            call.role("write", tests[at])
        elif test in _RUNS:
            end = next(
                (number for number in range(at, len(tests)) if tests[number] in (";", "+", "\\;")), len(tests)
            )
            command = tests[at:end]
            at = end + 1
            for path in found:
                call.run([word.replace("{}", path) for word in map(literal, command)], stdin=SOMETHING)
        elif _is_test(test) and test not in _TESTS and (at < 2 or tests[at - 2] not in _TESTS):
            call.uncertain(f"the test {test} is not known")
    return Output("".join(f"{path}\n" for path in found))


def _pattern(tests: list[str]) -> str:
    """The one pattern of names that everything found fits, or nothing."""
    if any(test in ("-o", "-or", "!", "-not", ",") for test in tests):
        return ""
    for test, value in itertools.pairwise(tests):
        if literal(test) in ("-name", "-iname"):
            return value
    return ""


def _found(base: str, pattern: str) -> str:
    """A path that stands for all that is found: below the folder, with a pattern's last name."""
    name = literal(pattern)
    if not name or ANY in name or not any(char.isalnum() for char in name):
        return f"{base}/{STAR}"
    return f"{base}/{BELOW}/{name.replace('*', STAR)}"


def _fd(call: Invocation) -> Output:
    arguments = split(call.words, call.spec)
    cut = next(
        (at for at, word in enumerate(call.words) if word in ("-x", "-X", "--exec", "--exec-batch")), None
    )
    if cut is not None:
        arguments = split(call.words[:cut], call.spec)
    bases = arguments.operands[1:] or [arguments.value("--base-directory") or "."]
    for base in bases:
        call.role("read", base)
    paths = [f"{base}/{BELOW}" for base in bases]
    if cut is not None:
        command = [word for word in call.words[cut + 1 :] if word != ";"]
        for path in paths:
            replaced = [word.replace("{}", path) for word in command]
            call.run(replaced if "{}" in " ".join(command) else [*replaced, path], stdin=SOMETHING)
    return Output("".join(f"{path}\n" for path in paths))


HANDLERS: dict[str, Callable[[Invocation], Output]] = {"find": _find, "fd": _fd}
__all__ = ["HANDLERS", "Spec"]


def _is_test(word: str) -> bool:
    """Whether the word would name a test, where it is not the value of the one before it."""
    return word.startswith("-") and len(word) > 1 and not word[1].isdigit()
