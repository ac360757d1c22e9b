"""The files of a version in the order of their paths, beginning anywhere."""

from collections.abc import Iterator

from lighthouse.paths import ProjectPath
from lighthouse.search.globs import Globs
from lighthouse.shadow import FILE, FOLDER, Entry, NotCaptured, Snapshot


def files(
    tree: Snapshot, start: ProjectPath, globs: Globs, first: ProjectPath = ()
) -> Iterator[tuple[ProjectPath, Entry]]:
    """The files at or beneath `start` that `globs` takes, from the path `first` on. Links are not followed.

    A file that is named itself is taken whatever the globs say. Raises NotCaptured where nothing is.
    """
    entry = tree.lookup(start)
    if entry is None:
        raise NotCaptured("the version holds no such path to search in", "name a folder or a file of it")
    if entry.kind == FILE:
        yield start, entry
    elif entry.kind == FOLDER:
        yield from _beneath(tree, start, globs, first)


def _beneath(
    tree: Snapshot, folder: ProjectPath, globs: Globs, first: ProjectPath
) -> Iterator[tuple[ProjectPath, Entry]]:
    children = tree.children(folder)
    for name in sorted(children):
        entry, path = children[name], (*folder, name)
        if path < first[: len(path)]:
            continue
        if entry.kind == FILE and path >= first and globs.takes(path):
            yield path, entry
        elif entry.kind == FOLDER and globs.enters(path):
            yield from _beneath(tree, path, globs, first)
