"""Leases at write: which paths a call would change, and the denial where another agent holds one of them."""

from collections.abc import Iterator

from lighthouse.leases import Lease, Leases, Names, Touch
from lighthouse.leases.index import Extent
from lighthouse.leases.paths import shown
from lighthouse.leases.pattern import OPEN, is_wild, same
from lighthouse.policy import Act, Verdict
from lighthouse.policy.act import Facts
from lighthouse.policy.tools import SHELLS
from lighthouse.policy.verdict import Tier
from lighthouse.shadow import FOLDER, Shadow
from lighthouse.validation.looking import looking
from lighthouse.validation.project import within
from lighthouse.validation.proposed import EDITORS

RULE = "leased"
_CHANGING = frozenset(("write", "delete", "discard", "configure"))
_IN_THE_PROJECT = frozenset(("project", "project_root", "generated"))
# What these do to a path they do to nothing in it; "bash" is a redirection. Others may write into a folder.
_EXACT = EDITORS | {
    *("bash", "chgrp", "chown", "dd", "mkdir", "rm", "rmdir", "sed", "shred", "tee", "touch"),
    *("truncate", "unlink"),
}
# Into a folder above the project they bring no other folder's contents; copying does where it goes deep.
_FLAT = frozenset(("chmod", "gmv", "link", "ln", "mv", "symlink"))
_COPYING = frozenset(("cp", "ditto", "gcp", "install"))
# More, more globs or longer ones are taken for all beneath the folder that holds them.
MAX_TOUCHES, MAX_GLOBS, MAX_LENGTH = 64, 4, 8192


class Leased:
    """What leases say to a call. They only ever turn an answer into a denial."""

    def __init__(self, leases: Leases, shadow: Shadow, roots: tuple[str, ...]) -> None:
        self._leases = leases
        self._shadow = shadow
        self._roots = roots

    def touches(self, facts: Facts) -> list[Touch]:
        """The paths of the project that the call would change, as far as its facts tell."""
        return touches(facts, self._roots)

    def denial(self, agent_id: str, found: list[Touch], tier: Tier) -> Verdict | None:
        """The denial where another agent holds one of the paths."""
        return self._denied(self._leases.against(agent_id, lambda: found, self._is_folder), tier)

    def verdict(self, agent_id: str, facts: Facts, tier: Tier) -> Verdict | None:
        """The same for a call that was just judged."""
        return self._denied(
            self._leases.against(agent_id, lambda: touches(facts, self._roots), self._is_folder), tier
        )

    def _denied(self, found: tuple[Lease, Touch] | None, tier: Tier) -> Verdict | None:
        if found is None:
            return None
        lease, touch = found
        what = shown(touch.names)
        if touch.extent == "all":
            what = "the whole project" if not touch.names else f"all of {what}"
        holder = lease.agent_id
        covered = ", ".join(lease.paths[:3]) + (", …" if len(lease.paths) > 3 else "")
        why = f"it may change {what}, and {holder} has leased {covered} ({lease.id}) until {lease.until}"
        instead = (
            f"name single files beside these, do something else until then, or ask {holder} to release"
            f" {lease.id} (an operator can revoke it)"
        )
        return Verdict("deny", why, RULE, tier, instead)

    def _is_folder(self, names: Names) -> bool:
        path = tuple(name.encode("utf-8", "surrogateescape") for name in names)
        entry = self._shadow.current.lookup(path)
        return entry is not None and entry.kind == FOLDER


def touches(facts: Facts, roots: tuple[str, ...]) -> list[Touch]:
    """Each path once; those of too many are told as the folder that holds them all."""
    found = list(dict.fromkeys(_touches(facts, roots)))
    if (
        len(found) <= MAX_TOUCHES
        and sum(any(map(is_wild, one.names)) for one in found) <= MAX_GLOBS
        and sum(len(shown(one.names)) for one in found) <= MAX_LENGTH
    ):
        return found
    return [Touch(_common(found), "all")]


def _common(found: list[Touch]) -> Names:
    """The folder that holds all of them."""
    first, last = min(one.names for one in found), max(one.names for one in found)
    same = zip(first, last, strict=False)
    return first[: next((n for n, (one, other) in enumerate(same) if one != other), len(first))]


def _touches(facts: Facts, roots: tuple[str, ...]) -> Iterator[Touch]:
    deep = {act.program for act in facts.acts if act.recursive}
    only_look = looking(facts)
    # Programs whose paths are told: from the end, as an invocation is told before the paths that it is given.
    placed: set[str] = set()
    for act in reversed((*facts.acts, *facts.rewrites)):
        if act.action not in _CHANGING or act.place == "unknown":
            continue
        if act.program.partition(" ")[0] in only_look:
            continue
        if not act.target.startswith("/"):
            if _is_somewhere(act, facts.tool, placed):
                yield Touch((), "all")
            placed.discard(act.program)
            continue
        placed.add(act.program)
        flat = act.program in _FLAT or (act.program in _COPYING and act.program not in deep)
        yield from _in_project(act, flat, roots)


def _is_somewhere(act: Act, tool: str, placed: set[str]) -> bool:
    """Whether it changes something in the project, and only itself knows where."""
    if tool not in SHELLS or act.program.partition(" ")[0] == "git":
        return False  # what git's commands change is told as `rewrites`
    if act.action == "write":
        return act.place in _IN_THE_PROJECT and act.program not in placed
    # `zip -m`: of the paths that are told none is what it removes.
    return act.action in ("delete", "discard") and act.place == "project"


def _in_project(act: Act, flat: bool, roots: tuple[str, ...]) -> Iterator[Touch]:
    """What of the project a path takes in: it may lie there, be a folder above, or a glob for either."""
    extent = _extent(act)
    target = _plain(act.target)
    if (inner := within(target, roots)) is not None:
        yield Touch(inner, extent)
        return
    names = tuple(name for name in target.split("/") if name)
    for root in roots:
        above = tuple(name for name in root.split("/") if name)
        for number, (mine, theirs) in enumerate(zip(names, above, strict=False)):
            if OPEN in mine:
                # Any number of folders, so also those down to the project.
                yield Touch(names[number:], extent)
                break
            if not same(mine, theirs):
                break
        else:
            if len(names) >= len(above):
                yield Touch(names[len(above) :], extent)
            elif act.recursive or extent == "all" or (extent == "into" and not flat):
                yield Touch((), "all")


def _plain(target: str) -> str:
    """The text with `?` for halves of characters: nobody knows what they are, and they are no JSON."""
    return target if target.isascii() else target.encode("utf-8", "replace").decode("utf-8")


def _extent(act: Act) -> Extent:
    # What `find` gives to `xargs` is told as `*`, however deep it lies.
    if act.recursive or act.target.endswith("/*"):
        return "all"
    return "one" if act.program in _EXACT else "into"
