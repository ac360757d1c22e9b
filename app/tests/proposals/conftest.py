"""Proposals of a small project, without a mount: what the kernel would ask for is asked of the editor."""

import asyncio
import errno
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from lighthouse.config import Settings
from lighthouse.events import Event, EventStore, Query
from lighthouse.proposals import Proposal, Proposals
from lighthouse.proposals.node import Folder, Leaf, Node
from lighthouse.shadow import Shadow

ME = 1000


class Room:
    """A project, its log and shadow, and the proposals; paths are text with slashes."""

    def __init__(self, project: Path, state: Path, keyring: Any, **settings: Any) -> None:
        self.project = project
        self.settings = Settings(project_path=project, **settings)
        self.store = EventStore.open(state, keyring)
        self.shadow = Shadow(project, state, self.store, self.settings)
        self.proposals = Proposals(self.shadow, self.store, self.settings)

    async def start(self) -> None:
        await self.shadow.start()
        await self.proposals.start()

    async def close(self) -> None:
        await self.proposals.close()
        await self.shadow.close()
        await self.store.close()

    async def again(self) -> None:
        """The proposals anew, from the log."""
        await self.proposals.close()
        self.proposals = Proposals(self.shadow, self.store, self.settings)
        await self.proposals.start()

    async def changes(self) -> list[Event]:
        """What the log tells of changes."""
        return (await self.store.query(Query(type="proposal.changed", limit=1000))).events

    def find(self, proposal: Proposal, path: str) -> Node | None:
        return proposal.tree.find(_names(path))

    def place(self, proposal: Proposal, path: str) -> tuple[Folder, bytes]:
        """The folder and the name of a path; ENOENT and ENOTDIR as the kernel tells them."""
        *folders, name = _names(path)
        node: Node | None = proposal.tree.root
        for step in folders:
            node = proposal.tree.lookup(node, step) if isinstance(node, Folder) else None
            if not isinstance(node, Folder):
                raise OSError(errno.ENOENT if node is None else errno.ENOTDIR, path)
        assert isinstance(node, Folder)
        return node, name

    async def write(self, proposal: Proposal, path: str, content: bytes, *, at: int | None = None) -> None:
        """Write a whole file, or in place from byte `at` on."""
        editor = self.proposals.editor
        leaf = self.find(proposal, path)
        if leaf is None:
            leaf = await editor.create(proposal, *self.place(proposal, path), 0o644, ME)
        elif isinstance(leaf, Leaf):
            await editor.open(leaf, proposal, write=True, empty=at is None)
        else:
            raise OSError(errno.EISDIR, path)
        try:
            await editor.write(proposal, leaf, at or 0, content)
            await editor.save(proposal, leaf, ME)
        finally:
            assert await editor.release(proposal, leaf, ME)

    async def read(self, leaf: Leaf) -> bytes:
        found = await self.proposals.editor.read(leaf, 0, 1 << 30)
        return self.shadow.read(leaf.hash, 0, leaf.size) if found is None else found

    async def picture(self, proposal: Proposal) -> dict[str, tuple[str, bool, bytes]]:
        """Every path with its kind, whether it is executable, and its content."""
        found: dict[str, tuple[str, bool, bytes]] = {}
        tree = proposal.tree
        left: list[tuple[str, Folder]] = [("", tree.root)]
        while left:
            above, folder = left.pop()
            for name in tree.names(folder):
                node = tree.lookup(folder, name)
                path = above + name.decode()
                if isinstance(node, Folder):
                    found[path] = "d", False, b""
                    left.append((path + "/", node))
                elif isinstance(node, Leaf):
                    x = node.kind == "f" and bool(node.mode & 0o100)
                    found[path] = node.kind, x, await self.read(node)
        return found


def _names(path: str) -> tuple[bytes, ...]:
    return tuple(name.encode() for name in path.split("/") if name)


def on_disk(root: Path) -> dict[str, tuple[str, bool, bytes]]:
    """The same picture of a plain folder."""
    found: dict[str, tuple[str, bool, bytes]] = {}
    for path in root.rglob("*"):
        where = str(path.relative_to(root))
        if path.is_symlink():
            found[where] = "l", False, str(path.readlink()).encode()
        elif path.is_dir():
            found[where] = "d", False, b""
        else:
            found[where] = "f", bool(path.stat().st_mode & 0o100), path.read_bytes()
    return found


def fill(root: Path) -> None:
    """A small project."""
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "one").write_text("one\n")
    (root / "a" / "b" / "two").write_text("two\n")
    (root / "c").mkdir()
    (root / "c" / "run").write_text("#!/bin/sh\n")
    (root / "c" / "run").chmod(0o755)
    (root / "x").write_text("x\ny\nz\n")
    (root / "y").symlink_to("x")


MakeRoom = Callable[..., Any]


@pytest.fixture
async def make_room(tmp_path: Path, keyring: Any) -> AsyncIterator[MakeRoom]:
    """`await make_room(**settings)`: started, over a small project."""
    async with AsyncExitStack() as stack:

        async def make(**settings: Any) -> Room:
            project = tmp_path / "project"
            project.mkdir()
            fill(project)
            room = Room(project, tmp_path / "state", keyring, **settings)
            await room.start()
            stack.push_async_callback(room.close)
            return room

        yield make


@pytest.fixture
async def room(make_room: MakeRoom) -> Room:
    """Proposals of a small project."""
    room: Room = await make_room()
    return room


def run(loop: asyncio.AbstractEventLoop, work: Any) -> Any:
    """What a coroutine returns, for tests that are no coroutines themselves."""
    return loop.run_until_complete(work)
