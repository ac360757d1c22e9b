"""Brings the content store's versions into step with the event log, which alone says what happened.

A version is recorded after its event. A crash between the two, a lost or an older `contents.db` leave rows
missing or too many; both are mended from the `shadow` stream when the bridge starts.
"""

from datetime import UTC, datetime, timedelta

from lighthouse.events import Event, EventStore, Query
from lighthouse.paths import ProjectPath, to_bytes
from lighthouse.shadow.contents import ContentStore, Version
from lighthouse.shadow.entry import FOLDER
from lighthouse.shadow.errors import ContentMissing
from lighthouse.shadow.folder import NOTHING, Folder
from lighthouse.shadow.reader import ContentReader

STREAM = "shadow"
CAPTURED = "shadow.captured"
CHANGED = "shadow.changed"


def version_of(event: Event) -> Version:
    """The version that a `shadow.captured` or `shadow.changed` event made."""
    value = event.value
    return Version(event.seq, bytes.fromhex(value["root"]), event.ts, value["files"], value["bytes"])


def mtime_ns(ts: str) -> int:
    """An event's time in nanoseconds since 1970."""
    moment = datetime.fromisoformat(ts)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000


async def missing_versions(events: EventStore, last: Version | None) -> tuple[bool, list[Version]]:
    """Whether `last` is in the log as it is in the content store, and the versions the content store lacks.

    Where it is not, the list is of all versions.
    """
    known = last is None or await _is_in(events, last)
    after = last.seq if last is not None and known else 0
    versions: list[Version] = []
    cursor: str | None = None
    while True:
        page = await events.query(Query(stream=STREAM, from_seq=after + 1, limit=1000, cursor=cursor))
        versions += [version_of(event) for event in page.events if event.type in (CAPTURED, CHANGED)]
        cursor = page.next_cursor
        if cursor is None:
            return known, versions


async def _is_in(events: EventStore, version: Version) -> bool:
    page = await events.query(Query(from_seq=version.seq, to_seq=version.seq))
    found = [event for event in page.events if event.stream == STREAM and event.type in (CAPTURED, CHANGED)]
    return bool(found) and version_of(found[0]) == version


def mend(store: ContentStore, known: bool, versions: list[Version]) -> None:
    """Apply what `missing_versions` found."""
    with store.writing():
        if not known:
            store.forget_versions_after(0)
        for version in versions:
            store.add_version(version)


def load(reader: ContentReader, root: bytes, stamps: dict[bytes, dict[bytes, bytes]]) -> Folder | None:
    """The stored tree as it was in memory; None where part of it is missing: then all is captured anew."""
    try:
        return _load(reader, root, (), stamps)
    except ContentMissing:
        return None


def _load(
    reader: ContentReader, tree_hash: bytes, path: ProjectPath, stamps: dict[bytes, dict[bytes, bytes]]
) -> Folder:
    entries = reader.tree(tree_hash)
    folders = {
        name: NOTHING if entry.mark else _load(reader, entry.hash, (*path, name), stamps)
        for name, entry in entries.items()
        if entry.kind == FOLDER
    }
    return Folder(tree_hash, entries, folders, stamps=stamps.get(to_bytes(path)))
