"""What every route that looks into the project begins with: the shadow, and the version asked for."""

import asyncio
from typing import TYPE_CHECKING

from lighthouse.bridge.problems import Rejected
from lighthouse.shadow import Shadow, Snapshot

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge


def captured(bridge: "Bridge") -> Shadow:
    """The shadow; raises Rejected (503) before the first capture."""
    if bridge.shadow is None:
        raise Rejected(503, "the project is not captured yet", "try again in a moment")
    return bridge.shadow


async def version(shadow: Shadow, at: str | None) -> Snapshot:
    """The version at a moment, None being the present. Raises BadMoment, NoSuchVersion, ContentMissing."""
    return shadow.current if at is None else await asyncio.to_thread(shadow.moment, at)
