"""How the bridge is."""

from lighthouse.client.answers import Health, Status
from lighthouse.client.asking import Asking


class State(Asking):
    """Health and status."""

    async def health(self) -> Health:
        """Whether the bridge keeps its promises; that it fails is an answer, not an error. Needs no token."""
        answer = await self._transport.request("GET", "/health", accept=frozenset({503}), repeatable=True)
        return self._transport.decode(answer, Health)

    async def status(self) -> Status:
        """How the bridge, the log, the shadow and the mount are."""
        return self._transport.decode(await self._ask("GET", "/status", repeatable=True), Status)
