"""/collaboration and /collaborations: sessions of several agents, and the record of any session."""

import time
from collections.abc import Awaitable
from typing import TYPE_CHECKING, TypeVar

from lighthouse.bridge import long_poll
from lighthouse.bridge.call import Answer, Call, Route, connected
from lighthouse.bridge.collaboration_schemas import (
    CollaborationEnd,
    CollaborationJoin,
    CollaborationList,
    CollaborationQuery,
    CollaborationSay,
    CollaborationStart,
    RecordQuery,
    Standing,
    standing,
)
from lighthouse.bridge.cursors import cursor, place
from lighthouse.bridge.problems import Rejected
from lighthouse.collaboration import Collaboration, Collaborations, Record
from lighthouse.sessions import NotAllowed

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge

T = TypeVar("T")


async def start(bridge: "Bridge", call: Call) -> Standing:
    """Begin one, and ask others to join."""
    asked: CollaborationStart = call.body
    begun = await collaborations(bridge).begin(
        call.caller, asked.topic, asked.asked, asked.paths, asked.idle_seconds, asked.idempotency_key
    )
    return standing(begun)


async def join(bridge: "Bridge", call: Call) -> Standing:
    """Come in."""
    return await moved(bridge, call, collaborations(bridge).join(_id(call), call.caller))


async def say(bridge: "Bridge", call: Call) -> Standing:
    """Tell the others something."""
    said: CollaborationSay = call.body
    room = collaborations(bridge)
    saying = room.say(_id(call), call.caller, said.text, said.reference(), said.idempotency_key)
    return await moved(bridge, call, saying)


async def leave(bridge: "Bridge", call: Call) -> Standing:
    """Go, or refuse to come."""
    said: CollaborationEnd = call.body
    return await moved(bridge, call, collaborations(bridge).leave(_id(call), call.caller, said.reason))


async def close(bridge: "Bridge", call: Call) -> Standing:
    """End it for everybody."""
    said: CollaborationEnd = call.body
    closing = collaborations(bridge).close_session(_id(call), call.caller, said.reason)
    return await moved(bridge, call, closing)


async def show(bridge: "Bridge", call: Call) -> Record:
    """What happened in it, replayed."""
    asked: RecordQuery = call.query
    room, end = collaborations(bridge), time.monotonic() + asked.wait_seconds
    after = place(asked.cursor) or 0
    while True:
        left = max(0.0, end - time.monotonic())
        record = await room.record(_id(call), after, asked.limit, min(left, long_poll.LOOK_SECONDS))
        if (
            record.entries
            or record.collaboration.ended
            or left <= 0
            or not (bridge.serving and connected(call.request))
        ):
            return record


async def listed(bridge: "Bridge", call: Call) -> CollaborationList:
    """Those that go on, the oldest first; or the last that ended, the latest first."""
    asked: CollaborationQuery = call.query
    room, caller = collaborations(bridge), call.caller.agent_id
    after = place(asked.cursor)

    def look() -> list[Collaboration]:
        known = room.ended() if asked.ended else room.going_on()
        if after is not None:
            known = [one for one in known if (one.last_seq < after if asked.ended else one.seq > after)]
        return [one for one in known if _fits(asked, one, caller)]

    known = await long_poll.found(
        bridge, call, asked.wait_seconds, look, lambda seconds: room.news(caller, seconds)
    )
    page, following = known[: asked.limit], None
    if len(known) > len(page):
        following = cursor(page[-1].last_seq if asked.ended else page[-1].seq)
    return CollaborationList([one.short() for one in page], following)


async def moved(bridge: "Bridge", call: Call, doing: Awaitable[Collaboration]) -> Standing:
    """How the session stands after what is done."""
    return standing(await told(bridge, call, doing))


async def told(bridge: "Bridge", call: Call, doing: Awaitable[T]) -> T:
    """What is done; where the caller may not, the log tells that it tried."""
    try:
        return await doing
    except NotAllowed as error:
        bridge.audit.rejected(403, error.message, call.request.path, call.peer, call.caller.agent_id)
        raise


def collaborations(bridge: "Bridge") -> Collaborations:
    """The room; raises Rejected (503) while the bridge starts."""
    if bridge.collaborations is None:
        raise Rejected(503, "the collaborations are not known yet", "try again in a moment")
    return bridge.collaborations


def _fits(asked: CollaborationQuery, session: Collaboration, caller: str) -> bool:
    if asked.awaiting:
        return session.awaits(caller)
    return not asked.mine or caller in session.members or caller in session.asked


def _id(call: Call) -> str:
    return call.request.match_info["id"]


_ID = {"id": "the session's id"}
_NOW = {200: Answer("The session as it is now", Standing)}

ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/collaboration/start",
        "collaboration_start",
        "Begin a collaboration, and ask other agents to join",
        start,
        _NOW,
        permission="collaboration.write",
        body=CollaborationStart,
        errors=(409, 507),
    ),
    Route(
        "POST",
        "/collaboration/{id}/join",
        "collaboration_join",
        "Come into a collaboration: who was asked, who began it, and operators",
        join,
        _NOW,
        permission="collaboration.write",
        body=CollaborationJoin,
        body_optional=True,
        errors=(404, 409, 507),
        path_parameters=_ID,
    ),
    Route(
        "POST",
        "/collaboration/{id}/say",
        "collaboration_say",
        "Tell the others in a session something, and point to a proposal or a place",
        say,
        _NOW,
        permission="collaboration.write",
        body=CollaborationSay,
        errors=(404, 409, 507),
        path_parameters=_ID,
    ),
    Route(
        "POST",
        "/collaboration/{id}/leave",
        "collaboration_leave",
        "Leave a collaboration, or decline to join",
        leave,
        _NOW,
        permission="collaboration.write",
        body=CollaborationEnd,
        body_optional=True,
        errors=(404, 409, 507),
        path_parameters=_ID,
    ),
    Route(
        "POST",
        "/collaboration/{id}/close",
        "collaboration_close",
        "End a session for everybody: who began it, a partner, or an operator",
        close,
        _NOW,
        permission="collaboration.write",
        body=CollaborationEnd,
        body_optional=True,
        errors=(404, 409, 507),
        path_parameters=_ID,
    ),
    Route(
        "GET",
        "/collaboration/{id}",
        "collaboration",
        "Replay a session: all that happened in it, with patches and notes as they were then",
        show,
        {200: Answer("A page of its record", Record)},
        permission="events.read",
        query=RecordQuery,
        errors=(404,),
        path_parameters=_ID,
    ),
    Route(
        "GET",
        "/collaborations",
        "collaborations",
        "The sessions that go on, or the last that ended",
        listed,
        {200: Answer("A page of sessions, without their suggestions", CollaborationList)},
        permission="events.read",
        query=CollaborationQuery,
    ),
)
