"""/pair: two agents at one piece of work, from the request to its completion."""

from typing import TYPE_CHECKING

from lighthouse.bridge.call import Answer, Call, Route
from lighthouse.bridge.collaboration import collaborations, moved, told
from lighthouse.bridge.collaboration_schemas import (
    PairAccept,
    PairComplete,
    PairDecline,
    PairRequest,
    PairReview,
    PairSuggest,
    PairSuggested,
    Standing,
    standing,
)
from lighthouse.bridge.problems import Rejected

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge


async def request(bridge: "Bridge", call: Call) -> Standing:
    """Ask another agent to be the partner."""
    asked: PairRequest = call.body
    asking = await collaborations(bridge).request(
        call.caller, asked.to, asked.goal, asked.paths, asked.idle_seconds, asked.idempotency_key
    )
    return standing(asking)


async def accept(bridge: "Bridge", call: Call) -> Standing:
    """Be the partner."""
    said: PairAccept = call.body
    return await moved(bridge, call, collaborations(bridge).accept(said.id, call.caller))


async def decline(bridge: "Bridge", call: Call) -> Standing:
    """Refuse."""
    said: PairDecline = call.body
    return await moved(bridge, call, collaborations(bridge).decline(said.id, call.caller, said.reason))


async def suggest(bridge: "Bridge", call: Call) -> PairSuggested:
    """Suggest a proposal, or something at a place."""
    said: PairSuggest = call.body
    reference = said.reference()
    if reference is None:
        raise Rejected(422, "neither a proposal nor an anchor is given", "give one, or say it instead")
    room = collaborations(bridge)
    suggesting = room.suggest(said.id, call.caller, said.text, reference, said.idempotency_key)
    made = await told(bridge, call, suggesting)
    return PairSuggested(made, standing(await room.get(said.id)))


async def review(bridge: "Bridge", call: Call) -> Standing:
    """A verdict on the partner's suggestion."""
    said: PairReview = call.body
    room = collaborations(bridge)
    reviewing = room.review(said.id, call.caller, said.suggestion, said.verdict, said.comment)
    return await moved(bridge, call, reviewing)


async def complete(bridge: "Bridge", call: Call) -> Standing:
    """What it was for is done."""
    said: PairComplete = call.body
    return await moved(bridge, call, collaborations(bridge).complete(said.id, call.caller, said.summary))


_NOW = {200: Answer("The session as it is now", Standing)}

ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/pair/request",
        "pair_request",
        "Ask another agent to work on something as a pair",
        request,
        _NOW,
        permission="collaboration.write",
        body=PairRequest,
        errors=(409, 507),
    ),
    Route(
        "POST",
        "/pair/accept",
        "pair_accept",
        "Be the partner of who asked",
        accept,
        _NOW,
        permission="collaboration.write",
        body=PairAccept,
        errors=(404, 409, 507),
    ),
    Route(
        "POST",
        "/pair/decline",
        "pair_decline",
        "Refuse to be the partner of who asked",
        decline,
        _NOW,
        permission="collaboration.write",
        body=PairDecline,
        errors=(404, 409, 507),
    ),
    Route(
        "POST",
        "/pair/suggest",
        "pair_suggest",
        "Suggest a proposal, or a note at a place, to the partner",
        suggest,
        {200: Answer("The suggestion, and its session", PairSuggested)},
        permission="collaboration.write",
        body=PairSuggest,
        errors=(404, 409, 507),
    ),
    Route(
        "POST",
        "/pair/review",
        "pair_review",
        "Say what one thinks of the partner's suggestion",
        review,
        _NOW,
        permission="collaboration.write",
        body=PairReview,
        errors=(404, 409, 507),
    ),
    Route(
        "POST",
        "/pair/complete",
        "pair_complete",
        "End a pair session that has done what it was for",
        complete,
        _NOW,
        permission="collaboration.write",
        body=PairComplete,
        errors=(404, 409, 507),
    ),
)
