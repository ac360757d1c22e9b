"""All proposals of an installation: made, listed, put on the present, ended; found again from the log."""

import asyncio
import logging
import re
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import structs

from lighthouse.config import Settings
from lighthouse.events import BRIDGE, Draft, EventStore
from lighthouse.proposals import journal
from lighthouse.proposals.applied import Finder
from lighthouse.proposals.editor import Editor
from lighthouse.proposals.errors import (
    BadProposal,
    NoSuchProposal,
    NotYours,
    OverQuota,
    ProposalBusy,
    ProposalTaken,
)
from lighthouse.proposals.overlay import Overlay
from lighthouse.proposals.patches import ChangedFile, Patch, Patches
from lighthouse.proposals.proposal import Proposal
from lighthouse.proposals.rebase import Rebase, Trees
from lighthouse.proposals.rules import Limits
from lighthouse.proposals.scratch import Scratch
from lighthouse.shadow import Shadow, Snapshot

PATCH = ".patch"
MAX_OPEN = 64
# Nodes cost about half a KiB each.
MAX_ENTRIES = 100_000
MAX_CLOSED = 1000
MAX_TITLE = 200
MAX_UID = 2**32 - 2
FOUND = "found"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,99}")

Listener = Callable[[Proposal, Overlay | None], None]

log = logging.getLogger(__name__)


class Proposals:
    """`start` and `close` once each, after the shadow's start and before its close, on its event loop.

    `editor` changes files in open proposals. Ended ones are kept by name until that is used again, the last
    1,000 of them.
    """

    def __init__(self, shadow: Shadow, store: EventStore, settings: Settings) -> None:
        self._shadow = shadow
        self._store = store
        self._known: dict[str, Proposal] = {}
        self._turn = asyncio.Lock()
        self._listeners: list[Listener] = []
        self._most_entries = max(MAX_ENTRIES, settings.proposal_max_entries)
        limits = Limits(settings.proposal_max_bytes, settings.proposal_max_entries, self._spare)
        self._scratch = Scratch(store.folder, shadow)
        self.editor = Editor(shadow, store, self._scratch, limits)
        self.patches = Patches(shadow, self._scratch)
        self._finder = Finder(shadow, self.patches, self._open, self._found)

    @property
    def folder(self) -> Path:
        """Where what is being written lies."""
        return self._scratch.folder

    async def start(self) -> None:
        """Take up what the log holds, and follow the project."""
        self._scratch.start()
        await journal.restore(self._store, self._shadow, self._keep)
        self._finder.start()

    async def close(self) -> None:
        """Stop following. What was written and not saved is thrown away."""
        await self._finder.close()
        self._scratch.close()
        self.patches.close()

    def add_listener(self, callback: Listener) -> None:
        """Call `callback(proposal, before)` on the event loop when a proposal came, went or was rebased.

        `before` is the tree that it had and has no longer, if it had one.
        """
        self._listeners.append(callback)

    def all(self) -> list[Proposal]:
        """Every proposal, the oldest first."""
        return sorted(self._known.values(), key=lambda proposal: proposal.created_seq)

    def get(self, name: str) -> Proposal:
        """The proposal of that name, open or the last ended one. Raises NoSuchProposal."""
        proposal = self._known.get(name)
        if proposal is None:
            raise NoSuchProposal(f"there is no proposal {name[:100]!r}", "see lighthouse proposal list")
        return proposal

    def opened(self, name: str) -> Proposal | None:
        """The open proposal of that name."""
        proposal = self._known.get(name)
        return proposal if proposal is not None and proposal.overlay is not None else None

    async def create(
        self,
        name: str,
        base: str | None = None,
        title: str = "",
        *,
        agent: str | None = None,
        uid: int | None = None,
    ) -> Proposal:
        """A new proposal on the version that the moment `base` means; on return it is on disk.

        `agent` made it over the API, and what user `uid` does in it is the agent's; or `uid` made it by
        mkdir.
        Raises BadProposal, ProposalTaken, OverQuota, and what `Shadow.moment` and the event store raise.
        """
        _check(name, title, uid)
        async with self._turn:
            if self.opened(name) is not None:
                raise ProposalTaken(f"there is a proposal {name} already", "choose another name")
            if len(self._open()) >= MAX_OPEN:
                raise OverQuota(f"{MAX_OPEN} proposals are open", "withdraw one that is not needed")
            version = await asyncio.to_thread(self._shadow.moment, base)
            data = {
                "name": name,
                "base": version.seq,
                "root": version.root.hex(),
                "mtime_ns": version.mtime_ns,
                "title": title,
            }
            data |= {} if agent is None else {"agent": agent}
            data |= {} if uid is None else {"uid": uid}
            (event,) = await self._store.append(
                [Draft(journal.CREATED, data, journal.STREAM)], agent_id=agent or BRIDGE
            )
            proposal = await journal.created(self._shadow, event)
            self._keep(proposal)
        self._tell(proposal, None)
        return proposal

    async def changes(self, proposal: Proposal) -> list[ChangedFile]:
        """What the proposal changes, as kept on disk; of an ended one, what it changed."""
        if proposal.closing is not None:
            kept = await asyncio.to_thread(self._read, proposal.closing.files)
            files: list[ChangedFile] = msgspec.json.decode(kept, type=list[ChangedFile])
            return files
        return await self.patches.files(proposal)

    async def patch(self, proposal: Proposal) -> Patch:
        """The proposal as a patch; `close` it in the end."""
        if proposal.closing is not None:
            return await asyncio.to_thread(self.patches.kept, proposal.closing.patch)
        return await self.patches.open(proposal)

    async def behind(self, proposal: Proposal) -> int:
        """How many versions of the project came after the one it is based on; 0 for an ended one."""
        if proposal.overlay is None or proposal.base == self._shadow.current.seq:
            return 0
        return await asyncio.to_thread(self._shadow.versions_after, proposal.base)

    def check_owner(self, proposal: Proposal, agent: str, *, rules: bool) -> None:
        """Raise NotYours unless `agent` made it, or may rule over all."""
        if not rules and proposal.agent != agent:
            raise NotYours(f"the proposal {proposal.name} is another's", "ask who made it, or an operator")

    async def rebase(self, name: str, *, agent: str) -> Proposal:
        """Put a proposal on the present version, its changes merged with the project's.

        Raises NoSuchProposal, ProposalBusy while files are open for writing, ProposalConflict with the files
        that cannot be merged, OverQuota; nothing is changed then.
        """
        proposal = self._opened(name)
        async with proposal.turn:
            before = self._idle(proposal)
            present = self._shadow.current
            if present.seq == proposal.base:
                return proposal
            mine = self.patches.freeze(proposal)
            changes = await self.patches.changes(before.base, mine)
            self._check_room(before, sum(change.new is not None for change in changes))
            trees = Trees(before.base, mine, present)
            merged = await Rebase(self._shadow, trees, time.time_ns()).merged(changes)
            self._check_room(before, sum(edit.op != "deleted" for edit in merged))
            told = [structs.replace(one, uid=before.author(one.where)) for one in merged]
            kept = await self._shadow.keep(msgspec.json.encode(told))
            data = {
                "name": name,
                "base": present.seq,
                "root": present.root.hex(),
                "mtime_ns": present.mtime_ns,
                "previous": proposal.base,
                "edits": kept.hex(),
            }
            # Between here and the answer nobody writes: files open for writing need this turn to be saved.
            self._idle(proposal)
            draft = Draft(journal.REBASED, data, journal.STREAM)
            event = await journal.store(self._store, proposal, draft, agent)
            await journal.rebased(self._shadow, proposal, event)
        self._tell(proposal, before)
        return proposal

    async def withdraw(self, name: str, *, agent: str, reason: str = "") -> Proposal:
        """End a proposal that shall not be applied. Raises NoSuchProposal."""
        return await self._end(self._opened(name), journal.WITHDRAWN, agent, {"reason": reason})

    async def applied(self, name: str, *, agent: str) -> Proposal:
        """End a proposal that was applied. Raises NoSuchProposal."""
        return await self._end(self._opened(name), journal.APPLIED, agent, {"by": agent})

    async def _found(self, proposal: Proposal, tree: Snapshot) -> None:
        """The project matches `tree`, which is how the proposal was when that was found."""
        async with proposal.turn:
            overlay = proposal.overlay
            if overlay is None or self.editor.unsaved(overlay):
                return  # somebody is at work there: it is going to be another one
            if self.patches.freeze(proposal).root != tree.root:
                return
        await self._end(proposal, journal.APPLIED, BRIDGE, {"by": FOUND, "version": self._shadow.current.seq})

    async def _end(self, proposal: Proposal, kind: str, agent: str, more: dict[str, object]) -> Proposal:
        async with proposal.turn:
            before = proposal.overlay
            if before is None:
                raise NoSuchProposal(f"the proposal {proposal.name} is {proposal.state}", "it has ended")
            files = await self.patches.files(proposal)
            kept = await self._shadow.keep(msgspec.json.encode(files))
            patch = await self.patches.write(proposal)
            try:
                digest, _ = await self._shadow.keep_file(patch)
            finally:
                patch.unlink()
            data = {"name": proposal.name, "patch": digest.hex(), "files": kept.hex(), **more}
            draft = Draft(kind, data, journal.STREAM)
            event = await journal.store(self._store, proposal, draft, agent)
            journal.close(proposal, event)
        self.patches.forget(proposal)
        self._trim()
        self._tell(proposal, before)
        return proposal

    def _opened(self, name: str) -> Proposal:
        proposal = self.get(name)
        if proposal.overlay is None:
            raise NoSuchProposal(f"the proposal {name} is {proposal.state}", "make a new one")
        return proposal

    def _idle(self, proposal: Proposal) -> Overlay:
        overlay = proposal.overlay
        if overlay is None:
            raise NoSuchProposal(f"the proposal {proposal.name} is {proposal.state}", "make a new one")
        if self.editor.unsaved(overlay):
            raise ProposalBusy(f"files of {proposal.name} are being written", "close them, then try again")
        return overlay

    def _check_room(self, before: Overlay, made: int) -> None:
        """A renamed folder takes little room, but each file in it is an entry after a rebase."""
        limits = self.editor.limits
        if made > min(limits.entries, limits.spare() + before.entries):
            raise OverQuota(
                f"{made} files and folders would be entries of their own", "rename or change fewer of them"
            )

    def _open(self) -> list[Proposal]:
        return [proposal for proposal in self._known.values() if proposal.overlay is not None]

    def _spare(self) -> int:
        used = sum(proposal.overlay.entries for proposal in self._known.values() if proposal.overlay)
        return self._most_entries - used

    def _keep(self, proposal: Proposal) -> None:
        self._known[proposal.name] = proposal
        self._trim()

    def _trim(self) -> None:
        closed = [proposal for proposal in self._known.values() if proposal.closing is not None]
        closed.sort(key=lambda proposal: proposal.last_seq)
        for proposal in closed[: max(0, len(closed) - MAX_CLOSED)]:
            del self._known[proposal.name]

    def _read(self, content: bytes) -> bytes:
        return self._shadow.read(content, 0, self._shadow.content_size(content))

    def _tell(self, proposal: Proposal, before: Overlay | None) -> None:
        for listener in self._listeners:
            try:
                listener(proposal, before)
            except Exception:
                log.exception("a listener failed at the proposal %s", proposal.name)


def check_name(name: str) -> None:
    """Raise BadProposal unless a proposal can be called so: NAME.patch beside it must be free, too."""
    if not _NAME.fullmatch(name):
        raise BadProposal(
            "that cannot be a proposal's name",
            "begin with a letter, then at most 99 letters, digits and . _ -",
        )
    if name.endswith(PATCH):
        raise BadProposal(f"names that end in {PATCH} are those of the patches", "choose another name")


def _check(name: str, title: str, uid: int | None) -> None:
    check_name(name)
    if len(title) > MAX_TITLE or not (title.isprintable() or not title):
        raise BadProposal(f"the title is not at most {MAX_TITLE} printable characters", "shorten it")
    if uid is not None and not 0 <= uid <= MAX_UID:
        raise BadProposal("that is no user's number", "send the uid of who will edit in the mount")
