"""A session while it is kept in memory: as it is now, and what its letters have to tell."""

import msgspec

from lighthouse.casework import Case
from lighthouse.collaboration.collaboration import DELIVERED, Collaboration, from_event
from lighthouse.events import Conflict, Event
from lighthouse.mailbox import Letter

INVITATIONS = {"collaboration": "collaboration.invited", "pair": "pair.requested"}
NEWS = {"collaboration": "collaboration.news", "pair": "pair.news"}
# Whoever sends something again does so soon.
KEPT_KEYS = 100


class Told(msgspec.Struct, frozen=True):
    """What happened, without what it points to: the record shows that."""

    seq: int
    at: str
    type: str
    agent_id: str
    data: msgspec.Raw


class News(msgspec.Struct, frozen=True):
    """The data of a letter about something that happened in a session, which is told as it is now."""

    collaboration: Collaboration
    event: Told


class Held(Case):
    """Begun by `event`. `waiters` are woken by whatever happens in it."""

    def __init__(self, event: Event) -> None:
        super().__init__()
        self.session = from_event(event)
        # The idempotency key that it was begun under, and those of what was said since: in this run alone.
        self.key: str | None = None
        self._said: dict[tuple[str, str], tuple[int, bytes]] = {}
        # Up to which event each agent acknowledged its letters.
        self.seen: dict[str, int] = {}
        self._last = event
        # The last one of somebody else.
        self._before: Event | None = None

    @property
    def size(self) -> int:
        """How much of the log is kept here, in bytes."""
        kept = (self._last, self._before)
        return sum(len(event.data) for event in kept if event is not None)

    def take(self, event: Event) -> bool:
        """Let an event of the log happen; whether it was news."""
        if event.type == DELIVERED:
            told = event.value
            self.seen[told["to"]] = max(told["up_to"], self.seen.get(told["to"], 0))
            return False
        if not self.session.take(event):
            return False
        if event.agent_id != self._last.agent_id:
            self._before = self._last
        self._last = event
        if event.type in ("collaboration.joined", "pair.accepted"):
            # Who comes reads the record; only what comes after is told.
            self.seen[event.agent_id] = event.seq
        return True

    def said(self, agent_id: str, key: str, asked: bytes) -> int | None:
        """The event that the agent made under this key, for the same request. Raises Conflict for another."""
        seq, before = self._said.get((agent_id, key), (None, asked))
        if before != asked:
            raise Conflict(
                f"the idempotency key was used for other content, event {seq}",
                "use a new key for something new",
                actual=seq or 0,
            )
        return seq

    def keep_said(self, agent_id: str, key: str, asked: bytes, seq: int) -> None:
        """Event `seq` is what was asked for under this key; of the last ones that is known."""
        self._said[agent_id, key] = seq, asked
        if len(self._said) > KEPT_KEYS:
            del self._said[next(iter(self._said))]

    def invitation(self) -> Letter:
        """The letter to those who are asked to take part."""
        session = self.session
        return Letter(INVITATIONS[session.kind], session.id, session.seq, session.short)

    def news(self, event: Event) -> Letter:
        """The letter about an event."""
        session = self.session
        told = Told(event.seq, event.ts, event.type, event.agent_id, event.data)
        return Letter(
            NEWS[session.kind], session.id, event.seq, lambda: News(collaboration=session.short(), event=told)
        )

    def open_letter(self, agent_id: str) -> Letter | None:
        """What the agent has to be told at a connection: of several news the last one."""
        session = self.session
        if agent_id in session.members:
            last = self._last if self._last.agent_id != agent_id else self._before
            if last is not None and last.seq > max(session.seq, self.seen.get(agent_id, 0)):
                return self.news(last)
        elif agent_id in session.invited and not session.ended:
            return self.invitation()
        return None
