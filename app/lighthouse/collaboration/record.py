"""The record of a session as it is replayed: its events, with what they point to as it was then."""

from typing import Any

import msgspec

from lighthouse.annotations import Annotation
from lighthouse.collaboration import journal
from lighthouse.collaboration.collaboration import Collaboration
from lighthouse.collaboration.references import References
from lighthouse.events import Event, EventStore

# A page ends with the entry that brings it beyond this.
PAGE_BYTES = 2 * 1024 * 1024


class Entry(msgspec.Struct, omit_defaults=True):
    """One event of the session. `patch` is a proposal's as it was then (`patch_b64` where it is not UTF-8),
    `note` one on an anchor as it stood then; `lost`: what it points to cannot be read any more.

    A review shows the note as it stood at the time of the review.
    """

    seq: int
    at: str
    type: str
    agent_id: str
    data: dict[str, Any]
    patch: str | None = None
    patch_b64: bytes | None = None
    note: Annotation | None = None
    lost: bool = False


class Record(msgspec.Struct):
    """A page of a session's record. `next_cursor` is null when there is no more as yet."""

    collaboration: Collaboration
    entries: list[Entry]
    next_cursor: str | None


async def replay(
    store: EventStore, references: References, session: Collaboration, after: int, limit: int
) -> Record:
    """What happened in the session after event `after`, up to what is known of it now."""
    last, size = session.last_seq, 0
    entries: list[Entry] = []
    async for event in journal.events(store, session.id, max(after + 1, session.seq), last):
        entry = await _entry(references, session, event)
        entries.append(entry)
        size += len(event.data) + len(entry.patch or entry.patch_b64 or "")
        if len(entries) == limit or size > PAGE_BYTES:
            break
    more = bool(entries) and entries[-1].seq < last
    return Record(session, entries, f"after-{entries[-1].seq}" if more else None)


async def _entry(references: References, session: Collaboration, event: Event) -> Entry:
    said = event.value
    said.pop("id", None)
    entry = Entry(event.seq, event.ts, event.type, event.agent_id, said)
    note = said.get("note")
    if (kept := said.get("proposal")) is not None:
        patch = await references.patch(kept)
        if patch is None:
            entry.lost = True
        else:
            try:
                entry.patch = patch.decode()
            except UnicodeDecodeError:
                entry.patch_b64 = patch
    elif event.type == "pair.reviewed":
        suggestion = session.suggestion(said["suggestion"])
        note = None if suggestion is None else suggestion.note
    if note is not None:
        entry.note = await references.note(note, event.seq)
        entry.lost = entry.note is None
    return entry
