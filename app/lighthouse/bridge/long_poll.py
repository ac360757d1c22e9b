"""Long polling: a caller who waits until there is something for it."""

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from lighthouse.bridge.call import Call, connected

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge

T = TypeVar("T")

# News come at once; so often it is looked whether who waits for them is still there.
LOOK_SECONDS = 5.0


async def found(
    bridge: "Bridge",
    call: Call,
    wait_seconds: float,
    look: Callable[[], list[T]],
    news: Callable[[float], Awaitable[object]],
) -> list[T]:
    """What `look` finds. While it finds nothing `news` is awaited, for so many seconds in all.

    It ends too when the caller is gone, or the bridge stops.
    """
    end = time.monotonic() + wait_seconds
    while True:
        known = look()
        left = end - time.monotonic()
        if known or left <= 0 or not bridge.serving or not connected(call.request):
            return known
        await news(min(left, LOOK_SECONDS))
