"""The files and links of a tree in the order of their paths, beginning anywhere."""

from collections.abc import Iterator

from lighthouse.paths import ProjectPath, to_bytes
from lighthouse.search.globs import Globs
from lighthouse.shadow import FOLDER, Entry, NotCaptured, Tree


def leaves(
    tree: Tree, start: ProjectPath, globs: Globs, first: ProjectPath = ()
) -> Iterator[tuple[ProjectPath, Entry]]:
    """What stands at or beneath `start` and `globs` takes, from the path `first` on. Links are not followed.

    What is named itself is taken whatever the globs say. Raises NotCaptured where nothing is.
    """
    entry = tree.lookup(start)
    if entry is None:
        name = to_bytes(start).decode("utf-8", "replace")
        raise NotCaptured(f"the version holds no {name!r}", "name a folder or a file of it")
    if entry.kind == FOLDER:
        yield from _beneath(tree, start, globs, first)
    else:
        yield start, entry


def _beneath(
    tree: Tree, folder: ProjectPath, globs: Globs, first: ProjectPath
) -> Iterator[tuple[ProjectPath, Entry]]:
    children = tree.children(folder)
    for name in sorted(children):
        entry, path = children[name], (*folder, name)
        if path < first[: len(path)]:
            continue
        if entry.kind == FOLDER:
            if globs.enters(path):
                yield from _beneath(tree, path, globs, first)
        elif path >= first and globs.takes(path):
            yield path, entry
