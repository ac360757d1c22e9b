"""What may be done to a proposal, asked before anything is done; refused with the errno of a disk."""

import errno
from collections.abc import Callable
from typing import NamedTuple, NoReturn

from lighthouse.paths import MAX_NAME
from lighthouse.proposals.node import Folder, Leaf, Node
from lighthouse.proposals.overlay import Overlay
from lighthouse.shadow.entry import FOLDER

MAX_TARGET = 4095
# As deep as the project is captured.
MAX_DEPTH = 128
# Parent folders, a hidden name and the node itself: what one change can add at most.
ROOM_FOR_ONE = 5


class Limits(NamedTuple):
    """The quota of each proposal, and how many more entries all of them together may have."""

    bytes: int
    entries: int
    spare: Callable[[], int]


def refuse(number: int) -> NoReturn:
    """Raise an OSError with that errno."""
    raise OSError(number, "refused")


def check_room(overlay: Overlay, limits: Limits) -> None:
    """Raise EDQUOT unless one more change has room."""
    if overlay.entries + ROOM_FOR_ONE > limits.entries or limits.spare() < ROOM_FOR_ONE:
        refuse(errno.EDQUOT)


def check_bytes(overlay: Overlay, limits: Limits, leaf: Leaf, size: int) -> None:
    """Raise EDQUOT unless `leaf` may become `size` bytes long. What only shrinks is always allowed."""
    if overlay.bytes - leaf.charged + size > limits.bytes and size > leaf.charged:
        refuse(errno.EDQUOT)


def check_new(overlay: Overlay, limits: Limits, folder: Folder, name: bytes) -> None:
    """Raise unless something new may be called `name` in `folder`."""
    if len(name) > MAX_NAME:
        refuse(errno.ENAMETOOLONG)
    if folder.gone:
        refuse(errno.ENOENT)
    if overlay.lookup(folder, name) is not None:
        refuse(errno.EEXIST)
    if len(folder.path()) >= MAX_DEPTH:
        refuse(errno.ENAMETOOLONG)
    check_room(overlay, limits)


def find(overlay: Overlay, folder: Folder, name: bytes) -> Node:
    """What is called `name` in `folder`. Raises ENOENT, ENAMETOOLONG."""
    if len(name) > MAX_NAME:
        refuse(errno.ENAMETOOLONG)
    node = overlay.lookup(folder, name)
    if node is None:
        refuse(errno.ENOENT)
    return node


def check_removal(overlay: Overlay, limits: Limits, node: Node, *, folder: bool) -> None:
    """Raise unless `node` may be removed by unlink, or by rmdir where `folder` says so."""
    if isinstance(node, Folder):
        if not folder:
            refuse(errno.EISDIR)
        if not overlay.is_empty(node):
            refuse(errno.ENOTEMPTY)
    elif folder:
        refuse(errno.ENOTDIR)
    elif isinstance(node, Leaf) and not node.captured:
        refuse(errno.EACCES)
    if not node.own:
        check_room(overlay, limits)


def check_rename(overlay: Overlay, limits: Limits, node: Node, folder: Folder, name: bytes) -> Node | None:
    """What would be replaced if `node` went to `folder` as `name`; raises where that cannot be."""
    if len(name) > MAX_NAME:
        refuse(errno.ENAMETOOLONG)
    if folder.gone:
        refuse(errno.ENOENT)
    if isinstance(node, Folder):
        check_not_beneath(node, folder)
    there = overlay.lookup(folder, name)
    if there is not None and there is not node:
        if isinstance(node, Folder) and not isinstance(there, Folder):
            refuse(errno.ENOTDIR)
        check_removal(overlay, limits, there, folder=node.kind == FOLDER)
    check_depth(node, folder)
    check_room(overlay, limits)
    return there


def check_depth(node: Node, folder: Folder) -> None:
    """Raise ENAMETOOLONG where `node`, put into `folder`, would reach too deep."""
    if len(folder.path()) + _depth(node) > MAX_DEPTH:
        refuse(errno.ENAMETOOLONG)


def check_not_beneath(node: Folder, folder: Folder) -> None:
    """Raise EINVAL where `folder` is `node` or lies in it."""
    above: Folder | None = folder
    while above is not None:
        if above is node:
            refuse(errno.EINVAL)
        above = above.parent


def _depth(node: Node) -> int:
    """How deep the nodes beneath reach; what was never looked at in the base is taken as it lies there."""
    deepest, level = 0, [node]
    while level:
        deepest += 1
        level = [kid for above in level if isinstance(above, Folder) for kid in above.kids.values()]
    return deepest
