"""Command lines of services (`aws`, `kubectl`, `gh`): the verb among the first words tells what they do."""

import re
from collections.abc import Mapping

from lighthouse.policy.programs.arguments import split
from lighthouse.policy.programs.git_tree import whole_tree
from lighthouse.policy.programs.invocation import Invocation
from lighthouse.policy.programs.options import watch
from lighthouse.policy.programs.spec import Spec
from lighthouse.policy.shell.marks import is_open, literal, shown
from lighthouse.policy.shell.output import SOMETHING, Output
from lighthouse.policy.vocabulary import listed

READS = listed("services", "reads")
DESTROYS = listed("services", "destroys")
_READ_HEADS = (
    "list",
    "get",
    "describe",
    "show",
    "lookup",
    "query",
    "search",
    "batch-get",
    "view",
    "head",
    "count",
    "transact-get",
)
_READ_BEGINNINGS = tuple(f"{head}-" for head in _READ_HEADS)
CHANGES = listed("services", "changes")
# Verbs that are also names of things, as in `gh label list`.
_GROUPS = frozenset(
    ("issue", "label", "release", "run", "import", "export", "connect", "function", "register")
)
_CHANGE_BEGINNINGS = tuple(f"{word}-" for word in sorted(CHANGES))
# Names of things that also list them when nothing follows.
_NOUNS = listed("services", "nouns")
_SECRET_WORDS = re.compile(
    r"secret|password|passwd|credential|token|(?:^|[-_])keys?(?:$|[-_])|login-password", re.IGNORECASE
)
_REVEALS = frozenset(
    ("get", "read", "access", "show", "view", "download", "print", "reveal", "cat", "export")
)
MOST_WORDS = 4


def service(call: Invocation) -> Output:
    """Tell whether the call reads, changes or destroys; a verb nobody knows counts as a change."""
    from lighthouse.policy.programs.generic import stray_paths

    spec = call.spec
    arguments = call.arguments
    if arguments.open_option:
        call.uncertain("an argument is only known when it runs")
        return SOMETHING
    for name, value in arguments.options:
        if flag := spec.flags.get(name):
            call.act(flag, detail=f"{call.name} {shown(name)}")
        if role := spec.options.get(name):
            call.role(role, value)
    if spec.harmless and arguments.has(*spec.harmless.split()):
        return SOMETHING
    words = [literal(word) for word in arguments.operands[: arguments.after_dashes]]
    if not words:
        if spec.otherwise and not arguments.has("-h", "-v", "-V", "--help", "--version"):
            call.act(spec.otherwise, call.name)
        return SOMETHING
    known = _longest(spec.sub, words)
    if known is not None:
        depth, found = known
        if isinstance(found, str):
            watch(call, " ".join([call.name, *words[:depth]]), arguments, spec, spec)
            stray_paths(call, arguments, Spec(acts=found))
            call.act(
                found,
                " ".join([call.name, *map(shown, words)])[:200],
                detail=" ".join([call.name, *words[:depth]]),
            )
            if words[1:2] == ["checkout"]:
                whole_tree(call)
            return SOMETHING
        rest = _after(call.words, words[depth - 1])
        from lighthouse.policy.programs.start import handle

        name = " ".join([call.name, *words[:depth]])
        return handle(
            Invocation(
                call.shell,
                name,
                rest,
                call.stdin,
                found,
                split(rest, found, stops=found.kind == "wrapper"),
                spec,
            )
        )
    if call.words[-1] in ("--help", "-h", "help"):
        return SOMETHING
    action, verb = judge([word for word in words[:MOST_WORDS] if not is_open(word)])
    place = "remote"
    if action == "query":
        watch(call, call.name, arguments, spec, None)
    if (
        action == "query"
        and verb.split("-")[0].split("_")[0] in _REVEALS
        and any(map(_SECRET_WORDS.search, words[:2]))
    ):
        place = "secret"
    call.act(
        f"{action}:{place}",
        " ".join([call.name, *map(shown, words[:MOST_WORDS])]),
        detail=f"{call.name}: {verb}",
    )
    return SOMETHING


def judge(words: list[str]) -> tuple[str, str]:
    """The action of the first words, and the verb that says so.

    What destroys counts wherever it stands, what changes wherever it stands before what reads. What reads
    must be a word or the first part of one.
    """
    for word in words:
        if any(part in DESTROYS for part in re.split(r"[-_.:]", word.lower())) or word.lower() in DESTROYS:
            return "destroy", word
    for number, word in enumerate(words):
        lower = word.lower()
        if lower in _GROUPS and number == 0 and words[1:2] and words[1].lower() in READS | _NOUNS:
            continue
        if lower in CHANGES or lower.startswith(_CHANGE_BEGINNINGS):
            return "change", word
        if lower in _NOUNS and word is not words[-1]:
            continue
        if (
            lower in READS
            or lower in _NOUNS
            or re.split(r"[:.]", lower)[-1] in READS
            or lower.replace("_", "-").replace(":", "-").startswith(_READ_BEGINNINGS)
            or lower in _READ_HEADS
        ):
            return "query", word
    return "change", words[-1] if words else ""


def _longest(sub: Mapping[str, str | Spec], words: list[str]) -> tuple[int, str | Spec] | None:
    for depth in range(min(MOST_WORDS, len(words)), 0, -1):
        if (found := sub.get(" ".join(words[:depth]))) is not None:
            return depth, found
    return None


def _after(words: list[str], verb: str) -> list[str]:
    plain = [literal(word) for word in words]
    return words[plain.index(verb) + 1 :] if verb in plain else []
