"""Command lines of services (`aws`, `kubectl`, `gh`): what they do is told by the verb among their first words."""

import re

from lighthouse.policy.programs.arguments import split
from lighthouse.policy.programs.invocation import Invocation
from lighthouse.policy.shell.marks import is_open, literal, shown
from lighthouse.policy.shell.output import SOMETHING, Output

READS = frozenset(
    "list ls get describe show status info view version versions help search find log logs inspect check stat stats diff top "
    "ping history whoami cat print lookup read explain validate lint verify preview plan events event doctor tree count "
    "head tail query scan size health current display usage details summary metrics audit report whois dig trace overview "
    "lsd lsl lsf lsjson md5sum sha1sum hashsum about ncdu cluster-info api-resources api-versions environment members "
    "batch-get filter select test-connection who me self identity dashboard watch monitor poll peek receive exists compare "
    "analyze analyse calculate estimate simulate detect can-i config-list outputs output graph state-list providers fmt format completion "
    "autocomplete describe-all browse open docs man examples discover resolve dry-run is-active is-enabled login-status "
    "download clone fetch pull cp-from".split()
)
DESTROYS = frozenset(
    "delete del rm rmi remove destroy drop purge prune truncate wipe erase flush flushall flushdb reset terminate kill "
    "revoke disable unregister uninstall detach forget evict drain cancel abort deregister unsubscribe expire unpublish "
    "rb rmdir deletefile cleanup dedupe move mv nuke teardown decommission undeploy unlink clear empty obliterate shred stop "
    "down deprovision archive rollback restore overwrite force revert discard undo unset unassign dismiss close lock "
    "repo-delete rdelete repodelete recreate rekey step-down seal leave downgrade suspend pause scale replace cordon taint".split()
)
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
)
# Names of things that also list them when nothing follows.
_NOUNS = frozenset(
    "versions events logs tags labels topics brokers queues vhosts exchanges bindings users policies members snapshots apps "
    "addons domains releases regions plans instances services projects sites teams accounts images ps outputs history".split()
)
_SECRET_WORDS = re.compile(
    r"secret|password|passwd|credential|token|(?:^|[-_])keys?(?:$|[-_])|login-password", re.IGNORECASE
)
_REVEALS = frozenset(
    ("get", "read", "access", "show", "view", "download", "print", "reveal", "cat", "export")
)
MOST_WORDS = 4


def service(call: Invocation) -> Output:
    """Tell whether the call reads, changes or destroys; a verb nobody knows counts as a change."""
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
            call.act(
                found,
                " ".join([call.name, *map(shown, words)])[:200],
                detail=" ".join([call.name, *words[:depth]]),
            )
            return SOMETHING
        rest = _after(call.words, words[depth - 1])
        from lighthouse.policy.programs.start import handle

        name = " ".join([call.name, *words[:depth]])
        return handle(
            Invocation(
                call.shell, name, rest, call.stdin, found, split(rest, found, stops=found.kind == "wrapper")
            )
        )
    if call.words[-1] in ("--help", "-h", "help"):
        return SOMETHING
    action, verb = judge([word for word in words[:MOST_WORDS] if not is_open(word)])
    place = "remote"
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

    What destroys counts wherever it stands. What reads must be a word or the first part of one, and stand before
    anything that is no name of a group.
    """
    for word in words:
        if any(part in DESTROYS for part in re.split(r"[-_.:]", word.lower())) or word.lower() in DESTROYS:
            return "destroy", word
    for word in words:
        lower = word.lower()
        if lower in _NOUNS and word is not words[-1]:
            continue
        if lower in READS or lower in _NOUNS or re.split(r"[:.]", lower)[-1] in READS or re.split(r"[-_:]", lower)[0] in _READ_HEADS:
            return "query", word
    return "change", words[-1] if words else ""


def _longest(sub: "dict[str, object]", words: list[str]) -> "tuple[int, object] | None":
    for depth in range(min(MOST_WORDS, len(words)), 0, -1):
        if (found := sub.get(" ".join(words[:depth]))) is not None:
            return depth, found
    return None


def _after(words: list[str], verb: str) -> list[str]:
    plain = [literal(word) for word in words]
    return words[plain.index(verb) + 1 :] if verb in plain else []
