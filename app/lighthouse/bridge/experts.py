"""POST /expert/register and GET /experts: who can judge what, and who of them is there."""

from typing import TYPE_CHECKING, Annotated

import msgspec

from lighthouse.bridge.call import Answer, Call, Route
from lighthouse.bridge.problems import Rejected
from lighthouse.bridge.schemas import Request, Word
from lighthouse.experts import Capabilities, Expert, Experts

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge

Words = Annotated[tuple[Word, ...], msgspec.Meta(max_length=100)]
Glob = Annotated[str, msgspec.Meta(max_length=1000)]


class ExpertRegister(Request):
    """What the caller can judge. An empty list is no limit; `ttl_seconds` is how long it counts as there
    after each registration and each look at what waits."""

    speciality: Annotated[
        str,
        msgspec.Meta(extra_json_schema={"pattern": "^[a-z][a-z0-9]*(-[a-z0-9]+)*$", "maxLength": 40}),
    ]
    languages: Words = ()
    paths: Annotated[tuple[Glob, ...], msgspec.Meta(max_length=100)] = ()
    risks: Words = ()
    ttl_seconds: Annotated[int, msgspec.Meta(ge=10, le=3600)] = 60


class ExpertList(msgspec.Struct):
    """Everyone who ever registered, there or not, by id."""

    experts: list[Expert]


async def register(bridge: "Bridge", call: Call) -> Expert:
    """Make the caller an expert, or say that it still is one; answered once it is on disk."""
    asked: ExpertRegister = call.body
    capabilities = Capabilities(asked.speciality, asked.languages, asked.paths, asked.risks)
    return await ready(bridge).register(call.caller.agent_id, capabilities, asked.ttl_seconds)


async def listed(bridge: "Bridge", call: Call) -> ExpertList:
    """All experts."""
    return ExpertList(ready(bridge).all())


def ready(bridge: "Bridge") -> Experts:
    """The registry; raises Rejected (503) while the bridge starts."""
    if bridge.experts is None:
        raise Rejected(503, "the experts are not known yet", "try again in a moment")
    return bridge.experts


ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/expert/register",
        "expert_register",
        "Be asked about tool calls in doubt, those that these capabilities cover; again: be there still",
        register,
        {200: Answer("The expert as others see it", Expert)},
        permission="expert.register",
        body=ExpertRegister,
        errors=(507,),
    ),
    Route(
        "GET",
        "/experts",
        "experts",
        "The experts, what they can judge, who is there and how they did",
        listed,
        {200: Answer("All of them", ExpertList)},
        permission="events.read",
    ),
)
