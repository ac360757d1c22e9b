"""Which files of the work tree a git command would rewrite: what others leased there has to be left alone."""

import re

from lighthouse.policy.places import Place, resolve
from lighthouse.policy.programs.arguments import Arguments, split
from lighthouse.policy.programs.invocation import Invocation
from lighthouse.policy.programs.spec import Spec
from lighthouse.policy.shell.marks import GLOBS, is_open, literal

# Verbs that bring other contents into the work tree.
_REWRITING = frozenset(
    (
        *("am", "apply", "bisect", "checkout", "checkout-index", "cherry-pick", "clean", "filter-branch"),
        *("filter-repo", "lfs", "merge", "pull", "read-tree", "rebase", "reset", "restore", "revert", "rm"),
        *("sparse-checkout", "stash", "submodule", "switch", "worktree"),
    )
)
# With one of these options alone, or such a word behind it, a verb leaves all files as they are.
_HARMLESS: dict[str, tuple[str, ...]] = {
    "apply": ("--check", "--stat", "--numstat", "--summary", "--cached"),
    "checkout": ("-b", "--orphan"),
    "clean": ("-n", "--dry-run"),
    "rm": ("-n", "--dry-run", "--cached"),
    "switch": ("-c", "--create"),
}
_LOOKING: dict[str, tuple[str, ...]] = {
    "bisect": ("log", "view", "visualize", "terms"),
    "lfs": ("ls-files", "status", "env", "fetch", "version", "logs", "push"),
    "sparse-checkout": ("list",),
    "stash": ("list", "show", "create", "store", "drop", "clear"),
    "submodule": ("status", "summary"),
    "worktree": ("list", "prune", "lock", "unlock", "repair"),
}
_RESETS = ("--hard", "--merge", "--keep")
_MAGIC = frozenset((":", "*", "?", "[", *GLOBS))


def rewrites(call: Invocation, verb: str, words: list[str]) -> None:
    """Tell the paths that are named, or the whole work tree where none are or they are not clear."""
    if verb not in _REWRITING:
        return
    spec = call.spec.sub.get(verb)
    arguments = split(words, spec if isinstance(spec, Spec) else Spec())
    if not arguments.open_option and _is_harmless(verb, arguments):
        return
    roots, cwds = call.state.roots, call.state.cwds
    if verb == "apply":
        # What a patch may touch counts from the tree's top, which may be the project's.
        paths, cwds = _included(arguments), (*roots.project, *cwds)
    else:
        paths = _paths(verb, arguments)
    if paths and not any(is_open(path) or _MAGIC & set(path) for path in paths):
        for path in paths:
            for place in resolve(path, cwds, roots):
                call.analysis.rewrites(place, "git")
    else:
        whole_tree(call)


def _is_harmless(verb: str, arguments: Arguments) -> bool:
    operands = [literal(operand) for operand in arguments.operands]
    if operands[:1] and operands[0] in _LOOKING.get(verb, ()):
        return True
    if verb == "reset":
        return not arguments.has(*_RESETS)
    if verb == "apply" and arguments.has("--apply"):
        return False
    if verb == "restore":
        staged = arguments.has("-S", "--staged")
        return staged and not arguments.has("-W", "--worktree")
    if verb in ("checkout", "switch") and operands:
        return False  # a new branch from another commit
    return arguments.has(*_HARMLESS.get(verb, ()))


def _paths(verb: str, arguments: Arguments) -> list[str]:
    """The paths of the command where it cannot mean anything else."""
    if arguments.open_option or arguments.has("--pathspec-from-file"):
        return []
    if verb in ("restore", "rm", "clean"):
        return arguments.operands
    if verb == "worktree":
        return arguments.operands[1:]  # a branch among them is taken for a path, too
    if verb in ("checkout", "stash") and arguments.after_dashes is not None:
        return arguments.operands[arguments.after_dashes :]
    return []


def _included(arguments: Arguments) -> list[str]:
    """The files that a patch is kept to; of globs the folder, as `*` goes beneath it."""
    patterns = [value for name, value in arguments.options if name == "--include"]
    if arguments.open_option or arguments.has("--directory"):
        return []
    found = []
    for pattern in patterns:
        text = literal(pattern or "")
        folder = re.split(r"[*?\[\\]", text, maxsplit=1)[0]
        found.append(text if folder == text else folder.rpartition("/")[0])
    return found if all(found) else []


def whole_tree(call: Invocation) -> None:
    """Tell that any file of the work tree may change."""
    roots = call.state.roots
    if not roots.project:  # in a container, or on another machine
        return
    for place in resolve(".", call.state.cwds, roots):
        inside = any(f"{place.path}/".startswith(f"{root}/") for root in roots.project)
        # The tree's top may be any folder above.
        whole = inside or place.kind == "unknown"
        call.analysis.rewrites(Place("project_root", roots.project[0]) if whole else place, "git")
