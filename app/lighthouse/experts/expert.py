"""An expert: what it can judge, whether it is there, how much waits for it and how it has done so far."""

from collections.abc import Callable

import msgspec

from lighthouse.experts.capabilities import Capabilities, Coverage
from lighthouse.experts.record import Record
from lighthouse.mailbox import Mail

# A socket that breaks is mostly opened again at once; the same holds after a start of the bridge.
GRACE_SECONDS = 5.0

Clock = Callable[[], float]


class Expert(msgspec.Struct, frozen=True):
    """An expert as others see it. `load` is how many requests and tasks wait for it.

    `missed` counts the requests that it let pass until the experts' time was over, `answered` those it
    answered, `completed` the tasks it did, `failed` those it had and did not do.
    """

    agent_id: str
    speciality: str
    languages: tuple[str, ...]
    paths: tuple[str, ...]
    risks: tuple[str, ...]
    ttl_seconds: float
    registered_at: str
    seq: int
    alive: bool
    sockets: int
    load: int
    answered: int
    missed: int
    completed: int
    failed: int


class Registration(msgspec.Struct, frozen=True):
    """What the event `seq` says; `coverage` is the capabilities, ready for matching."""

    capabilities: Capabilities
    coverage: Coverage
    ttl_seconds: float
    at: str
    seq: int


class Agent:
    """All that is known of one agent; one that is only asked, as before a restart, is not registered."""

    def __init__(self, agent_id: str, mail: Mail, clock: Clock) -> None:
        self.agent_id = agent_id
        self.registration: Registration | None = None
        # Whether the log says that it is there.
        self.told_alive = False
        self.waiting: set[str] = set()
        self._mail = mail
        self._clock = clock
        self._until = float("-inf")

    @property
    def alive(self) -> bool:
        """Whether it is worth asking: a socket is open, or it was heard of not long ago."""
        return self.registration is not None and (self.sockets > 0 or self._clock() < self._until)

    def heard(self) -> None:
        """It asked for something over HTTP."""
        if self.registration is not None:
            self._until = self._clock() + self.registration.ttl_seconds

    @property
    def sockets(self) -> int:
        """How many sockets it has open."""
        return self._mail.sockets_of(self.agent_id)

    def connected(self) -> None:
        """It opened a socket, which tells sooner than any time that it is gone."""
        self._until = float("-inf")

    def disconnected(self) -> None:
        """A socket is gone; it may be back in a moment."""
        self._until = max(self._until, self._clock() + GRACE_SECONDS)

    def told(self, registration: Registration, record: Record, load: int) -> Expert:
        """As others see it now."""
        able = registration.capabilities
        return Expert(
            agent_id=self.agent_id,
            speciality=able.speciality,
            languages=able.languages,
            paths=able.paths,
            risks=able.risks,
            ttl_seconds=registration.ttl_seconds,
            registered_at=registration.at,
            seq=registration.seq,
            alive=self.alive,
            sockets=self.sockets,
            load=load,
            answered=record.answered[self.agent_id],
            missed=record.missed[self.agent_id],
            completed=record.completed[self.agent_id],
            failed=record.failed[self.agent_id],
        )
