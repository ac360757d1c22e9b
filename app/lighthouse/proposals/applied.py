"""Finds proposals that the project has come to match: whoever applied them need not say so."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from lighthouse.errors import LighthouseError
from lighthouse.proposals.patches import Patches
from lighthouse.proposals.proposal import Proposal
from lighthouse.shadow import FOLDER, Entry, Shadow, Snapshot, TreeChange
from lighthouse.shadow.diff import Change
from lighthouse.shadow.tree import Tree

EXECUTABLE = 0o100

log = logging.getLogger(__name__)


def matches(changes: Iterable[Change], project: Tree) -> bool:
    """Whether `project` has what the changes lead to, and there is at least one."""
    listed = list(changes)
    made = {change.path for change in listed if change.new is not None}
    for change in listed:
        if change.new is not None and not same(change.new, project.lookup(change.path)):
            return False
        left = change.old_path if change.op == "renamed" else change.path if change.new is None else None
        if left is not None and left not in made:
            there = project.lookup(left)
            if there is not None and there.kind != FOLDER:
                return False
    return bool(listed)


def same(one: Entry | None, other: Entry | None) -> bool:
    """Whether two entries are alike in kind, content and executability."""
    if one is None or other is None:
        return one is other
    if one.kind != other.kind or one.mark != other.mark:
        return False
    if one.kind == FOLDER:
        return True
    return one.hash == other.hash and (one.kind == "l" or not (one.mode ^ other.mode) & EXECUTABLE)


class Finder:
    """After each new version looks at the open proposals that touch what changed in it."""

    def __init__(
        self,
        shadow: Shadow,
        patches: Patches,
        opened: Callable[[], list[Proposal]],
        found: Callable[[Proposal, Snapshot], Awaitable[None]],
    ) -> None:
        self._shadow = shadow
        self._patches = patches
        self._opened = opened
        self._found = found
        self._waiting: set[Proposal] = set()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Follow the shadow, and look once at all: the project may have changed while nobody looked."""
        self._waiting.update(self._opened())
        self._wake.set()
        self._shadow.add_listener(self._follow)
        self._task = asyncio.get_running_loop().create_task(self._run(), name="proposals-applied")

    async def close(self) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None

    def _follow(self, change: TreeChange) -> None:
        for proposal in self._opened():
            overlay = proposal.overlay
            if overlay is not None and any(overlay.touches(path) for path, _ in change.paths):
                self._waiting.add(proposal)
        if self._waiting:
            self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                await self._look(self._waiting.pop())

    async def _look(self, proposal: Proposal) -> None:
        try:
            if proposal.overlay is None:
                return
            base, tree = proposal.overlay.base, self._patches.freeze(proposal)
            changes = await self._patches.changes(base, tree)
            if await asyncio.to_thread(matches, changes, self._shadow.current):
                await self._found(proposal, tree)
        except LighthouseError as error:
            log.warning("whether the proposal %s is applied cannot be found out: %s", proposal.name, error)
        except Exception:
            log.exception("whether the proposal %s is applied cannot be found out", proposal.name)
