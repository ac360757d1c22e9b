"""The room: messages sent, kept in threads, delivered until each recipient acknowledged them, and found.

A message is on disk before anybody is told of it, and so is an acknowledgement before it counts. What is open
follows the log event by event, also where an append failed and turns out to be on disk later.
"""

import asyncio
import logging
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from lighthouse.casework import Waiters, Work
from lighthouse.errors import LighthouseError
from lighthouse.events import Conflict, Draft, Event, EventStore, Query
from lighthouse.events.event import check_agent
from lighthouse.mailbox import Letter, Mail
from lighthouse.messages import finding, journal
from lighthouse.messages.addressing import Addressing
from lighthouse.messages.errors import BadMessage, IndexBehind, NoSuchMessage
from lighthouse.messages.found import Coverage, MessagePage, ThreadPage, Wanted
from lighthouse.messages.index import Index
from lighthouse.messages.message import (
    DELIVERED,
    EVERYBODY,
    SENT,
    STREAM,
    Message,
    Posted,
    Receipt,
    Sent,
    from_event,
    id_of,
    seq_of,
)
from lighthouse.messages.outstanding import Outstanding
from lighthouse.messages.threads import Threads
from lighthouse.sessions import NotAllowed
from lighthouse.validation.bounded import without_tokens

LETTER = "message.new"
KEPT_KEYS = 2000

log = logging.getLogger("lighthouse.messages")


class Messages:
    """`start` and `close` once each, on one event loop. `release` lets go of all who wait, before a stop.

    `known` gives the agents that are about: a message to everybody is for them, and for all who wrote.
    """

    def __init__(
        self,
        store: EventStore,
        mail: Mail,
        known: Callable[[], Iterable[str]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._mail = mail
        self._clock = clock
        self._index = Index(store)
        self._outstanding = Outstanding()
        self._addressing = Addressing(store, self._outstanding, known)
        self._threads = Threads()
        self._keys: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._work = Work()
        self._looking: dict[str, Waiters] = {}
        self._released = False
        # The last event that the log told of, and those after it that are known from their own append.
        self._followed = 0
        self._early: set[int] = set()
        self.sent: Counter[str] = Counter()
        self.acknowledged_count = 0

    async def start(self) -> None:
        """Take up what the log holds, and have the index do so."""
        async for event in journal.history(self._store, journal.earliest(self._clock())):
            self._apply(event, told=False)
            self._followed = event.seq
        self._followed = self._followed or await journal.newest(self._store)
        self._index.start(self._followed)
        loop = asyncio.get_running_loop()

        def stored(events: Sequence[Event]) -> None:
            if mine := [
                event for event in events if event.stream == STREAM and event.type in (SENT, DELIVERED)
            ]:
                with suppress(RuntimeError):  # the loop was closed
                    loop.call_soon_threadsafe(self._follow, mine)

        self._store.add_listener(stored)
        self._mail.add(self)

    def release(self) -> None:
        """Let everybody who waits go on with what is known; nobody waits from now on."""
        self._released = True
        for looking in self._looking.values():
            looking.release()
        self._index.release()

    async def close(self) -> None:
        """Stop. What is not acknowledged is delivered after the next start."""
        self.release()
        await self._work.close()
        await self._index.close()

    async def send(
        self,
        agent_id: str,
        body: str,
        *,
        to: str | None = None,
        thread: str | None = None,
        subject: str = "",
        idempotency_key: str | None = None,
    ) -> Sent:
        """Say something to an agent, to everybody, or to those of a thread; on return it is on disk.

        The same again under the same key is the same message. Raises BadMessage, NoSuchMessage, NobodyThere,
        MailboxFull, IndexBehind, Conflict, and what the event store raises.
        """
        if not body.strip():
            raise BadMessage("the message is empty", "say something")
        if to is None and thread is None:
            raise BadMessage("the message is for nobody", "name an agent, a thread, or * for everybody")
        if to not in (None, EVERYBODY):
            check_agent(to)
            if to == agent_id:
                raise BadMessage("the message is for whoever sends it", "send it to somebody else")
        said: dict[str, Any] = {"body": body}
        said |= {"to": to} if to is not None else {}
        said |= {"subject": subject} if subject else {}
        parties: set[str] = set()
        if thread is not None:
            root, parties = await self._thread(thread, agent_id)
            said["thread"] = id_of(root)
        said = without_tokens(said)
        posted = await self._earlier(agent_id, said, idempotency_key)
        if posted is None:
            self._forget()
            recipients, left_out = self._addressing.recipients(agent_id, to, parties)
            said |= {"recipients": recipients} | ({"left_out": left_out} if left_out else {})
            posted = await self._work.finished(self._send(agent_id, said, idempotency_key))
        fields = {name: getattr(posted, name) for name in Posted.__struct_fields__}
        return Sent(**fields, unseen=await self._addressing.unseen(posted.to))

    async def acknowledge(self, message_id: str, agent_id: str) -> Receipt:
        """The agent has the message, which is not delivered to it any more; on return that is on disk.

        The same again is answered alike. Raises NoSuchMessage, NotAllowed, IndexBehind, Conflict, and what
        the event store raises.
        """
        seq = seq_of(message_id)
        if seq is None:
            raise _no_such(message_id)
        if not self._outstanding.waits(seq, agent_id):
            recipients = (await self.get(message_id, agent_id)).recipients
            if agent_id not in recipients:
                raise NotAllowed(f"{message_id} is not for {agent_id}", "acknowledge what is for you")
            if (at := recipients[agent_id]) is not None:
                return Receipt(message_id, agent_id, at)
        return await self._work.finished(self._acknowledge(message_id, agent_id))

    async def get(self, message_id: str, caller: str) -> Posted:
        """A message, and who acknowledged it. Raises NoSuchMessage, IndexBehind, SearchesBusy."""
        seq = seq_of(message_id)
        if seq is None or seq > self._store.head.seq:
            raise _no_such(message_id)
        found, coverage = await self._index.ask(caller, lambda connection: finding.one(connection, seq))
        if found is not None and coverage.complete:
            return found
        _check(coverage)
        raise _no_such(message_id)

    async def find(self, wanted: Wanted, caller: str) -> MessagePage:
        """A page of messages, and how much of the log it takes into account. Raises SearchesBusy."""
        page, coverage = await self._index.ask(caller, lambda connection: finding.find(connection, wanted))
        page = page or finding.Page([])
        sign = "after" if wanted.thread is not None else "before"
        return MessagePage(
            messages=page.messages,
            next_cursor=None if page.following is None else f"{sign}-{page.following}",
            complete=coverage.complete and not page.timed_out,
            covered_to=coverage.covered_to,
            timed_out=coverage.timed_out or page.timed_out,
            problem=coverage.problem,
        )

    async def threads(
        self, caller: str, agent_id: str | None = None, limit: int = 20, before: int | None = None
    ) -> ThreadPage:
        """A page of threads, of all or of those that one agent is in. Raises SearchesBusy."""
        page, coverage = await self._index.ask(
            caller, lambda connection: finding.threads(connection, caller, agent_id, limit, before)
        )
        page = page or finding.Threads([])
        return ThreadPage(
            threads=page.threads,
            next_cursor=None if page.following is None else f"before-{page.following}",
            complete=coverage.complete and not page.timed_out,
            covered_to=coverage.covered_to,
            timed_out=coverage.timed_out or page.timed_out,
            problem=coverage.problem,
        )

    def unread(self, agent_id: str) -> list[Posted]:
        """What this agent has still to acknowledge, the oldest first; known without the index."""
        self._forget()
        return self._outstanding.of(agent_id)

    async def news(self, agent_id: str, wait_seconds: float) -> None:
        """Return when there is a message for this agent, or the time is over, or the bridge stops."""
        if self._released:
            return
        looking = self._looking.setdefault(agent_id, Waiters())
        try:
            await looking.wait(wait_seconds)
        finally:
            if not len(looking):
                self._looking.pop(agent_id, None)

    def open_letters(self, agent_id: str) -> Iterator[Letter]:
        """What the agent has to be told at each connection: all that it did not acknowledge."""
        return (_letter(posted) for posted in self.unread(agent_id))

    def acknowledged(self, agent_id: str, letter: Letter) -> None:
        """The agent took it over its socket, which has no reply to that: noted as soon as it can be."""
        if letter.kind == LETTER:
            self._work.spawn(self._note(letter.id, agent_id))

    @property
    def newest(self) -> int:
        """The last event that it took up."""
        return self._followed

    @property
    def behind(self) -> int:
        """How many events of the log the index has still to look at."""
        return self._index.behind

    @property
    def open(self) -> int:
        """How many messages somebody has still to acknowledge."""
        return len(self._outstanding)

    def status(self) -> dict[str, Any]:
        """Figures for /status."""
        return {
            "open": len(self._outstanding),
            "agents_with_open": self._outstanding.agents,
            "sent": dict(self.sent),
            "acknowledged": self.acknowledged_count,
            "index": self._index.status(),
        }

    async def _thread(self, message_id: str, caller: str) -> tuple[int, set[str]]:
        """The thread that a message is in, and who is in it."""
        seq = seq_of(message_id)
        if seq is None or seq > self._store.head.seq:
            raise _no_such(message_id)
        if (parties := self._threads.get(seq)) is not None:
            return seq, set(parties)
        found, coverage = await self._index.ask(caller, lambda connection: finding.root(connection, seq))
        if not coverage.complete:
            _check(coverage)
        if found is None:
            raise _no_such(message_id)
        return found[0], set(found[1])

    async def _send(self, agent_id: str, said: dict[str, Any], key: str | None) -> Posted:
        try:
            [event] = await self._store.append([Draft(SENT, said, STREAM, key)], agent_id=agent_id)
        except Conflict as conflict:
            # The same message again may have other recipients by now: then it is the first one all the same.
            event = await self._repeated(agent_id, said, conflict)
        self._take(event)
        if key is not None:
            self._keys[agent_id, key] = event.seq
            if len(self._keys) > KEPT_KEYS:
                self._keys.popitem(last=False)
        return from_event(event)

    async def _repeated(self, agent_id: str, said: dict[str, Any], conflict: Conflict) -> Event:
        query = Query(from_seq=conflict.actual, to_seq=conflict.actual, agent_id=agent_id, limit=1)
        events = (await self._store.query(query)).events
        if not events or events[0].type != SENT or _content(events[0].value) != _content(said):
            raise conflict
        return events[0]

    async def _earlier(self, agent_id: str, said: dict[str, Any], key: str | None) -> Posted | None:
        """What was sent under this key not long ago: it takes no room now, and nobody need be there."""
        if key is None or (seq := self._keys.get((agent_id, key))) is None:
            return None
        taken = Conflict(
            f"the idempotency key was used for other content, event {seq}",
            "use a new key for a new message",
            actual=seq,
        )
        return from_event(await self._repeated(agent_id, said, taken))

    async def _acknowledge(self, message_id: str, agent_id: str) -> Receipt:
        # The key makes it one event, however often and at once it is acknowledged.
        draft = Draft(DELIVERED, {"id": message_id}, STREAM, f"{DELIVERED} {message_id}")
        [event] = await self._store.append([draft], agent_id=agent_id)
        self._take(event)
        return Receipt(message_id, agent_id, event.ts)

    async def _note(self, message_id: str, agent_id: str) -> None:
        try:
            await self._acknowledge(message_id, agent_id)
        except LighthouseError as error:
            # It stays unread, and comes again after a restart.
            log.error("that %s has %s could not be noted: %s", agent_id, message_id, error)  # noqa: TRY400

    def _take(self, event: Event) -> None:
        """An event that an append was answered with: it counts now, whenever the log tells of it."""
        if event.seq > self._followed and event.seq not in self._early:
            self._early.add(event.seq)
            self._apply(event)

    def _follow(self, events: Sequence[Event]) -> None:
        """What the log tells of, each event once and in order."""
        for event in events:
            if event.seq in self._early:
                self._early.discard(event.seq)
            elif event.seq > self._followed:
                self._apply(event)
            self._followed = max(self._followed, event.seq)
        self._index.told(events[-1].seq)

    def _apply(self, event: Event, *, told: bool = True) -> None:
        self._addressing.heard(event.agent_id)
        if event.type == SENT:
            self._sent(event, told=told)
        elif event.type == DELIVERED:
            seq = seq_of(event.value["id"]) or 0
            if self._outstanding.take(seq, event.agent_id, event.ts):
                self.acknowledged_count += told
                self._mail.withdraw(event.agent_id, LETTER, id_of(seq))
        if told:
            self._index.told(event.seq)

    def _sent(self, event: Event, *, told: bool) -> None:
        posted = from_event(event)
        self._outstanding.add(posted, len(event.data))
        agents = posted.agent_id, *posted.recipients
        if posted.thread == posted.id:
            self._threads.begin(posted.seq, agents)
        else:
            self._threads.add(seq_of(posted.thread) or 0, agents)
        if not told:
            return
        self.sent["thread" if posted.to is None else "everybody" if posted.to == EVERYBODY else "agent"] += 1
        for agent_id in posted.recipients:
            self._mail.send(agent_id, _letter(posted))
            if (looking := self._looking.get(agent_id)) is not None:
                looking.wake()

    def _forget(self) -> None:
        """What nobody acknowledged for long is delivered no more."""
        for agent_id, posted in self._outstanding.forget(journal.earliest(self._clock())):
            self._mail.withdraw(agent_id, LETTER, posted.id)


def _letter(posted: Posted) -> Letter:
    """Without its recipients, of whom each would be told as often as there are."""

    def message() -> Message:
        return Message(*(getattr(posted, name) for name in Message.__struct_fields__))

    return Letter(LETTER, posted.id, posted.seq, message)


def _content(said: dict[str, Any]) -> dict[str, Any]:
    return {name: said.get(name) for name in ("to", "thread", "subject", "body")}


def _no_such(message_id: str) -> NoSuchMessage:
    return NoSuchMessage(f"there is no message {message_id[:40]!r}", "see GET /messages")


def _check(coverage: Coverage) -> None:
    """Raises IndexBehind unless all that was stored is taken into account."""
    if not coverage.complete:
        why = f": {coverage.problem}" if coverage.problem else ""
        raise IndexBehind(
            f"the index knows the log up to event {coverage.covered_to} only{why}", "try again in a moment"
        )
