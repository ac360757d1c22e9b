"""What a proposal changes: as a list of files, and as a patch that `git apply` takes."""

import asyncio
import os
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal, ParamSpec, TypeVar

import msgspec

from lighthouse.paths import to_json
from lighthouse.proposals.edit import KIND_NAMES, KindName
from lighthouse.proposals.errors import NoSuchProposal
from lighthouse.proposals.proposal import Proposal
from lighthouse.proposals.scratch import Scratch
from lighthouse.proposals.tree import freeze
from lighthouse.shadow import Entry, Shadow, Snapshot
from lighthouse.shadow.diff import Change, changes
from lighthouse.shadow.patch import unified
from lighthouse.shadow.tree import Tree

THREADS = 2

P = ParamSpec("P")
T = TypeVar("T")


class ChangedFile(msgspec.Struct, omit_defaults=True):
    """One file or link that a proposal changes. Modes are octal text; `old_path` is where it was before.

    `uid`: who changed it last; not known of what is gone.
    """

    path: str
    op: Literal["created", "modified", "deleted", "renamed", "mode"]
    kind: KindName
    size: int
    path_b64: str | None = None
    old_path: str | None = None
    old_path_b64: str | None = None
    old_mode: str | None = None
    mode: str | None = None
    hash: str | None = None
    uid: int | None = None


class Patch:
    """The text of a patch: `read(offset, size)` gives a piece of it, from any thread, until `close`."""

    def __init__(self, size: int, read: Callable[[int, int], bytes], close: Callable[[], None]) -> None:
        self.size = size
        self.read = read
        self.close = close


class Rendered:
    """The last patch of an open proposal, in a file without a name. `fd` is -1 before the first one."""

    __slots__ = ("fd", "mtime_ns", "revision", "size", "turn")

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.fd = -1
        self.revision = -1
        self.size = 0
        self.mtime_ns = 0


class Patches:
    """Makes lists and patches of open proposals; a patch is made anew only once the proposal changed."""

    def __init__(self, shadow: Shadow, scratch: Scratch) -> None:
        self._shadow = shadow
        self._scratch = scratch
        self._rendered: dict[Proposal, Rendered] = {}
        # Its own, for a large patch takes long and writers must not wait for it.
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="patches")

    def freeze(self, proposal: Proposal) -> Snapshot:
        """The proposal's tree as it is kept now; on the event loop."""
        return freeze(proposal.tree, proposal.base, self._load)

    async def files(self, proposal: Proposal) -> list[ChangedFile]:
        """What an open proposal changes, in the order of the paths."""
        tree = proposal.tree
        found = await self.changes(tree.base, self.freeze(proposal))
        return [_described(change, tree.author(change.path)) for change in found]

    async def changes(self, base: Tree, tree: Tree) -> list[Change]:
        """What differs between two trees, file by file."""
        return await self._run(changes, base, tree, self.read)

    async def rendered(self, proposal: Proposal) -> Rendered:
        """The patch as it is now. Do not close what it holds, but open it: see `open`."""
        kept = self._rendered.setdefault(proposal, Rendered())
        async with kept.turn:
            if proposal.overlay is not None and kept.revision != proposal.overlay.revision:
                revision = proposal.overlay.revision
                path = await self.write(proposal)
                fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                path.unlink()
                if self._rendered.get(proposal) is not kept:
                    os.close(fd)  # it ended meanwhile, and nobody would
                    return kept
                if kept.fd >= 0:
                    os.close(kept.fd)
                kept.fd, kept.size, kept.revision = fd, os.fstat(fd).st_size, revision
                kept.mtime_ns = time.time_ns()
        return kept

    async def open(self, proposal: Proposal) -> Patch:
        """The patch of an open proposal as it is now; it stays so until it is closed.

        Raises NoSuchProposal where it ends meanwhile.
        """
        kept = await self.rendered(proposal)
        if kept.fd < 0:
            raise NoSuchProposal(f"the proposal {proposal.name} has ended just now", "ask again")
        fd = os.dup(kept.fd)
        return Patch(kept.size, lambda offset, size: os.pread(fd, size, offset), lambda: os.close(fd))

    def kept(self, digest: bytes) -> Patch:
        """The patch of an ended proposal. Raises ContentMissing."""
        size = self._shadow.content_size(digest)
        return Patch(size, lambda offset, length: self._shadow.read(digest, offset, length), lambda: None)

    async def write(self, proposal: Proposal) -> Path:
        """The patch of an open proposal in a scratch file, which is the caller's."""
        base, tree = proposal.tree.base, self.freeze(proposal)
        path = self._scratch.new_path()
        await self._run(self._write, base, tree, path)
        return path

    def forget(self, proposal: Proposal) -> None:
        """Let go of the patch of a proposal that has ended."""
        kept = self._rendered.pop(proposal, None)
        if kept is not None and kept.fd >= 0:
            os.close(kept.fd)
            kept.fd = -1

    def close(self) -> None:
        """Let go of all, and end the threads."""
        self._threads.shutdown(wait=True)
        for proposal in list(self._rendered):
            self.forget(proposal)

    def read(self, entry: Entry, offset: int, size: int) -> bytes:
        """A piece of a content, as diffs want it."""
        return self._shadow.read(entry.hash, offset, size)

    async def _run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.wrap_future(self._threads.submit(function, *args, **kwargs))

    def _write(self, base: Tree, tree: Tree, path: Path) -> None:
        try:
            write_file(path, unified(changes(base, tree, self.read), self.read))
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def _load(self, tree_hash: bytes) -> Mapping[bytes, Entry]:
        return self._shadow.open_tree(tree_hash).children(())


def write_file(path: Path, pieces: Iterable[bytes]) -> None:
    """A new file, mode 0600, of these pieces."""
    path.touch(mode=0o600, exist_ok=False)
    with path.open("wb") as file:
        file.writelines(pieces)


def _described(change: Change, uid: int | None) -> ChangedFile:
    entry = change.new or change.old
    assert entry is not None  # noqa: S101  (a change has at least one side)
    told = to_json(change.path)
    old = {} if change.old_path is None else to_json(change.old_path)
    return ChangedFile(
        path=told["path"],
        path_b64=told.get("path_b64"),
        op=change.op,
        kind=KIND_NAMES[entry.kind],
        size=entry.size,
        old_path=old.get("path"),
        old_path_b64=old.get("path_b64"),
        old_mode=None if change.old is None else f"{change.old.mode:04o}",
        mode=None if change.new is None else f"{change.new.mode:04o}",
        hash=None if change.new is None else change.new.hex,
        uid=None if change.new is None else uid,
    )
