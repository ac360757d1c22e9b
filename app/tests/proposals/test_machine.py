"""Random changes of a proposal and of a plain folder: both hold the same, and the log leads there again."""

import asyncio
import errno
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lighthouse.keys import KeyRing
from lighthouse.proposals import Proposal
from lighthouse.proposals.node import Folder, Leaf, Node
from lighthouse.proposals.overlay import Overlay
from tests.proposals.conftest import ME, Room, fill, on_disk, run

NAMES = st.sampled_from(["a", "b", "c", "x", "y", "one"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
CONTENTS = st.binary(max_size=300)


class Machine(RuleBasedStateMachine):
    """Each rule is done to both; either both refuse it with the same errno, or neither does."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = Path(tempfile.mkdtemp())
        self._loop = asyncio.new_event_loop()
        project, self._disk = self._folder / "project", self._folder / "disk"
        project.mkdir()
        fill(project)
        shutil.copytree(project, self._disk, symlinks=True)
        self._room = Room(project, self._folder / "state", KeyRing(b"x" * 32))
        run(self._loop, self._room.start())
        self._proposal: Proposal

    @initialize()
    def begin(self) -> None:
        self._proposal = run(self._loop, self._room.proposals.create("p", agent="ann"))

    def teardown(self) -> None:
        run(self._loop, self._room.close())
        self._loop.close()
        shutil.rmtree(self._folder)

    def _both(self, ours: Any, theirs: Any) -> None:
        def outcome(call: Any) -> int | None:
            try:
                call()
            except OSError as error:
                return error.errno or errno.ENOENT
            return None

        assert outcome(lambda: run(self._loop, ours())) == outcome(theirs)

    def _has_link(self, path: str) -> bool:
        """The kernel follows links on the way, the editor is never asked to."""
        parts = path.split("/")
        return any((self._disk / "/".join(parts[:n])).is_symlink() for n in range(1, len(parts)))

    @rule(path=PATHS, content=CONTENTS)
    def write(self, path: str, content: bytes) -> None:
        if self._has_link(path) or (self._disk / path).is_symlink():
            return
        self._both(
            lambda: self._room.write(self._proposal, path, content),
            lambda: (self._disk / path).write_bytes(content),
        )

    @rule(path=PATHS, content=CONTENTS, at=st.integers(0, 400))
    def write_in_place(self, path: str, content: bytes, at: int) -> None:
        if self._has_link(path) or not (self._disk / path).is_file() or (self._disk / path).is_symlink():
            return
        run(self._loop, self._room.write(self._proposal, path, content, at=at))
        if content:
            with (self._disk / path).open("r+b") as file:
                file.seek(at)
                file.write(content)

    @rule(path=PATHS)
    def make_folder(self, path: str) -> None:
        async def ours() -> None:
            place = self._room.place(self._proposal, path)
            await self._room.proposals.editor.make_folder(self._proposal, *place, 0o755, ME)

        if not self._has_link(path):
            self._both(ours, (self._disk / path).mkdir)

    @rule(path=PATHS, to=NAMES)
    def make_link(self, path: str, to: str) -> None:
        async def ours() -> None:
            place = self._room.place(self._proposal, path)
            await self._room.proposals.editor.make_link(self._proposal, *place, to.encode(), ME)

        if not self._has_link(path):
            self._both(ours, lambda: (self._disk / path).symlink_to(to))

    @rule(path=PATHS, a_folder=st.booleans())
    def remove(self, path: str, a_folder: bool) -> None:
        async def ours() -> None:
            place = self._room.place(self._proposal, path)
            await self._room.proposals.editor.remove(self._proposal, *place, ME, a_folder=a_folder)

        if not self._has_link(path):
            self._both(ours, (self._disk / path).rmdir if a_folder else (self._disk / path).unlink)

    @rule(old=PATHS, new=PATHS)
    def rename(self, old: str, new: str) -> None:
        async def ours() -> None:
            places = self._room.place(self._proposal, old), self._room.place(self._proposal, new)
            await self._room.proposals.editor.rename(self._proposal, *places, ME)

        # A folder that is named as it and as what lies in it at once: the kernel answers before it asks.
        if not (self._has_link(old) or self._has_link(new) or old.startswith(f"{new}/")):
            self._both(ours, lambda: (self._disk / old).rename(self._disk / new))

    @rule(path=PATHS, executable=st.booleans())
    def chmod(self, path: str, executable: bool) -> None:
        disk = self._disk / path
        if self._has_link(path) or disk.is_symlink() or not disk.is_file():
            return
        mode = 0o755 if executable else 0o644
        disk.chmod(mode)
        node = self._room.find(self._proposal, path)
        assert node is not None
        run(self._loop, self._room.proposals.editor.set_attributes(self._proposal, node, ME, mode=mode))

    @precondition(lambda self: hasattr(self, "_proposal"))
    @rule()
    def restart(self) -> None:
        run(self._loop, self._room.again())
        self._proposal = self._room.proposals.get("p")

    @invariant()
    def same_as_on_disk(self) -> None:
        if hasattr(self, "_proposal"):
            assert run(self._loop, self._room.picture(self._proposal)) == on_disk(self._disk)

    @invariant()
    def the_counts_are_right(self) -> None:
        if hasattr(self, "_proposal"):
            check_counts(self._proposal.tree)

    @invariant()
    def the_kept_tree_is_the_same(self) -> None:
        if not hasattr(self, "_proposal"):
            return
        tree = self._room.proposals.patches.freeze(self._proposal)
        found = {}
        left: list[tuple[bytes, ...]] = [()]
        while left:
            path = left.pop()
            for name, entry in tree.children(path).items():
                where = b"/".join((*path, name)).decode()
                if entry.kind == "d":
                    left.append((*path, name))
                    found[where] = "d", False, b""
                else:
                    x = entry.kind == "f" and bool(entry.mode & 0o100)
                    found[where] = entry.kind, x, self._room.shadow.read(entry.hash, 0, entry.size)
        assert found == on_disk(self._disk)


def check_counts(overlay: Overlay) -> None:
    """Entries and bytes are what a walk over all nodes counts."""
    entries = size = 0
    left: list[Node] = [overlay.root]
    while left:
        node = left.pop()
        entries += node.own
        assert not node.gone
        if isinstance(node, Folder):
            entries += len(node.hidden)
            for name, kid in node.kids.items():
                assert (kid.name, kid.parent) == (name, node)
                left.append(kid)
        elif isinstance(node, Leaf):
            size += node.own_bytes
            assert node.charged == node.own_bytes
    assert (overlay.entries, overlay.bytes) == (entries, size)


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)


@pytest.mark.soak
@pytest.mark.timeout(1800)
class TestLongMachine(Machine.TestCase):
    """The same for longer."""


TestLongMachine.settings = settings(max_examples=250, stateful_step_count=50, deadline=None)
