"""/proposal/*: proposals made, listed, shown, as a patch, put on the present, ended."""

import asyncio
from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from lighthouse.bridge.call import Answer, Call, Route
from lighthouse.bridge.problems import Rejected
from lighthouse.bridge.proposals_schemas import (
    ProposalAct,
    ProposalCreate,
    ProposalEnd,
    ProposalFile,
    ProposalList,
    Proposals,
    ProposalShown,
    ProposalStanding,
    ProposalSummary,
)
from lighthouse.proposals import NotYours, Proposal
from lighthouse.proposals import Proposals as Room
from lighthouse.sessions import Role

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge

CHUNK = 1024 * 1024
MAX_FILES = 2000
# They may end and rebase the proposals of others too.
RULERS = (Role.OPERATOR, Role.ADMIN)


async def create(bridge: "Bridge", call: Call) -> ProposalSummary:
    """A new proposal; on answer it is on disk, and in the mount."""
    wanted: ProposalCreate = call.body
    made = await _room(bridge).create(
        wanted.name, wanted.base, wanted.title, agent=call.caller.agent_id, uid=wanted.uid
    )
    return await _summary(bridge, made)


async def listed(bridge: "Bridge", call: Call) -> Proposals:
    """All of them, or those in one state."""
    wanted: ProposalList = call.query
    found = [one for one in _room(bridge).all() if wanted.state in (None, one.state)]
    return Proposals([await _summary(bridge, one) for one in found])


async def show(bridge: "Bridge", call: Call) -> ProposalShown:
    """One of them, with the files it changes."""
    room = _room(bridge)
    proposal = room.get(call.request.match_info["name"])
    files = await room.changes(proposal)
    told = [ProposalFile(**msgspec.structs.asdict(file)) for file in files[:MAX_FILES]]
    return ProposalShown(await _summary(bridge, proposal), told, len(files))


async def diff(bridge: "Bridge", call: Call) -> web.StreamResponse:
    """The patch, as NAME.patch has it."""
    room = _room(bridge)
    patch = await room.patch(room.get(call.request.match_info["name"]))
    try:
        response = web.StreamResponse(
            headers={"Content-Type": "text/x-diff", "Content-Length": str(patch.size)}
        )
        await response.prepare(call.request)
        for offset in range(0, patch.size, CHUNK):
            await response.write(await asyncio.to_thread(patch.read, offset, CHUNK))
        await response.write_eof()
    finally:
        patch.close()
    return response


async def rebase(bridge: "Bridge", call: Call) -> ProposalStanding:
    """Put it on the present version."""
    proposal = _own(bridge, call)
    return _standing(await _room(bridge).rebase(proposal.name, agent=call.caller.agent_id))


async def withdraw(bridge: "Bridge", call: Call) -> ProposalStanding:
    """End it: it shall not be applied."""
    proposal = _own(bridge, call)
    asked: ProposalEnd = call.body
    agent = call.caller.agent_id
    return _standing(await _room(bridge).withdraw(proposal.name, agent=agent, reason=asked.reason))


async def applied(bridge: "Bridge", call: Call) -> ProposalStanding:
    """End it: it was applied."""
    proposal = _own(bridge, call)
    return _standing(await _room(bridge).applied(proposal.name, agent=call.caller.agent_id))


def _room(bridge: "Bridge") -> Room:
    if bridge.proposals is None:
        raise Rejected(503, "the project is not captured yet", "try again in a moment")
    return bridge.proposals


def _own(bridge: "Bridge", call: Call) -> Proposal:
    room = _room(bridge)
    proposal = room.get(call.request.match_info["name"])
    try:
        room.check_owner(proposal, call.caller.agent_id, rules=call.caller.role in RULERS)
    except NotYours as error:
        bridge.audit.rejected(403, error.message, call.request.path, call.peer, call.caller.agent_id)
        raise
    return proposal


def _standing(proposal: Proposal) -> ProposalStanding:
    return ProposalStanding(proposal.name, proposal.state, proposal.base, proposal.last_seq)


async def _summary(bridge: "Bridge", proposal: Proposal) -> ProposalSummary:
    overlay, closing = proposal.overlay, proposal.closing
    mounted = overlay is not None and bridge.proposals_mount is not None
    return ProposalSummary(
        name=proposal.name,
        state=proposal.state,
        title=proposal.title,
        base=proposal.base,
        behind=await _room(bridge).behind(proposal),
        created_at=proposal.created_at,
        created_seq=proposal.created_seq,
        entries=0 if overlay is None else overlay.entries,
        bytes=0 if overlay is None else overlay.bytes,
        writers={str(uid): count for uid, count in proposal.writers.items()},
        agent_id=proposal.agent,
        uid=proposal.uid,
        path=str(bridge.settings.proposals_mount_point / proposal.name) if mounted else None,
        ended_at=None if closing is None else closing.at,
        ended_by=None if closing is None else closing.agent_id,
        reason=None if closing is None else closing.reason,
    )


_NAME = {"name": "the proposal's name"}

ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/proposal/create",
        "proposal_create",
        "Make a proposal: a writable copy of the project at a moment, in the mount",
        create,
        {200: Answer("The proposal", ProposalSummary)},
        permission="proposal.write",
        body=ProposalCreate,
        errors=(404, 409, 507),
    ),
    Route(
        "GET",
        "/proposals",
        "proposals",
        "List the proposals",
        listed,
        {200: Answer("The proposals, the oldest first", Proposals)},
        permission="shadow.read",
        query=ProposalList,
    ),
    Route(
        "GET",
        "/proposal/{name}",
        "proposal_show",
        "One proposal, and the files that it changes",
        show,
        {200: Answer("The proposal", ProposalShown)},
        permission="shadow.read",
        errors=(404,),
        path_parameters=_NAME,
    ),
    Route(
        "GET",
        "/proposal/{name}/diff",
        "proposal_diff",
        "What a proposal changes, as a patch that `git apply` takes",
        diff,
        {200: Answer("The patch", media_type="text/x-diff")},
        permission="shadow.read",
        errors=(404,),
        path_parameters=_NAME,
    ),
    Route(
        "POST",
        "/proposal/{name}/rebase",
        "proposal_rebase",
        "Put a proposal on the present version, merged with what the project changed",
        rebase,
        {200: Answer("It is on the present version", ProposalStanding)},
        permission="proposal.write",
        body=ProposalAct,
        errors=(404, 409, 507),
        path_parameters=_NAME,
    ),
    Route(
        "POST",
        "/proposal/{name}/withdraw",
        "proposal_withdraw",
        "End a proposal that shall not be applied",
        withdraw,
        {200: Answer("It is withdrawn", ProposalStanding)},
        permission="proposal.write",
        body=ProposalEnd,
        errors=(404, 409, 507),
        path_parameters=_NAME,
    ),
    Route(
        "POST",
        "/proposal/{name}/applied",
        "proposal_applied",
        "End a proposal that was applied",
        applied,
        {200: Answer("It is marked as applied", ProposalStanding)},
        permission="proposal.write",
        body=ProposalAct,
        errors=(404, 409, 507),
        path_parameters=_NAME,
    ),
)
