"""POST /shadow/update: the shadow looks at the project now, for callers that cannot wait to be noticed."""

from typing import TYPE_CHECKING, Annotated

import msgspec

from lighthouse import paths
from lighthouse.bridge.call import Answer, Call, Route
from lighthouse.bridge.moments import captured
from lighthouse.bridge.schemas import Request

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge

Path = Annotated[str, msgspec.Meta(max_length=paths.MAX_PATH)]


class ShadowUpdate(Request):
    """Where to look: at these files, and at all beneath these folders. Without `paths`, everywhere."""

    paths: Annotated[list[Path], msgspec.Meta(max_length=1000)] | None = None


class ShadowUpdated(msgspec.Struct):
    """The version that holds what was there when the call came."""

    seq: int
    root: str


async def update(bridge: "Bridge", call: Call) -> ShadowUpdated:
    """Look, and answer with the version that is current then."""
    wanted: ShadowUpdate = call.body
    named = None if wanted.paths is None else [paths.parse(path) for path in wanted.paths]
    seen = await captured(bridge).update(named)
    await bridge.shown()
    return ShadowUpdated(seen.seq, seen.root.hex())


ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/shadow/update",
        "shadow_update",
        "Look at the project now, as after a checkout",
        update,
        {200: Answer("The version that holds what was there", ShadowUpdated)},
        permission="shadow.update",
        body=ShadowUpdate,
        body_optional=True,
        errors=(507,),
    ),
)
