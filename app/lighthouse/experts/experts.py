"""The experts that registered: who is there, who fits a request, and what waits for each of them."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import msgspec

from lighthouse.errors import LighthouseError
from lighthouse.events import Draft, Event, EventStore, Query, events_of
from lighthouse.events.event import timestamp
from lighthouse.experts import record
from lighthouse.experts.capabilities import Capabilities, Coverage, Needs
from lighthouse.experts.errors import BadExpert
from lighthouse.experts.expert import GRACE_SECONDS, Agent, Clock, Expert, Registration
from lighthouse.experts.record import Record
from lighthouse.mailbox import Letter, Mail

STREAM = "experts"
REGISTERED = "expert.registered"
RETURNED = "expert.returned"
LEFT = "expert.left"
# What an expert is told: a request, and what became of it.
REQUEST = "validation.request"
WATCH_SECONDS = 0.5
# How far back it is read how experts did; who was good a month ago need not be now.
RECORD_DAYS = 7

FOLLOWED = ("validation.", "task.")

OnChange = Callable[[], Awaitable[None]]

log = logging.getLogger("lighthouse.experts")


class Answer(Protocol):
    """What an agent said to a request."""

    @property
    def agent_id(self) -> str: ...


class Request(Protocol):
    """What experts are asked about: its id and event, whether it is decided, and who answered so far."""

    @property
    def id(self) -> str: ...
    @property
    def seq(self) -> int: ...
    @property
    def state(self) -> str: ...
    @property
    def answers(self) -> Sequence[Answer]: ...


class Experts:
    """The registry. `on_change` is called after somebody came or went: what waits may be for others now.

    `show` makes of a request what its experts are sent over `mail`.
    """

    def __init__(
        self,
        store: EventStore,
        mail: Mail,
        expert_seconds: float,
        show: Callable[[Any], Any],
        clock: Clock = time.monotonic,
    ) -> None:
        self._store = store
        self._mail = mail
        self._show = show
        self._clock = clock
        self._agents: dict[str, Agent] = {}
        self._asked: dict[str, set[str]] = {}
        self._requests: dict[str, Request] = {}
        self._record = Record(expert_seconds)
        # Who was there when the bridge ended may come back until then.
        self._settled_at = clock() + GRACE_SECONDS
        self._watching: asyncio.Task[None] | None = None
        self._changed = False
        self._stirred = asyncio.Event()
        self.on_change: OnChange | None = None
        # What else an agent has to do, besides answering what waits for it.
        self.other_load: Callable[[str], int] = lambda agent_id: 0
        mail.add(self)
        mail.watch(self._on_socket)

    async def start(self) -> None:
        """Take up what the log holds, and watch from now on who comes and goes."""
        async for event in events_of(self._store, Query(stream=STREAM, limit=1000)):
            self._restore(event)
        since = timestamp(datetime.now(UTC) - timedelta(days=RECORD_DAYS))
        for stream in ("validations", "tasks"):
            async for event in events_of(self._store, Query(stream=stream, since=since, limit=1000)):
                self._record.apply(event)
        self._settled_at = self._clock() + GRACE_SECONDS
        loop = asyncio.get_running_loop()

        def stored(events: Sequence[Event]) -> None:
            if mine := [event for event in events if event.type.startswith(FOLLOWED)]:
                with contextlib.suppress(RuntimeError):  # the loop was closed
                    loop.call_soon_threadsafe(self._follow, mine)

        self._store.add_listener(stored)
        self._watching = asyncio.create_task(self._watch())

    async def close(self) -> None:
        """Watch no more."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def register(self, agent_id: str, capabilities: Capabilities, ttl_seconds: float) -> Expert:
        """Make the agent an expert with just these capabilities; the event is on disk then.

        The same again only says that it is still there, which holds for `ttl_seconds`. Raises BadExpert.
        """
        coverage = Coverage(capabilities)
        agent = self._agent(agent_id)
        known = agent.registration
        if known is None or (known.capabilities, known.ttl_seconds) != (capabilities, ttl_seconds):
            data = msgspec.to_builtins(capabilities) | {"ttl_seconds": ttl_seconds}
            [event] = await self._store.append([Draft(REGISTERED, data, STREAM)], agent_id=agent_id)
            known = agent.registration
            if known is None or known.seq < event.seq:
                known = Registration(capabilities, coverage, ttl_seconds, event.ts, event.seq)
                agent.registration = known
                agent.told_alive = True
                self._change()
        self.heard(agent_id)
        return agent.told(known, self._record, self._load(agent))

    def heard(self, agent_id: str) -> None:
        """The agent asked for what waits: an expert that polls is there too."""
        if (agent := self._agents.get(agent_id)) is not None:
            agent.heard()
            self._stirred.set()

    def get(self, agent_id: str) -> Expert | None:
        """The expert of that id, there or not."""
        agent = self._agents.get(agent_id)
        if agent is None or agent.registration is None:
            return None
        return agent.told(agent.registration, self._record, self._load(agent))

    def all(self) -> list[Expert]:
        """Every expert that ever registered, by id."""
        found = (self.get(agent_id) for agent_id in sorted(self._agents))
        return [expert for expert in found if expert is not None]

    def matching(self, needs: Needs, tier: str | None, without: str) -> list[Expert]:
        """The experts who are there and cover the request, but the one who asks; best first.

        Who named it most precisely, then who has least to do, then who did most of it. Without a tier none is
        asked for.
        """
        found: list[tuple[tuple[float, int, float, str], Expert]] = []
        for agent in self._agents.values():
            registration = agent.registration
            if registration is None or not agent.alive or agent.agent_id == without:
                continue
            named = registration.coverage.specificity(needs, tier)
            if named is not None:
                success = self._record.success(agent.agent_id)
                rank = (-named, self._load(agent), -success, agent.agent_id)
                found.append((rank, agent.told(registration, self._record, rank[1])))
        return [expert for _, expert in sorted(found, key=lambda one: one[0])]

    def covers(self, agent_id: str, needs: Needs, tier: str | None) -> str | None:
        """The speciality of this expert, where it is there and covers the request."""
        agent = self._agents.get(agent_id)
        if agent is None or agent.registration is None or not agent.alive:
            return None
        registration = agent.registration
        named = registration.coverage.specificity(needs, tier)
        return None if named is None else registration.capabilities.speciality

    def ask(self, agent_ids: Sequence[str], request: Request) -> None:
        """Send the request to these agents; who has it already, or answered, is not asked."""
        answered = {answer.agent_id for answer in request.answers}
        self._requests[request.id] = request
        asked = self._asked.setdefault(request.id, set())
        fresh = [agent_id for agent_id in agent_ids if agent_id not in asked]
        asked.update(fresh)
        for agent_id in fresh:
            agent = self._agent(agent_id)
            if agent_id not in answered:
                agent.waiting.add(request.id)
                self._mail.send(agent_id, self._letter(request))
                if not agent.alive:
                    self._change()

    def withdraw(self, request: Request) -> None:
        """Nobody is asked any more: the request is resolved, or goes on without experts."""
        over = "validation.resolved" if request.state == "resolved" else "validation.withdrawn"
        notice = Letter(over, request.id, request.seq, lambda: self._show(request))
        for agent_id in self._asked.pop(request.id, ()):
            self._mail.withdraw(agent_id, REQUEST, request.id, notice)
            if (agent := self._agents.get(agent_id)) is None:
                continue
            agent.waiting.discard(request.id)
            if agent.registration is None and not agent.waiting:
                del self._agents[agent_id]
        self._requests.pop(request.id, None)

    def open_letters(self, agent_id: str) -> Iterator[Letter]:
        """The requests that wait for this agent."""
        if (agent := self._agents.get(agent_id)) is not None:
            for request_id in agent.waiting:
                yield self._letter(self._requests[request_id])

    def acknowledged(self, agent_id: str, letter: Letter) -> None:
        """After a restart a request comes again, as it still waits for its answer."""

    @property
    def alive(self) -> int:
        """How many experts are there."""
        return sum(agent.alive for agent in self._agents.values())

    async def look(self) -> None:
        """Find who came back and who is gone, and have what waits handed on."""
        if self._clock() < self._settled_at:
            return
        for agent in list(self._agents.values()):
            if agent.alive == agent.told_alive:
                continue
            agent.told_alive = agent.alive
            self._changed = True
            waiting = sorted(agent.waiting)
            draft = Draft(RETURNED, {}, STREAM) if agent.alive else Draft(LEFT, {"waiting": waiting}, STREAM)
            try:
                await self._store.append([draft], agent_id=agent.agent_id)
            except LighthouseError:
                log.exception("an expert's coming or going was not noted", extra={"expert": agent.agent_id})
        if self._changed and self.on_change is not None:
            self._changed = False
            await self.on_change()

    def _change(self) -> None:
        self._changed = True
        self._stirred.set()

    async def _watch(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(WATCH_SECONDS):
                    await self._stirred.wait()
            self._stirred.clear()
            try:
                await self.look()
            except Exception:
                log.exception("looking after the experts failed")

    def _load(self, agent: Agent) -> int:
        return len(agent.waiting) + self.other_load(agent.agent_id)

    def _agent(self, agent_id: str) -> Agent:
        return self._agents.setdefault(agent_id, Agent(agent_id, self._mail, self._clock))

    def _letter(self, request: Request) -> Letter:
        return Letter(REQUEST, request.id, request.seq, lambda: self._show(request))

    def _on_socket(self, agent_id: str, opened: bool) -> None:
        if (agent := self._agents.get(agent_id)) is not None:
            if opened:
                agent.connected()
            else:
                agent.disconnected()
        self._stirred.set()

    def _restore(self, event: Event) -> None:
        agent = self._agent(event.agent_id)
        agent.told_alive = event.type != LEFT
        if event.type == REGISTERED:
            said: dict[str, Any] = event.value
            ttl_seconds = said.pop("ttl_seconds")
            capabilities = msgspec.convert(said, Capabilities)
            try:
                coverage = Coverage(capabilities)
            except BadExpert as error:
                # Another version knew other languages or risks. Not asked is safer than asked for all.
                log.warning(
                    "an expert has to register anew", extra={"expert": event.agent_id, "why": str(error)}
                )
                agent.registration = None
                return
            agent.registration = Registration(capabilities, coverage, ttl_seconds, event.ts, event.seq)

    def _follow(self, events: Sequence[Event]) -> None:
        for event in events:
            self._record.apply(event)
            if event.type == record.ANSWERED and (agent := self._agents.get(event.agent_id)) is not None:
                request_id = event.value["id"]
                agent.waiting.discard(request_id)
                self._mail.drop(event.agent_id, REQUEST, request_id)
