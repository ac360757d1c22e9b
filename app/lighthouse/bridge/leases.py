"""/lease/… and /leases: paths of the project that one agent alone may change for a time."""

from typing import TYPE_CHECKING

from lighthouse.bridge.call import Answer, Call, Route
from lighthouse.bridge.leases_schemas import (
    LeaseEnd,
    LeaseList,
    LeaseQuery,
    LeaseRenew,
    LeasesQuery,
    LeaseTake,
)
from lighthouse.bridge.problems import Rejected
from lighthouse.casework import number_of
from lighthouse.leases import Lease, Leases
from lighthouse.sessions import NotAllowed, allows

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge


async def take(bridge: "Bridge", call: Call) -> Lease:
    """Take all of the paths, or none; answered once it is on disk."""
    asked: LeaseTake = call.body
    if asked.stays and not allows(call.caller.role, "lease.any"):
        reason = f"the role {call.caller.role} lacks lease.any, which a lease that stays needs"
        bridge.audit.rejected(403, reason, call.request.path, call.peer, call.caller.agent_id)
        raise NotAllowed(reason, "leave stays out: your lease lasts as long as you are there")
    return await leases(bridge).take(
        call.caller.agent_id,
        asked.paths,
        asked.seconds,
        reason=asked.reason.strip(),
        wait_seconds=asked.wait_seconds,
        stays=asked.stays,
        key=asked.idempotency_key,
    )


async def show(bridge: "Bridge", call: Call) -> Lease:
    """What became of a lease; one that is waited for, after waiting for it."""
    asked: LeaseQuery = call.query
    return await leases(bridge).get(call.request.match_info["id"], asked.wait_seconds)


async def listed(bridge: "Bridge", call: Call) -> LeaseList:
    """What is held and waited for, the oldest first."""
    asked: LeasesQuery = call.query
    known = leases(bridge).all(asked.path, asked.agent_id)
    if asked.cursor is not None:
        after = number_of(asked.cursor, "l")
        if after is None:
            raise Rejected(422, "the cursor is not one of this list", "use next_cursor as it was given")
        known = [lease for lease in known if int(lease.id[1:]) > after]
    page = known[: asked.limit]
    return LeaseList(page, page[-1].id if len(known) > len(page) else None)


async def renew(bridge: "Bridge", call: Call) -> Lease:
    """Hold one's own lease for so long from now on."""
    asked: LeaseRenew = call.body
    return await leases(bridge).renew(call.request.match_info["id"], call.caller, asked.seconds)


async def release(bridge: "Bridge", call: Call) -> Lease:
    """End one's own lease, or the wait for it."""
    asked: LeaseEnd = call.body
    return await leases(bridge).release(call.request.match_info["id"], call.caller, asked.reason.strip())


async def revoke(bridge: "Bridge", call: Call) -> Lease:
    """End anybody's lease."""
    asked: LeaseEnd = call.body
    return await leases(bridge).revoke(call.request.match_info["id"], call.caller, asked.reason.strip())


def leases(bridge: "Bridge") -> Leases:
    """The room, once it is there."""
    if bridge.leases is None:
        raise Rejected(503, "the leases are not known yet", "try again in a moment")
    return bridge.leases


_ID = {"id": "the lease's id"}

ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/lease/take",
        "lease_take",
        "Take paths for a time, all of them or none: nobody else's calls may change them",
        take,
        {200: Answer("The lease; `waiting` where the bridge stopped before it was granted", Lease)},
        permission="lease.write",
        body=LeaseTake,
        errors=(409, 507),
    ),
    Route(
        "GET",
        "/leases",
        "leases",
        "The leases that are held and waited for, the oldest first",
        listed,
        {200: Answer("A page of leases", LeaseList)},
        permission="events.read",
        query=LeasesQuery,
    ),
    Route(
        "GET",
        "/lease/{id}",
        "lease",
        "What became of a lease, after waiting for it",
        show,
        {200: Answer("The lease", Lease)},
        permission="events.read",
        query=LeaseQuery,
        errors=(404,),
        path_parameters=_ID,
    ),
    Route(
        "POST",
        "/lease/{id}/renew",
        "lease_renew",
        "Hold a lease for so long from now on",
        renew,
        {200: Answer("The lease", Lease)},
        permission="lease.write",
        body=LeaseRenew,
        body_optional=True,
        errors=(404, 409, 507),
        path_parameters=_ID,
    ),
    Route(
        "POST",
        "/lease/{id}/release",
        "lease_release",
        "End one's own lease, or the wait for it",
        release,
        {200: Answer("The lease", Lease)},
        permission="lease.write",
        body=LeaseEnd,
        body_optional=True,
        errors=(404, 409, 507),
        path_parameters=_ID,
    ),
    Route(
        "POST",
        "/lease/{id}/revoke",
        "lease_revoke",
        "End anybody's lease",
        revoke,
        {200: Answer("The lease", Lease)},
        permission="lease.any",
        body=LeaseEnd,
        body_optional=True,
        errors=(404, 409, 507),
        path_parameters=_ID,
    ),
)
