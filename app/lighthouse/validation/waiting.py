"""The requests that wait for an answer, the last that ended, and all who wait for one of them."""

import asyncio

from lighthouse.casework import Case, Ended, Waiters
from lighthouse.events import Event
from lighthouse.validation.request import REQUESTED, Validation, from_event

MAX_PENDING = 256
MAX_PENDING_OF_ONE = 32
KEPT_ENDED = 1000
KEPT_ENDED_BYTES = 32 * 1024 * 1024

Key = tuple[str, str, str]
"""Who asks, what, and by which policies: the same again is the same request."""


class Held(Case):
    """A request that waits."""

    def __init__(self, validation: Validation, size: int) -> None:
        super().__init__()
        self.validation = validation
        self.size = size
        # Experts have it, and their time is not over.
        self.handed_out = bool(validation.asked)

    @property
    def next_deadline(self) -> float:
        """When something has to happen to it, in seconds since 1970."""
        validation = self.validation
        return validation.experts_deadline if self.handed_out else validation.deadline


class Waiting:
    """On one event loop. `open` has besides those that wait the ones that are being made."""

    def __init__(self) -> None:
        self.open: dict[Key, asyncio.Future[Validation]] = {}
        self._held: dict[str, Held] = {}
        self._ended = Ended[Validation](KEPT_ENDED, KEPT_ENDED_BYTES)
        self._curious = Waiters()
        self._released = False

    def __len__(self) -> int:
        return len(self._held)

    def all(self) -> list[Held]:
        """Those that wait, the oldest first."""
        return list(self._held.values())

    def ended(self) -> list[Validation]:
        """The last ones that were answered or ran out, the latest first."""
        return self._ended.latest_first()

    def get(self, validation_id: str) -> Held | None:
        """The request of that id while it waits."""
        return self._held.get(validation_id)

    def known(self, validation_id: str) -> Validation | None:
        """The request of that id, waiting or ended not long ago."""
        held = self._held.get(validation_id)
        return self._ended.get(validation_id) if held is None else held.validation

    def add(self, event: Event) -> Held:
        """A request was made."""
        held = Held(from_event(event), len(event.data))
        self._held[held.validation.id] = held
        return held

    def end(self, held: Held) -> None:
        """It is resolved."""
        validation = held.validation
        del self._held[validation.id]
        self.open.pop(key_of(validation), None)
        self._ended.add(validation.id, validation, held.size)
        held.waiters.wake()

    def restore(self, event: Event) -> None:
        """Take up an event of the log, all of them in their order; then `restored`."""
        if event.type == REQUESTED:
            self.add(event)
        elif (held := self._held.get(event.value.get("id", ""))) is not None:
            held.validation.take(event)
            if held.validation.resolution is not None:
                self.end(held)

    def restored(self) -> None:
        """The log is read: the same calls asked again join these requests."""
        for held in self._held.values():
            future: asyncio.Future[Validation] = asyncio.get_running_loop().create_future()
            future.set_result(held.validation)
            self.open[key_of(held.validation)] = future
            held.handed_out = bool(held.validation.asked)

    def why_full(self, agent_id: str) -> str | None:
        """Why the agent may not have another request; None where it may."""
        if len(self.open) >= MAX_PENDING:
            return f"{MAX_PENDING} calls wait for an answer already: ask again when some are answered"
        if sum(key[0] == agent_id for key in self.open) >= MAX_PENDING_OF_ONE:
            return f"{MAX_PENDING_OF_ONE} calls of yours wait for an answer already: wait for these first"
        return None

    async def wait(self, validation_id: str, seconds: float) -> None:
        """Return when the request is resolved, the time is over, or all are released."""
        held = self._held.get(validation_id)
        if held is not None and not self._released:
            await held.waiters.wait(seconds)

    async def news(self, seconds: float) -> None:
        """Return when something happened to any request, the time is over, or all are released."""
        await self._curious.wait(seconds)

    def changed(self) -> None:
        """Something happened."""
        self._curious.wake()

    def release(self) -> None:
        """Let everybody go on; nobody waits from now on."""
        self._released = True
        for held in self._held.values():
            held.waiters.release()
        self._curious.release()


def key_of(validation: Validation) -> Key:
    """What makes another call the same request."""
    return validation.agent_id, validation.digest, validation.policy
