"""The inode table against a model of the kernel: counts come out even, and no cached answer stays wrong."""

from collections.abc import Mapping
from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from lighthouse.mount.inodes import Inodes
from lighthouse.mount.invalidation import StaleListing, StaleName
from lighthouse.mount.nodes import Node, Nodes
from lighthouse.shadow import merkle
from lighthouse.shadow.entry import FILE, FOLDER, Entry
from lighthouse.shadow.snapshot import Snapshot

TOP = 2
NAMES = (b"a", b"b", b"c")
Tree = dict[bytes, Any]


def snapshot(tree: Tree, seq: int) -> Snapshot:
    """A real snapshot of a nested dictionary; a file is `(content, mode)`, a folder a dictionary."""
    trees: dict[bytes, Mapping[bytes, Entry]] = {}

    def store(folder: Tree) -> bytes:
        entries = {}
        for name, value in sorted(folder.items()):
            if isinstance(value, dict):
                entries[name] = Entry(name, FOLDER, 0o755, 0, len(value), store(value))
            else:
                content, mode = value
                entries[name] = Entry(name, FILE, mode, 1, 0, bytes([content]) * 32)
        digest, _ = merkle.encode(entries.values())
        trees[digest] = entries
        return digest

    root = store(tree)
    return Snapshot(seq, root, seq, load=trees.__getitem__)


def shown(tree: Snapshot) -> Nodes:
    """The nodes of a tree at the number TOP. Nothing is read in these tests."""
    return Nodes(tree, Inodes(), None, None, outer=1, number=TOP)


def look_up(nodes: Nodes, folder: Node, name: bytes) -> Node | None:
    """What a look-up answers, counted."""
    entry = nodes.children(folder).get(name)
    if entry is None:
        return None
    node = nodes.child(folder, entry)
    node.lookups += 1
    return node


contents = st.tuples(st.integers(1, 3), st.sampled_from([0o644, 0o755]))
trees = st.recursive(
    st.dictionaries(st.sampled_from(NAMES), contents, max_size=3),
    lambda inner: st.dictionaries(st.sampled_from(NAMES), inner | contents, max_size=3),
    max_leaves=12,
)


class Kernel(RuleBasedStateMachine):
    """Looks up, lists, forgets; caches names and attributes for ever, but for what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.seq = 1
        self.nodes = shown(snapshot({}, 1))
        self.inodes = self.nodes.top.nodes._inodes
        self.counts: dict[int, int] = {}
        self.names: dict[tuple[int, bytes], int] = {}
        self.attributes: dict[int, Entry] = {TOP: self.nodes.top.entry}
        self.listings: dict[int, dict[bytes, int]] = {}

    def learn(self, folder: int, name: bytes, node: Node) -> None:
        self.counts[node.number] = self.counts.get(node.number, 0) + 1
        self.names[folder, name] = node.number
        self.attributes[node.number] = node.entry

    def known(self, data: st.DataObject) -> Node:
        return self.inodes.known[data.draw(st.sampled_from(sorted({TOP, *self.counts})))]

    @rule(tree=trees)
    def change(self, tree: Tree) -> None:
        self.seq += 1
        for notice in self.nodes.update(snapshot(tree, self.seq)):
            if isinstance(notice, StaleName):
                self.names.pop((notice.folder, notice.name), None)
            else:
                self.attributes.pop(notice.inode, None)
                if isinstance(notice, StaleListing):
                    self.listings.pop(notice.inode, None)

    @rule(data=st.data(), name=st.sampled_from(NAMES))
    def look_up(self, data: st.DataObject, name: bytes) -> None:
        folder = self.known(data)
        if folder.entry.kind == FOLDER and (node := look_up(self.nodes, folder, name)) is not None:
            self.learn(folder.number, name, node)

    @rule(data=st.data(), room=st.integers(0, 3))
    def list_folder(self, data: st.DataObject, room: int) -> None:
        folder = self.known(data)
        if folder.entry.kind != FOLDER:
            return
        listing = {}
        for entry in self.nodes.children(folder).values():
            node = self.nodes.child(folder, entry)
            if room == 0:
                self.nodes.drop_unused(node)
                return
            room -= 1
            node.lookups += 1
            self.learn(folder.number, entry.name, node)
            listing[entry.name] = node.number
        self.listings[folder.number] = listing

    @precondition(lambda self: self.counts)
    @rule(data=st.data())
    def ask_attributes(self, data: st.DataObject) -> None:
        node = self.known(data)
        self.attributes[node.number] = node.entry

    @precondition(lambda self: self.counts)
    @rule(data=st.data())
    def evict(self, data: st.DataObject) -> None:
        inode = data.draw(st.sampled_from(sorted(self.counts)))
        self.names = {key: kept for key, kept in self.names.items() if kept != inode}
        self.attributes.pop(inode, None)
        self.inodes.forget(inode, self.counts.pop(inode))

    @invariant()
    def whatever_the_kernel_counts_is_known(self) -> None:
        for inode, count in self.counts.items():
            assert self.inodes.known[inode].lookups == count

    @invariant()
    def cached_names_and_attributes_are_true(self) -> None:
        current = self.nodes.tree
        reach: list[tuple[int, tuple[bytes, ...]]] = [(TOP, ())]
        while reach:
            inode, path = reach.pop()
            truth = current.lookup(path)
            assert truth is not None
            cached = self.attributes.get(inode, truth)
            assert (cached.kind, cached.mode, cached.mtime_ns) == (truth.kind, truth.mode, truth.mtime_ns)
            if truth.kind == FILE:
                assert cached.hash == truth.hash == self.inodes.known[inode].entry.hash
            if truth.kind == FOLDER and inode in self.listings:
                assert self.listings[inode].keys() == current.children(path).keys()
            reach += [((kid), (*path, name)) for (folder, name), kid in self.names.items() if folder == inode]

    def teardown(self) -> None:
        for inode, count in sorted(self.counts.items()):
            self.inodes.forget(inode, count)
        assert set(self.inodes.known) == {TOP}
        assert self.nodes.top.kids is None


Kernel.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestKernel = Kernel.TestCase


def test_numbers_are_never_used_twice() -> None:
    nodes = shown(snapshot({b"a": (1, 0o644)}, 1))
    seen = set()
    for seq in range(2, 20):
        node = look_up(nodes, nodes.top, b"a")
        assert node is not None
        seen.add(node.number)
        nodes.update(snapshot({b"a": (seq, 0o644)}, seq))
        nodes._inodes.forget(node.number, 1)
    assert len(seen) == 18


def test_a_folder_keeps_its_inode_and_a_file_whose_content_changes_does_not() -> None:
    nodes = shown(snapshot({b"a": {b"b": (1, 0o644)}}, 1))
    folder = look_up(nodes, nodes.top, b"a")
    assert folder is not None
    file = look_up(nodes, folder, b"b")
    nodes.update(snapshot({b"a": {b"b": (2, 0o644)}}, 2))
    assert look_up(nodes, nodes.top, b"a") is folder
    assert look_up(nodes, folder, b"b") is not file


def test_a_tree_deeper_than_recursion_goes() -> None:
    def nested(leaf: Any) -> Snapshot:
        trees = {}
        entry = Entry(b"a", FILE, 0o644, 1, 0, leaf)
        for _ in range(1200):
            digest, _ = merkle.encode([entry])
            trees[digest] = {b"a": entry}
            entry = Entry(b"a", FOLDER, 0o755, 0, 0, digest)
        return Snapshot(1, digest, 1, load=trees.__getitem__)

    nodes = shown(nested(b"1" * 32))
    node = nodes.top
    while node.entry.kind == FOLDER:
        entry = nodes.children(node)[b"a"]
        node = nodes.child(node, entry)
        node.lookups += 1
    notices = nodes.update(nested(b"2" * 32))
    assert [type(notice) for notice in notices] == [StaleName, StaleListing]
    assert node.gone
    kinds = [type(notice) for notice in nodes.update(snapshot({}, 3))]
    assert kinds.count(StaleName) == 1199
    assert kinds.count(StaleListing) == 1199 + 1
