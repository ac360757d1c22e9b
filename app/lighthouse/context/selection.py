"""Which files go into a context: paths, folders and globs, less what is excluded."""

import time
from collections.abc import Iterator, Sequence

from lighthouse import paths
from lighthouse.context.errors import BadContext
from lighthouse.paths import BadPath, ProjectPath
from lighthouse.search.globs import Globs
from lighthouse.search.walk import leaves
from lighthouse.shadow import Entry, NotCaptured, Tree

MAX_CHOICES = 200
MAX_FILES = 5000
MAX_BYTES = 256 * 1024 * 1024
# Each glob is a walk over the whole version; asked between two of them.
MAX_SECONDS = 30.0


def select(tree: Tree, chosen: Sequence[str]) -> dict[ProjectPath, Entry]:
    """The files and links of `tree` that `chosen` names, by path.

    A path takes a file, or a folder with all beneath; what is no path is a glob from the root. With `!` in
    front a glob takes away from folders and globs. Raises BadContext, BadGlob, and NotCaptured where one of
    them takes nothing.
    """
    if len(chosen) > MAX_CHOICES:
        raise BadContext(f"more than {MAX_CHOICES} paths and globs", "name folders, or use wider globs")
    excluded = [choice for choice in chosen if choice.startswith("!")]
    end = time.monotonic() + MAX_SECONDS
    found: dict[ProjectPath, Entry] = {}
    for choice in chosen:
        if choice in excluded:
            continue
        if time.monotonic() > end:
            raise BadContext(f"choosing takes longer than {MAX_SECONDS:g} s", "use fewer globs, or folders")
        taken = False
        for path, entry in _taken(tree, choice, excluded):
            taken = True
            found[path] = entry
            if len(found) > MAX_FILES:
                raise BadContext(f"more than {MAX_FILES} files are chosen", "choose less")
        if not taken:
            raise NotCaptured(f"{choice!r} takes no file of the version", "look for it with a search")
    total = sum(entry.size for entry in found.values())
    if total > MAX_BYTES:
        raise BadContext(f"the chosen files have {total} bytes", f"at most {MAX_BYTES} go into a context")
    return found


def _taken(tree: Tree, choice: str, excluded: list[str]) -> Iterator[tuple[ProjectPath, Entry]]:
    try:
        path = paths.parse(choice)
    except BadPath:
        path = None  # a glob may begin with a slash
    if path is not None and tree.lookup(path) is not None:
        return leaves(tree, path, Globs(excluded))
    return leaves(tree, (), Globs([choice, *excluded]))
