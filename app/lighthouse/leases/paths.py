"""What callers name made canonical: names from the project's root, its links followed as judging does."""

import re
from collections.abc import Callable, Sequence

from lighthouse.leases.errors import BadLease
from lighthouse.leases.pattern import DEEP, Names, head, is_wild
from lighthouse.policy.shell.grammar import NotUnderstood

MAX_PATH = 1000
MAX_DEPTH = 64
_BRACES = re.compile(r"\{[^/{}]*,[^/]*\}")

Follow = Callable[[str], Names | None]
"""Where a path leads that is absolute or from the project's root; None for out of the project."""


def canonical(texts: Sequence[str], follow: Follow) -> list[Names]:
    """Each path or glob once. What lies beneath another of them is left out. Raises BadLease."""
    found = sorted({_canonical(text, follow) for text in texts}, key=lambda names: (len(names), names))
    plain = {names for names in found if not any(map(is_wild, names))}
    return [names for names in found if not any(names[:length] in plain for length in range(len(names)))]


def _canonical(text: str, follow: Follow) -> Names:
    if not text or len(text) > MAX_PATH or not text.isprintable():
        raise BadLease(
            f"{text[:50]!r} is no path to lease", f"send 1 to {MAX_PATH} printable characters; `.` is all"
        )
    if text.startswith("!") or "\\" in text or _BRACES.search(text):
        raise BadLease(f"{text[:100]!r} has a !, a backslash or {{a,b}}", "name each path by itself")
    names = tuple(name for name in text.split("/") if name not in ("", "."))
    if ".." in names:
        raise BadLease(f"{text[:100]!r} has '..' in it", "name it by its path from the project's root")
    if len(names) > MAX_DEPTH:
        raise BadLease(f"{text[:100]!r} is deeper than {MAX_DEPTH} folders", "lease a folder above")
    known = head(names)
    try:
        led = follow("/" * text.startswith("/") + "/".join(known))
    except NotUnderstood as error:
        raise BadLease(
            f"{text[:100]!r} cannot be looked at: {error.message}", "lease another path"
        ) from error
    if led is None:
        raise BadLease(f"{text[:100]!r} leads out of the project", "lease paths of the project")
    rest = names[len(known) :]
    if len(rest) == len(names) == 1 and rest[0] != DEEP:
        rest = (DEEP, *rest)  # as in .gitignore, a glob without a slash is for every folder
    found = list(led)
    for name in rest:
        if name != DEEP or found[-1:] != [DEEP]:
            found.append(name)
    while found[-1:] == [DEEP]:
        found.pop()  # all beneath is meant in any case
    return tuple(found)


def shown(names: Names) -> str:
    """The path as it is told; `.` is the project."""
    return "/".join(names) or "."


def read(text: str) -> Names:
    """The names of a path that `shown` told."""
    return () if text == "." else tuple(text.split("/"))
