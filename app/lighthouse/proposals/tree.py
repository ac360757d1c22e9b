"""A proposal's tree as it is kept at one moment: immutable, to be compared, drawn as a patch, merged."""

from collections.abc import Callable, Mapping

from lighthouse.proposals.node import Folder, Leaf, Node
from lighthouse.proposals.overlay import Overlay
from lighthouse.shadow import Snapshot, merkle
from lighthouse.shadow.entry import FILE, FOLDER, Entry

FOLDER_MODE = 0o755
FILE_MODE = 0o644
EXECUTABLE = 0o100


def freeze(overlay: Overlay, seq: int, load: Callable[[bytes], Mapping[bytes, Entry]]) -> Snapshot:
    """What of `overlay` is kept by events. Costs time for the folders that changed; `load` reads the others.

    Modes are as the base has them, but for the owner's x; times too, where nothing else changed. So equal
    trees have equal hashes, whatever was opened, renamed to and fro or touched.
    """
    made: dict[bytes, Mapping[bytes, Entry]] = {}
    root = _freeze(overlay, overlay.root, made)
    base = overlay.base.root

    def entries(tree_hash: bytes) -> Mapping[bytes, Entry]:
        found = made.get(tree_hash)
        return load(tree_hash) if found is None else found

    if root is None:
        return Snapshot(seq, base, overlay.base.mtime_ns, load=load)
    return Snapshot(seq, root, overlay.root.mtime_ns, load=entries)


def _freeze(overlay: Overlay, folder: Folder, made: dict[bytes, Mapping[bytes, Entry]]) -> bytes | None:
    """The hash of a folder's tree; None where it is as the base has it."""
    kids = [kid for kid in folder.kids.values() if not (isinstance(kid, Leaf) and kid.pending)]
    changed = {kid.name: entry for kid in kids if (entry := _entry(overlay, kid, made)) is not None}
    if not changed and not folder.hidden and folder.origin is not None:
        return None
    entries = {entry.name: entry for entry in overlay.entries_of(folder)}
    for kid in kids:
        if kid.name not in changed:
            beneath = overlay.base.lookup((*(folder.origin or ()), kid.name))
            if beneath is not None:
                entries[kid.name] = beneath
    entries |= changed
    tree_hash, _ = merkle.encode(entries.values())
    made[tree_hash] = dict(sorted(entries.items()))
    return tree_hash


def _entry(overlay: Overlay, node: Node, made: dict[bytes, Mapping[bytes, Entry]]) -> Entry | None:
    """The entry of a node; None where the base has the same one at the same place."""
    if isinstance(node, Folder):
        tree_hash = _freeze(overlay, node, made)
        origin = None if node.origin is None else overlay.base.lookup(node.origin)
        if tree_hash is None and _in_place(node):
            return None
        if origin is None:
            return Entry(node.name, FOLDER, FOLDER_MODE, 0, node.mtime_ns, tree_hash or merkle.EMPTY_HASH)
        return Entry(
            node.name, FOLDER, origin.mode, 0, origin.mtime_ns, tree_hash or origin.hash, origin.mark
        )
    if not isinstance(node, Leaf) or not node.own:
        return None
    base = node.base
    if base is not None and node.hash == base.hash and not (node.mode ^ base.mode) & EXECUTABLE:
        return Entry(node.name, base.kind, base.mode, base.size, base.mtime_ns, base.hash, base.mark)
    return Entry(node.name, node.kind, _mode(node), node.size, node.mtime_ns, node.hash)


def _in_place(folder: Folder) -> bool:
    """Whether a folder lies where its parent would show it anyway."""
    if folder.origin is None or folder.parent is None or folder.parent.origin is None:
        return False
    return folder.origin == (*folder.parent.origin, folder.name)


def _mode(leaf: Leaf) -> int:
    if leaf.kind != FILE:
        return leaf.mode
    if leaf.base is not None and not (leaf.mode ^ leaf.base.mode) & EXECUTABLE:
        return leaf.base.mode
    return FILE_MODE | (0o111 if leaf.mode & EXECUTABLE else 0)
