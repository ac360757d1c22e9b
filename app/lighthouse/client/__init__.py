"""The way into a bridge from Python; the MCP adapter and the command line use it themselves.

    async with Client("http://localhost:8765", token) as bridge:
        receipt = await bridge.store_event(NewEvent("note.added", {"text": "hello"}))

The names load when they are first used: aiohttp is slow to import, and settings and errors do not need it.
"""

from typing import TYPE_CHECKING, Any

from lighthouse.client.environment import Connection, connection_from
from lighthouse.client.errors import BridgeAway, ClientMisconfigured, NotABridge, Refused

if TYPE_CHECKING:
    from lighthouse.client.answers import NewEvent
    from lighthouse.client.client import Client
    from lighthouse.client.reviewing import ExpertRequest

__all__ = [
    "BridgeAway",
    "Client",
    "ClientMisconfigured",
    "Connection",
    "ExpertRequest",
    "NewEvent",
    "NotABridge",
    "Refused",
    "connection_from",
]


def __getattr__(name: str) -> Any:
    if name == "Client":
        from lighthouse.client.client import Client

        return Client
    if name == "ExpertRequest":
        from lighthouse.client.reviewing import ExpertRequest

        return ExpertRequest
    if name == "NewEvent":
        from lighthouse.client.answers import NewEvent

        return NewEvent
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
