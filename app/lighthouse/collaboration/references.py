"""What somebody points to in a session: a proposal with its patch as it is then, or a note on an anchor."""

import asyncio
from typing import Any

import msgspec

from lighthouse.annotations import Annotation, Annotations, Target, told
from lighthouse.collaboration.errors import BadSuggestion
from lighthouse.proposals import NoSuchProposal, Proposals
from lighthouse.shadow import ContentMissing, NoSuchVersion, Shadow
from lighthouse.validation.bounded import without_tokens

MAX_PATCH = 1024 * 1024
CATEGORY = "suggestion"

Reference = str | Target
"""A proposal's name, or where a note shall be."""


class Kept(msgspec.Struct, frozen=True):
    """A proposal in an event: after its event `seq` its patch had this SHA-256 and so many bytes."""

    name: str
    seq: int
    patch: str
    bytes: int


class References:
    """Keeps what is pointed to such that it can be shown later as it was."""

    def __init__(self, shadow: Shadow, proposals: Proposals, annotations: Annotations) -> None:
        self._shadow = shadow
        self._proposals = proposals
        self._annotations = annotations

    async def keep(self, reference: Reference, text: str, agent_id: str) -> dict[str, Any]:
        """What the event says of it; on return the patch, or the note that says `text`, is on disk.

        Raises NoSuchProposal, BadSuggestion, and what annotating and the store raise.
        """
        if isinstance(reference, str):
            return {"proposal": msgspec.to_builtins(await self._keep_patch(reference))}
        said = without_tokens({"text": text})["text"]
        _, placed = await self._annotations.annotate(reference, said, category=CATEGORY, agent_id=agent_id)
        return {"note": placed.note.id}

    def moved_on(self, name: str, seq: int | None) -> bool:
        """Whether the proposal was edited, rebased or ended after its event `seq`."""
        proposal = self._proposals.opened(name)
        return proposal is None or proposal.last_seq != seq

    async def patch(self, kept: dict[str, Any]) -> bytes | None:
        """The patch as it was kept; None where it is lost."""
        digest = bytes.fromhex(kept["patch"])
        try:
            return await asyncio.to_thread(self._shadow.read, digest, 0, kept["bytes"])
        except ContentMissing:
            return None

    async def note(self, note_id: str, seq: int) -> Annotation | None:
        """The note as it stood when event `seq` was the last one; None where that version is lost."""
        try:
            placed = await self._annotations.stood(note_id, seq)
        except (ContentMissing, NoSuchVersion):
            return None
        return None if placed is None else told(placed)

    async def _keep_patch(self, name: str) -> Kept:
        proposal = self._proposals.opened(name)
        if proposal is None:
            raise NoSuchProposal(f"there is no open proposal {name[:100]!r}", "see lighthouse proposal list")
        seq = proposal.last_seq
        patch = await self._proposals.patch(proposal)
        try:
            if patch.size == 0:
                raise BadSuggestion(f"the proposal {name} changes nothing", "edit its files first")
            if patch.size > MAX_PATCH:
                raise BadSuggestion(
                    f"the patch of {name} has {patch.size} bytes", f"suggest parts of at most {MAX_PATCH}"
                )
            text = await asyncio.to_thread(patch.read, 0, patch.size)
        finally:
            patch.close()
        digest = await self._shadow.keep(text)
        return Kept(name, seq, digest.hex(), len(text))
