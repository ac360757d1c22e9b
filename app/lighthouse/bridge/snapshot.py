"""POST /snapshot/{name} gives a version a name, GET /snapshots lists the names there are."""

from typing import TYPE_CHECKING, Annotated

import msgspec

from lighthouse.bridge.call import Answer, Call, Route
from lighthouse.bridge.moments import captured
from lighthouse.bridge.schemas import At, Request
from lighthouse.shadow import Named

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge


class SnapshotCreate(Request):
    """Which version, and why it has a name; without `at` it is what stands in the project now."""

    at: At | None = None
    note: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class SnapshotRecord(msgspec.Struct):
    """`seq` is the version's own number, `root` the hash of its tree."""

    name: str
    seq: int
    root: str
    created_at: str
    agent_id: str
    note: str


class SnapshotQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which of them; the list only grows at its end."""

    offset: Annotated[int, msgspec.Meta(ge=0, le=10**9)] = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1000


class SnapshotList(msgspec.Struct):
    """In the order in which they were made; `total` counts those that are not in this answer too."""

    snapshots: list[SnapshotRecord]
    total: int


async def create(bridge: "Bridge", call: Call) -> SnapshotRecord:
    """Name a version. The present is looked at first: what was saved before the call is in it."""
    wanted: SnapshotCreate = call.body
    shadow = captured(bridge)
    if wanted.at is None:
        await shadow.update(())
    name = call.request.match_info["name"]
    made = await shadow.snapshots.create(name, wanted.at, wanted.note, agent_id=call.caller.agent_id)
    await bridge.shown()
    return _record(made)


async def listed(bridge: "Bridge", call: Call) -> SnapshotList:
    """The snapshots."""
    wanted: SnapshotQuery = call.query
    there = captured(bridge).snapshots.all()
    page = there[wanted.offset : wanted.offset + wanted.limit]
    return SnapshotList([_record(named) for named in page], len(there))


def _record(named: Named) -> SnapshotRecord:
    return SnapshotRecord(
        named.name, named.seq, named.root.hex(), named.created_at, named.agent_id, named.note
    )


ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/snapshot/{name}",
        "snapshot_create",
        "Give a version of the project a name",
        create,
        {200: Answer("The snapshot; the one there is already where it is the same", SnapshotRecord)},
        permission="snapshot.write",
        body=SnapshotCreate,
        body_optional=True,
        errors=(404, 409, 507),
        path_parameters={"name": "a letter, then letters, digits and . _ -, at most 100; not `current`"},
    ),
    Route(
        "GET",
        "/snapshots",
        "snapshots",
        "List the versions that have names",
        listed,
        {200: Answer("The snapshots", SnapshotList)},
        permission="shadow.read",
        query=SnapshotQuery,
    ),
)
