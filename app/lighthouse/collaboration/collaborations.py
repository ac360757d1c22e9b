"""Sessions of several agents: collaborations and pairs, begun, taken part in, and ended, also by their time.

Whatever happens in one is on disk before anybody is told. Sessions are events, so a restart finds them again.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from hashlib import sha256
from typing import Any

from lighthouse.annotations import Annotations
from lighthouse.casework import Alarm, Clock, Ended, Waiters, Work, number_of
from lighthouse.collaboration import journal, moves
from lighthouse.collaboration.collaboration import (
    LIFE_SECONDS,
    REQUESTED,
    REREAD,
    STARTED,
    Collaboration,
    Suggestion,
    Verdict,
)
from lighthouse.collaboration.errors import BadCollaboration, NoSuchCollaboration, TooMuchGoingOn, WrongMove
from lighthouse.collaboration.held import NEWS, Held
from lighthouse.collaboration.marks import Marks
from lighthouse.collaboration.moves import Move
from lighthouse.collaboration.record import Record, replay
from lighthouse.collaboration.references import Reference, References
from lighthouse.errors import LighthouseError
from lighthouse.events import BRIDGE, Draft, Event, EventStore
from lighthouse.events.event import check_agent
from lighthouse.mailbox import Letter, Mail
from lighthouse.proposals import Proposals
from lighthouse.sessions import Identity
from lighthouse.shadow import Shadow

MAX_OPEN = 256
MAX_OPEN_OF_ONE = 32
MAX_ASKED = 15
KEPT_ENDED = 1000
KEPT_ENDED_BYTES = 16 * 1024 * 1024

log = logging.getLogger("lighthouse.collaboration")

Prepare = Callable[[Held], Awaitable[dict[str, Any]]]
Once = tuple[str, bytes]
"""An idempotency key, and the digest of what is asked for under it."""


class Collaborations:
    """`start` and `close` once each, on one event loop. `release` lets go of all who wait, before a stop."""

    def __init__(
        self,
        store: EventStore,
        shadow: Shadow,
        proposals: Proposals,
        annotations: Annotations,
        mail: Mail,
        *,
        clock: Clock = time.time,
    ) -> None:
        self._store = store
        self._mail = mail
        self._clock = clock
        self._references = References(shadow, proposals, annotations)
        self._held: dict[str, Held] = {}
        self._ended: Ended[Held] = Ended(KEPT_ENDED, KEPT_ENDED_BYTES)
        self._beginning: Counter[str] = Counter()
        self._looking: dict[str, Waiters] = {}
        self._looking_up = asyncio.Lock()
        self._newest = 0
        self._work = Work()
        self._alarm = Alarm(self._end_overdue, self._work, clock)
        self._marks = Marks(store, self._work)
        self._closing = False
        self.ends: Counter[str] = Counter()

    async def start(self) -> None:
        """Take up what the log holds, and end what is past its time."""
        self._newest = self._store.head.seq
        async for event in journal.history(self._store):
            if event.type in (STARTED, REQUESTED):
                self._held[f"c{event.seq}"] = Held(event)
            elif (held := self._known(journal.about(event))) is not None:
                self._apply(held, event, told=False)
        self._mail.add(self)
        await self._alarm.ring()

    def release(self) -> None:
        """Let everybody who waits go on with what is known; nobody waits from now on."""
        self._closing = True
        for held in self._held.values():
            held.waiters.release()
        for looking in self._looking.values():
            looking.release()

    async def close(self) -> None:
        """Stop. What goes on goes on at the next start."""
        self.release()
        self._alarm.close()
        await self._work.close()

    # -- looking --

    def going_on(self) -> list[Collaboration]:
        """Those that have not ended, the oldest first."""
        now = self._clock()
        return [held.session for held in self._held.values() if held.session.deadline > now]

    def ended(self) -> list[Collaboration]:
        """The last that ended, the latest first."""
        return [held.session for held in self._ended.latest_first()]

    async def get(self, session_id: str) -> Collaboration:
        """One of them, however old. Raises NoSuchCollaboration."""
        if (held := self._known(session_id)) is not None:
            return held.session
        number = number_of(session_id, "c")
        if number is not None and number <= self._store.head.seq:
            # One at a time: who asks for old ones shall not keep others from the log.
            async with self._looking_up:
                if (held := self._known(session_id) or await self._look_up(number)) is not None:
                    return held.session
        raise NoSuchCollaboration(f"there is no collaboration {session_id[:40]!r}", "see GET /collaborations")

    async def record(self, session_id: str, after: int, limit: int, wait_seconds: float = 0.0) -> Record:
        """What happened in it after event `after`, after waiting while that is nothing.

        Raises NoSuchCollaboration, and what reading the store raises.
        """
        held = self._held.get(session_id)
        if held is not None and held.session.last_seq <= after and not self._closing:
            await held.waiters.wait(wait_seconds)
        return await replay(self._store, self._references, await self.get(session_id), after, limit)

    async def news(self, agent_id: str, wait_seconds: float) -> None:
        """Return when something happened in a session of the agent's, or at the end of the time."""
        if self._closing:
            return
        looking = self._looking.setdefault(agent_id, Waiters())
        try:
            await looking.wait(wait_seconds)
        finally:
            if not len(looking):
                self._looking.pop(agent_id, None)

    def status(self) -> dict[str, Any]:
        """Figures for /status."""
        return {"going_on": len(self._held), "ended": dict(self.ends)}

    # -- beginning --

    async def begin(
        self,
        by: Identity,
        topic: str,
        asked: Sequence[str],
        paths: Sequence[str],
        idle_seconds: int,
        idempotency_key: str | None = None,
    ) -> Collaboration:
        """Begin a collaboration, and ask others to join. The same under the same key is the same one.

        Raises BadCollaboration, TooMuchGoingOn, Conflict, and what the event store raises.
        """
        names = list(dict.fromkeys(asked))
        if not 1 <= len(names) <= MAX_ASKED:
            raise BadCollaboration(f"{len(names)} agents are asked", f"ask 1 to {MAX_ASKED}")
        data = {"topic": topic, "with": names, "paths": list(paths), "idle_seconds": idle_seconds}
        return await self._begin(by, names, STARTED, data, idempotency_key)

    async def request(
        self,
        by: Identity,
        to: str,
        goal: str,
        paths: Sequence[str],
        idle_seconds: int,
        idempotency_key: str | None = None,
    ) -> Collaboration:
        """Ask another agent to work as a pair. Raises as `begin` does."""
        data = {"goal": goal, "to": to, "paths": list(paths), "idle_seconds": idle_seconds}
        return await self._begin(by, [to], REQUESTED, data, idempotency_key)

    # -- taking part --

    async def join(self, session_id: str, by: Identity) -> Collaboration:
        """Come in. Whoever is in is answered as well."""
        return await self._move(session_id, "joined", by, {})

    async def accept(self, session_id: str, by: Identity) -> Collaboration:
        """Take part in the pair. Whoever did is answered as well."""
        return await self._move(session_id, "accepted", by, {})

    async def decline(self, session_id: str, by: Identity, reason: str = "") -> Collaboration:
        """Refuse to be a pair."""
        return await self._move(session_id, "declined", by, {"reason": reason})

    async def say(
        self,
        session_id: str,
        by: Identity,
        text: str,
        reference: Reference | None = None,
        idempotency_key: str | None = None,
    ) -> Collaboration:
        """Tell the others something, pointing to something or not."""

        async def data(_: Held) -> dict[str, Any]:
            kept = {} if reference is None else await self._references.keep(reference, text, by.agent_id)
            return {"text": text, **kept}

        once = _once(idempotency_key, "said", text, reference)
        session, _ = await self._moved(session_id, "said", by, data, once)
        return session

    async def suggest(
        self,
        session_id: str,
        by: Identity,
        text: str,
        reference: Reference,
        idempotency_key: str | None = None,
    ) -> Suggestion:
        """Suggest a proposal, or a note on an anchor, to the partner."""

        async def data(_: Held) -> dict[str, Any]:
            return {"text": text, **await self._references.keep(reference, text, by.agent_id)}

        once = _once(idempotency_key, "suggested", text, reference)
        session, seq = await self._moved(session_id, "suggested", by, data, once)
        made = None if seq is None else session.suggestion(f"s{seq}")
        if made is None:
            raise WrongMove(f"{session_id} cannot be suggested to", "begin another one")
        return made

    async def review(
        self, session_id: str, by: Identity, suggestion_id: str, verdict: Verdict, comment: str = ""
    ) -> Collaboration:
        """Say what one thinks of the partner's suggestion. Raises NoSuchSuggestion, AlreadyReviewed too."""

        async def data(held: Held) -> dict[str, Any]:
            suggestion = moves.check_review(held.session, suggestion_id, by)
            said = {"suggestion": suggestion_id, "verdict": verdict, "comment": comment}
            return said | ({"moved_on": True} if self._moved_on(suggestion) else {})

        return await self._move(session_id, "reviewed", by, data)

    async def leave(self, session_id: str, by: Identity, reason: str = "") -> Collaboration:
        """Go, or refuse to come. With the last one the collaboration ends."""
        return await self._move(session_id, "left", by, {"reason": reason})

    async def complete(self, session_id: str, by: Identity, summary: str) -> Collaboration:
        """The pair has done what it was for."""
        return await self._move(session_id, "completed", by, {"summary": summary})

    async def close_session(self, session_id: str, by: Identity, reason: str = "") -> Collaboration:
        """End it for everybody."""
        return await self._move(session_id, "closed", by, {"how": "closed", "reason": reason})

    # -- letters --

    def open_letters(self, agent_id: str) -> Iterator[Letter]:
        """Invitations that wait for an answer; of sessions the agent is or was in, the last news."""
        for held in [*self._held.values(), *self._ended.latest_first()]:
            if (letter := held.open_letter(agent_id)) is not None:
                yield letter

    def acknowledged(self, agent_id: str, letter: Letter) -> None:
        """News are noted as taken; an invitation stays open until it is answered."""
        held = self._known(letter.id) if letter.kind in NEWS.values() else None
        if held is not None and letter.seq > held.seen.get(agent_id, 0):
            held.seen[agent_id] = letter.seq
            if not self._closing:
                self._marks.note(letter.id, agent_id, letter.seq)

    # -- within --

    def _known(self, session_id: str) -> Held | None:
        return self._held.get(session_id) or self._ended.get(session_id)

    def _moved_on(self, suggestion: Suggestion) -> bool:
        return suggestion.proposal is not None and self._references.moved_on(
            suggestion.proposal, suggestion.proposal_seq
        )

    async def _begin(
        self, by: Identity, asked: list[str], type: str, data: dict[str, Any], key: str | None
    ) -> Collaboration:
        for agent_id in asked:
            check_agent(agent_id)
        if by.agent_id in asked:
            raise BadCollaboration("you ask yourself", "ask others")
        return await self._work.finished(self._store_beginning(by.agent_id, journal.draft(type, data, key)))

    async def _store_beginning(self, agent_id: str, draft: Draft) -> Collaboration:
        self._check_room(agent_id, draft.idempotency_key)
        self._beginning[agent_id] += 1
        try:
            [event] = await self._store.append([draft], agent_id=agent_id)
        finally:
            self._beginning[agent_id] -= 1
            if not self._beginning[agent_id]:
                del self._beginning[agent_id]
        if event.seq <= self._newest:
            # Perhaps begun before under the same key, and perhaps ended.
            return await self.get(f"c{event.seq}")
        self._newest = event.seq
        held = Held(event)
        held.key = draft.idempotency_key
        self._hold(held)
        return held.session

    def _hold(self, held: Held) -> None:
        """It goes on, and those who are asked are told."""
        session = held.session
        self._held[session.id] = held
        self._alarm.by(session.deadline)
        for invited in session.invited:
            self._mail.send(invited, held.invitation())
        self._wake(held)

    async def _look_up(self, seq: int) -> Held | None:
        held = await journal.look_up(self._store, seq)
        if held is None or held.session.ended or held.session.id in self._held:
            return held
        if held.session.deadline > self._clock():
            # Its beginning is on disk although it was said that it could not be stored.
            self._hold(held)
        else:
            # For longer than it lasts nobody was there to note its end.
            held.session.expired()
        return held

    def _check_room(self, agent_id: str, key: str | None) -> None:
        mine = [held for held in self._held.values() if held.session.agent_id == agent_id]
        if key is not None and any(held.key == key for held in mine):
            return
        own = len(mine)
        if len(self._held) + self._beginning.total() >= MAX_OPEN:
            raise TooMuchGoingOn(f"{MAX_OPEN} sessions are going on", "begin one when some have ended")
        if own + self._beginning[agent_id] >= MAX_OPEN_OF_ONE:
            raise TooMuchGoingOn(f"{MAX_OPEN_OF_ONE} sessions of yours are going on", "end some of them")

    async def _move(
        self,
        session_id: str,
        move: Move,
        by: Identity,
        data: dict[str, Any] | Prepare,
    ) -> Collaboration:
        session, _ = await self._moved(session_id, move, by, data)
        return session

    async def _moved(
        self,
        session_id: str,
        move: Move,
        by: Identity,
        data: dict[str, Any] | Prepare,
        once: Once | None = None,
    ) -> tuple[Collaboration, int | None]:
        """The session and the number of the event that the move made, if it made one."""
        held = self._held.get(session_id)
        if held is None:
            session = await self.get(session_id)
            held = self._held.get(session_id)
        if held is None:
            moves.check(session, move, by)
            raise moves.over(session)
        return await self._work.finished(self._store_move(held, move, by, data, once))

    async def _store_move(
        self, held: Held, move: Move, by: Identity, data: dict[str, Any] | Prepare, once: Once | None
    ) -> tuple[Collaboration, int | None]:
        key, asked = once or (None, b"")
        async with held.turn:
            await self._make_sure(held)
            session = held.session
            if key is not None and (seq := held.said(by.agent_id, key, asked)) is not None:
                # Before anything is kept anew: what it points to may have moved on.
                return session, seq
            if moves.is_done(session, move, by):
                return session, None
            moves.check(session, move, by)
            if session.deadline <= self._clock():
                raise WrongMove(f"the time of {session.id} is over", "begin another one")
            said = await data(held) if callable(data) else data
            drafts = [journal.draft(f"{session.kind}.{move}", {"id": session.id, **said}, key)]
            if move == "left" and session.members == [by.agent_id]:
                empty = {"id": session.id, "how": "empty", "reason": "everybody left"}
                drafts.append(journal.draft("collaboration.closed", empty))
            events = await held.append(self._store, drafts, by.agent_id)
            for event in events:
                self._apply(held, event)
            if key is not None:
                held.keep_said(by.agent_id, key, asked, events[0].seq)
            return session, events[0].seq

    async def _make_sure(self, held: Held) -> None:
        session = held.session

        async def missed() -> list[Event]:
            head = self._store.head.seq
            after = session.last_seq + 1
            return [event async for event in journal.events(self._store, session.id, after, head)]

        for event in await held.make_sure(self._store, journal.draft(REREAD, {"id": session.id}), missed):
            self._apply(held, event)

    def _apply(self, held: Held, event: Event, *, told: bool = True) -> None:
        if not held.take(event):
            return
        session = held.session
        if session.ended:
            del self._held[session.id]
            self._ended.add(session.id, held, held.size)
        if told:
            if session.ended:
                self.ends[session.how or session.state] += 1
            self._tell(held, event)

    def _tell(self, held: Held, event: Event) -> None:
        session, news = held.session, held.news(event)
        invitation = held.invitation().kind
        self._mail.withdraw(event.agent_id, invitation, session.id)
        if session.ended:
            for invited in session.invited:
                self._mail.withdraw(invited, invitation, session.id, news)
        for member in session.members:
            if member != event.agent_id:
                self._mail.send(member, news)
        self._wake(held)

    def _wake(self, held: Held) -> None:
        held.waiters.wake()
        session = held.session
        for agent_id in (*session.members, *session.asked):
            if (looking := self._looking.get(agent_id)) is not None:
                looking.wake()

    async def _end_overdue(self) -> float | None:
        now = self._clock()
        for held in [one for one in self._held.values() if one.session.deadline <= now]:
            try:
                await self._end(held)
            except LighthouseError as error:
                log.error("%s could not be ended: %s", held.session.id, error)  # noqa: TRY400
        return min((held.session.deadline for held in self._held.values()), default=None)

    async def expire(self) -> None:
        """End what is past its time. The room calls it itself, at every deadline."""
        await self._alarm.ring()

    async def _end(self, held: Held) -> None:
        async with held.turn:
            await self._make_sure(held)
            session = held.session
            if session.ended or session.deadline > self._clock():
                return
            how, told = "idle", f"nothing happened for {session.idle_seconds} s"
            if session.outlived:
                how, told = "lifetime", f"it went on for {LIFE_SECONDS} s"
            data = {"id": session.id, "how": how, "reason": told}
            [event] = await held.append(self._store, [journal.draft(f"{session.kind}.closed", data)], BRIDGE)
            self._apply(held, event)


def _once(key: str | None, *asked: object) -> Once | None:
    return None if key is None else (key, sha256(repr(asked).encode()).digest())
