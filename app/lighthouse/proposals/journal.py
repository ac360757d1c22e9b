"""Proposals in the log: what their events say, and how they are found again from them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence

import msgspec

from lighthouse.events import Draft, Event, EventStore, InvalidEvent, Query, StoreBusy
from lighthouse.proposals.edit import CannotApply, Edit, apply
from lighthouse.proposals.overlay import Overlay
from lighthouse.proposals.proposal import Closing, Proposal
from lighthouse.shadow import ContentMissing, Shadow

STREAM = "proposals"
CREATED = "proposal.created"
CHANGED = "proposal.changed"
REBASED = "proposal.rebased"
WITHDRAWN = "proposal.withdrawn"
APPLIED = "proposal.applied"

# An event holds at most 256 KiB; a change has a handful of edits, but two long names each.
log = logging.getLogger(__name__)


class Changed(msgspec.Struct):
    """The data of `proposal.changed`."""

    name: str
    uid: int
    edits: list[Edit]
    agent: str | None = None


def changed(proposal: Proposal, uid: int, edits: Sequence[Edit]) -> Draft:
    """The event that tells of `edits` by user `uid`."""
    data = {"name": proposal.name, "uid": uid, "edits": msgspec.to_builtins(list(edits))}
    agent = proposal.agent_of(uid)
    return Draft(CHANGED, data | ({"agent": agent} if agent else {}), STREAM)


async def store(store: EventStore, proposal: Proposal, draft: Draft, agent: str) -> Event:
    """Store an event about `proposal`; where it is in doubt whether that was done, note so."""
    try:
        (event,) = await store.append([draft], agent_id=agent)
    except (StoreBusy, InvalidEvent):
        raise
    except BaseException:
        proposal.unsure = True
        raise
    return event


def redo(proposal: Proposal, event: Event) -> None:
    """Do what a `proposal.changed` event tells."""
    told = msgspec.json.decode(event.data, type=Changed)
    for edit in told.edits:
        apply(proposal.tree, edit, told.uid)
    proposal.writers[told.uid] += 1
    proposal.last_seq = event.seq


async def events(store: EventStore, from_seq: int = 1) -> AsyncIterator[Event]:
    """All events about proposals, in their order."""
    cursor: str | None = None
    while True:
        page = await store.query(Query(stream=STREAM, from_seq=from_seq, limit=1000, cursor=cursor))
        for event in page.events:
            if event.type.startswith("proposal."):
                yield event
        cursor = page.next_cursor
        if cursor is None:
            return


async def restore(store: EventStore, shadow: Shadow, keep: Callable[[Proposal], None]) -> None:
    """Hand every proposal of the log to `keep` as soon as it appears; a later one of a name replaces it.

    One whose base or contents are lost is told in the log of the process, and left as far as it came.
    """
    known: dict[str, Proposal] = {}
    async for event in events(store):
        told = event.value
        name = told["name"]
        try:
            if event.type == CREATED:
                known[name] = await created(shadow, event)
                keep(known[name])
            elif (proposal := known.get(name)) is None or proposal.overlay is None:
                log.error("event %d is about no open proposal", event.seq)
            elif event.type == CHANGED:
                redo(proposal, event)
            elif event.type == REBASED:
                await rebased(shadow, proposal, event)
            elif event.type in (WITHDRAWN, APPLIED):
                close(proposal, event)
        except (CannotApply, ContentMissing) as error:
            log.error("event %d cannot be done again: %s", event.seq, error)  # noqa: TRY400


async def created(shadow: Shadow, event: Event) -> Proposal:
    """The proposal that a `proposal.created` event made."""
    told = event.value
    base = await asyncio.to_thread(shadow.open_tree, told["root"], told["mtime_ns"])
    return Proposal(
        name=told["name"],
        base=told["base"],
        title=told["title"],
        agent=told.get("agent"),
        uid=told.get("uid"),
        created_seq=event.seq,
        created_at=event.ts,
        overlay=Overlay(base),
        last_seq=event.seq,
    )


async def rebased(shadow: Shadow, proposal: Proposal, event: Event) -> None:
    """Put a proposal on another version, with the edits that the event names."""
    told = event.value
    base = await asyncio.to_thread(shadow.open_tree, told["root"], told["mtime_ns"])
    size = await asyncio.to_thread(shadow.content_size, bytes.fromhex(told["edits"]))
    kept = await asyncio.to_thread(shadow.read, bytes.fromhex(told["edits"]), 0, size)
    overlay = Overlay(base)
    for edit in msgspec.json.decode(kept, type=list[Edit]):
        apply(overlay, edit)
    proposal.overlay, proposal.base, proposal.last_seq = overlay, told["base"], event.seq


def close(proposal: Proposal, event: Event) -> None:
    """Note how a proposal ended, and let go of its tree."""
    told = event.value
    proposal.closing = Closing(
        seq=event.seq,
        at=event.ts,
        agent_id=event.agent_id,
        reason=told.get("by") or told.get("reason") or "",
        patch=bytes.fromhex(told["patch"]),
        files=bytes.fromhex(told["files"]),
    )
    proposal.state = "applied" if event.type == APPLIED else "withdrawn"
    proposal.overlay = None
    proposal.last_seq = event.seq
