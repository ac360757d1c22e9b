"""One case: its turns, those who wait for its end, and certainty about what of it is on disk."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from lighthouse.casework.waiters import Waiters
from lighthouse.events import BRIDGE, Draft, Event, EventStore, NoRoom, StoreUnavailable


class Case:
    """Who changes it does so inside `async with case.turn`, and makes sure first."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.waiters = Waiters()
        # An append failed such that nobody knows whether it is on disk.
        self.unsure = False

    async def append(self, store: EventStore, drafts: Sequence[Draft], agent_id: str) -> list[Event]:
        """Store what happens to it. The caller has its turn, and is sure."""
        try:
            return await store.append(drafts, agent_id=agent_id)
        except NoRoom:
            raise
        except StoreUnavailable:
            self.unsure = True
            raise

    async def make_sure(
        self, store: EventStore, reread: Draft, about: Callable[[], Awaitable[list[Event]]]
    ) -> list[Event]:
        """After an append of which nobody knows whether it is on disk: what the log tells `about` the case.

        Once something else is on disk, `reread`, what came before it is certain. Else there is no news.
        """
        if not self.unsure:
            return []
        await store.append([reread], agent_id=BRIDGE)
        events = await about()
        self.unsure = False
        return events
