"""What a lease covers: a path from the project's root, or a glob, with all beneath what it matches.

Names are text. `*`, `?` and `[…]` stand for parts of a name; such a name stands for itself, too, as in
`[id].py`. `**` is any number of names. Where it is not certain that two globs have no name in common, they
have one.
"""

import re
from fnmatch import translate
from functools import lru_cache

Names = tuple[str, ...]

DEEP = "**"
# What the shell fills in, as facts show it: any names, as far as anybody knows.
OPEN = "…"
_WILD = re.compile(r"[*?\[]")


@lru_cache(maxsize=4096)
def is_wild(name: str) -> bool:
    """Whether the name may stand for others."""
    return _WILD.search(name) is not None or OPEN in name


def head(names: Names) -> Names:
    """The names up to the first that may stand for others."""
    return next((names[:number] for number, name in enumerate(names) if is_wild(name)), names)


def meet(one: Names, other: Names, *, beneath: bool) -> bool:
    """Whether `one`, with all beneath it, takes in what `other` names; with `beneath`, anything there."""
    # Nearly all that are compared differ in one of the first names.
    for mine, theirs in zip(one, other, strict=False):
        if mine == DEEP or _is_deep(theirs):
            break
        if not same(mine, theirs):
            return False
    seen = set()
    ahead = [(0, 0)]
    while ahead:
        at = i, j = ahead.pop()
        if at in seen:
            continue
        seen.add(at)
        if i == len(one) or (j == len(other) and beneath):
            return True
        deep, open_ = one[i] == DEEP, j < len(other) and _is_deep(other[j])
        if deep:
            ahead.append((i + 1, j))
        if open_:
            ahead.append((i, j + 1))
        if j == len(other):
            continue
        if deep:
            ahead.append((i, j + 1))
        elif open_:
            ahead.append((i + 1, j))
        elif same(one[i], other[j]):
            ahead.append((i + 1, j + 1))
    return False


def same(one: str, other: str) -> bool:
    """Whether both may be the same name."""
    if one == other:
        return True
    if not is_wild(one):
        return is_wild(other) and _compiled(other).match(one) is not None
    if not is_wild(other):
        return _compiled(one).match(other) is not None
    first, last = _ends(one)
    begin, end = _ends(other)
    return (first.startswith(begin) or begin.startswith(first)) and (last.endswith(end) or end.endswith(last))


def _is_deep(name: str) -> bool:
    return name == DEEP or OPEN in name


@lru_cache(maxsize=4096)
def _compiled(glob: str) -> re.Pattern[str]:
    return re.compile(translate(glob))


@lru_cache(maxsize=4096)
def _ends(glob: str) -> tuple[str, str]:
    """What a name that the glob matches begins with, and what it ends with."""
    marks = [found.start() for found in re.finditer(r"[*?\[\]]", glob)]
    return glob[: marks[0]], glob[marks[-1] + 1 :]
