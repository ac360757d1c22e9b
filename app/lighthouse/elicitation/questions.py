"""Questions that agents ask each other: asked, answered by whom they are for, or ended by their time.

What is asked and answered is on disk before anybody is told. Questions are events, so a restart finds them
again.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgspec

from lighthouse.casework import Alarm, Case, Clock, Ended, Waiters, Work, number_of
from lighthouse.elicitation import journal
from lighthouse.elicitation.errors import (
    BadQuestion,
    BadReply,
    NoSuchQuestion,
    QuestionClosed,
    TooManyQuestions,
)
from lighthouse.elicitation.form import form
from lighthouse.elicitation.question import (
    ANSWERED,
    CREATED,
    EXPIRED,
    REREAD,
    STREAM,
    Action,
    Question,
    from_event,
    seconds,
)
from lighthouse.errors import LighthouseError
from lighthouse.events import BRIDGE, Draft, Event, EventStore
from lighthouse.events.event import check_agent
from lighthouse.mailbox import Letter, Mail
from lighthouse.sessions import NotAllowed
from lighthouse.validation.bounded import without_tokens

MAX_PENDING = 2048
MAX_PENDING_OF_ONE = 64
KEPT_ENDED = 1000
KEPT_ENDED_BYTES = 16 * 1024 * 1024
# What agents are told: that they are asked, and what became of a question.
ASKED, ENDED = "elicitation.request", "elicitation.ended"
# So long an end waits for its asker to take note of it.
TOLD_SECONDS = 600.0

log = logging.getLogger("lighthouse.elicitation")


class Held(Case):
    """A question that waits."""

    def __init__(self, event: Event, question: Question) -> None:
        super().__init__()
        self.question = question
        self.key: str | None = event.value.get("idempotency_key")
        self.deadline = question.deadline
        self.size = len(event.data)


class Questions:
    """`start` and `close` once each, on one event loop. `release` lets go of all who wait, before a stop."""

    def __init__(self, store: EventStore, mail: Mail, *, clock: Clock = time.time) -> None:
        self._store = store
        self._mail = mail
        self._clock = clock
        self._held: dict[str, Held] = {}
        self._ended = Ended[Question](KEPT_ENDED, KEPT_ENDED_BYTES)
        # Ends that their askers may not know of, in their order: who asked, and until when it is told.
        self._untold: dict[str, tuple[str, float]] = {}
        self._being_asked: Counter[str] = Counter()
        # Who looks for questions, by whom they would be for.
        self._looking: dict[str, Waiters] = {}
        self._newest = 0
        # Answers that take long to check, one after the other.
        self._checking = asyncio.Lock()
        self._work = Work()
        self._alarm = Alarm(self.expire, self._work, clock)
        self._closing = False
        self.ends: Counter[str] = Counter()
        mail.add(self)

    async def start(self) -> None:
        """Take up what the log holds, and end what is past its time."""
        self._newest = self._store.head.seq
        async for event in journal.history(self._store):
            if event.type == CREATED:
                question = from_event(event)
                self._held[question.id] = Held(event, question)
            elif (held := self._held.get(event.value["id"])) is not None:
                self._apply(held, event, live=False)
        await self._alarm.ring()

    def release(self) -> None:
        """Let everybody who waits go on with what is known; nobody waits from now on."""
        self._closing = True
        for held in self._held.values():
            held.waiters.release()
        for looking in self._looking.values():
            looking.release()

    async def close(self) -> None:
        """Stop. What is pending goes on at the next start."""
        self.release()
        self._alarm.close()
        await self._work.close()

    async def ask(
        self,
        agent_id: str,
        to: str,
        message: str,
        schema: dict[str, Any],
        timeout_seconds: int,
        idempotency_key: str | None = None,
    ) -> Question:
        """Ask a question; on return it is on disk. The same again under the same key is the same question.

        Raises BadQuestion, TooManyQuestions, Conflict, and what the event store raises.
        """
        check_agent(to)
        if to == agent_id:
            raise BadQuestion("the question is for whoever asks it", "ask somebody else")
        data: dict[str, Any] = {
            "to": to,
            "message": message,
            "schema": schema,
            "timeout_seconds": timeout_seconds,
        }
        with suppress(TypeError, ValueError, RecursionError):  # the form says why it cannot be kept
            data = without_tokens(data)
            schema = data["schema"]
        form(schema)
        if idempotency_key is not None:
            data["idempotency_key"] = idempotency_key
        return await self._work.finished(self._ask(agent_id, Draft(CREATED, data, STREAM, idempotency_key)))

    async def get(self, question_id: str, wait_seconds: float = 0.0) -> Question:
        """What became of a question, after waiting for its end. Raises NoSuchQuestion."""
        held = self._held.get(question_id)
        if held is not None:
            if not self._closing:
                await held.waiters.wait(wait_seconds)
            return held.question
        if (ended := self._ended.get(question_id)) is not None:
            return ended
        number = number_of(question_id, "q")
        if number is not None and (found := await self._look_up(number)) is not None:
            return found
        raise NoSuchQuestion(f"there is no question {question_id[:40]!r}", "see GET /elicitation/pending")

    def pending(self, to: str | None = None) -> list[Question]:
        """Those that wait, for one agent or for all, the oldest first."""
        now = self._clock()
        return [
            held.question
            for held in self._held.values()
            if (to is None or held.question.to == to) and held.deadline > now
        ]

    async def news(self, to: str, wait_seconds: float) -> None:
        """Return when there is a question for this agent, or the time is over, or the bridge stops."""
        if self._closing:
            return
        looking = self._looking.setdefault(to, Waiters())
        try:
            await looking.wait(wait_seconds)
        finally:
            if not len(looking):
                self._looking.pop(to, None)

    async def answer(
        self, question_id: str, agent_id: str, action: Action, content: Any = msgspec.UNSET, reason: str = ""
    ) -> Question:
        """Take the answer of whom the question is for; on return it is on disk.

        Raises NoSuchQuestion, NotAllowed, QuestionClosed, BadReply, and what the event store raises.
        """
        held = self._held.get(question_id)
        if held is None:
            raise _closed(await self.get(question_id))
        question = held.question
        if agent_id != question.to:
            raise NotAllowed(f"{question.id} is for {question.to}", "answer what is for you")
        data: dict[str, Any] = {"id": question.id, "action": action}
        if action == "accept":
            if content is msgspec.UNSET:
                raise BadReply("the answer has no content", "send what the schema asks for, or decline")
            # Before it is checked: what is kept shall fit.
            data["content"] = without_tokens({"content": content})["content"]
            await form(question.schema).check(data["content"], self._checking)
        elif content is not msgspec.UNSET:
            raise BadReply("a question that is declined has no content", "leave it out, or accept")
        if reason:
            data |= without_tokens({"reason": reason})
        return await self._work.finished(self._answer(held, Draft(ANSWERED, data, STREAM), agent_id))

    async def expire(self) -> float | None:
        """End what is past its time; the next deadline. The room calls it itself, at every deadline."""
        now = self._clock()
        for held in [one for one in self._held.values() if one.deadline <= now]:
            try:
                await self._time_out(held)
            except LighthouseError as error:
                log.error("%s could not be ended: %s", held.question.id, error)  # noqa: TRY400
        return min((held.deadline for held in self._held.values()), default=None)

    def open_letters(self, agent_id: str) -> Iterator[Letter]:
        """The questions that wait for the agent, and the ends of its own that it may not know of."""
        for question in self.pending(agent_id):
            yield _asked(question)
        self._forget_told()
        for id, (asker, _) in self._untold.items():
            if asker == agent_id and (ended := self._ended.get(id)) is not None:
                yield _ended(ended)

    def acknowledged(self, agent_id: str, letter: Letter) -> None:
        """An end is known then. That a question came is not its answer: it stays open."""
        if letter.kind == ENDED:
            self._untold.pop(letter.id, None)
            self._mail.withdraw(agent_id, ENDED, letter.id)

    def status(self) -> dict[str, Any]:
        """Figures for /status."""
        return {"pending": len(self._held), "ended": dict(self.ends)}

    def _check_room(self, agent_id: str, key: str | None) -> None:
        own = [held for held in self._held.values() if held.question.agent_id == agent_id]
        if key is not None and any(held.key == key for held in own):
            return
        if len(self._held) + self._being_asked.total() >= MAX_PENDING:
            raise TooManyQuestions(
                f"{MAX_PENDING} questions wait already", "ask again when some are answered"
            )
        if len(own) + self._being_asked[agent_id] >= MAX_PENDING_OF_ONE:
            raise TooManyQuestions(
                f"{MAX_PENDING_OF_ONE} questions of yours wait already", "wait for the answers to these"
            )

    async def _ask(self, agent_id: str, draft: Draft) -> Question:
        self._check_room(agent_id, draft.idempotency_key)
        self._being_asked[agent_id] += 1
        try:
            [event] = await self._store.append([draft], agent_id=agent_id)
        finally:
            self._being_asked[agent_id] -= 1
            if not self._being_asked[agent_id]:
                del self._being_asked[agent_id]
        id = f"q{event.seq}"
        if (held := self._held.get(id)) is not None:
            return held.question
        if (ended := self._ended.get(id)) is not None:
            return ended
        question = from_event(event)
        if event.seq <= self._newest:
            # Asked before under the same key: long ago, or not known to be on disk until now.
            question = await self._look_up(event.seq) or question
        self._newest = max(self._newest, event.seq)
        if question.state == "pending" and question.id not in self._held:
            held = self._held[question.id] = Held(event, question)
            self._mail.send(question.to, _asked(question))
            if (looking := self._looking.get(question.to)) is not None:
                looking.wake()
            self._alarm.by(held.deadline)
        return question

    async def _look_up(self, seq: int) -> Question | None:
        question = await journal.look_up(self._store, seq)
        if question is not None and question.deadline <= self._clock():
            # For days nobody was there to note its end.
            question.ran_out()
        return question

    async def _answer(self, held: Held, draft: Draft, agent_id: str) -> Question:
        async with held.turn:
            await self._make_sure(held)
            if held.question.state != "pending":
                raise _closed(held.question)
            if held.deadline <= self._clock():
                raise QuestionClosed(
                    f"the time of {held.question.id} is over", "nobody waits for it any more"
                )
            await self._store_about(held, draft, agent_id)
            return held.question

    async def _time_out(self, held: Held) -> None:
        async with held.turn:
            await self._make_sure(held)
            if held.question.state == "pending":
                await self._store_about(held, Draft(EXPIRED, {"id": held.question.id}, STREAM), BRIDGE)

    async def _store_about(self, held: Held, draft: Draft, agent_id: str) -> None:
        """Store what happens to a question, and let it happen. The caller has its turn, and is sure."""
        for event in await held.append(self._store, [draft], agent_id):
            self._apply(held, event)

    async def _make_sure(self, held: Held) -> None:
        """Take over what the log says, where nobody knows whether the last append is on disk."""
        question = held.question
        reread = Draft(REREAD, {"id": question.id}, STREAM)
        for event in await held.make_sure(self._store, reread, lambda: journal.about(self._store, question)):
            self._apply(held, event)

    def _apply(self, held: Held, event: Event, *, live: bool = True) -> None:
        question = held.question
        if question.state != "pending":
            return
        question.take(event)
        if question.state == "pending":
            return
        del self._held[question.id]
        self._ended.add(question.id, question, held.size + len(event.data))
        held.waiters.wake()
        self._untold[question.id] = question.agent_id, seconds(event.ts) + TOLD_SECONDS
        if live:
            self.ends[question.state] += 1
            self._mail.withdraw(question.to, ASKED, question.id, _ended(question))
            self._mail.send(question.agent_id, _ended(question))
        self._forget_told()

    def _forget_told(self) -> None:
        """What ended long ago, or before many others, is told no more."""
        now = self._clock()
        while self._untold:
            # The oldest; there may be a thousand, and this is looked at with each end.
            id, (asker, until) = next(iter(self._untold.items()))
            if until > now and self._ended.get(id) is not None:
                return
            del self._untold[id]
            self._mail.withdraw(asker, ENDED, id)


def _asked(question: Question) -> Letter:
    return Letter(ASKED, question.id, question.seq, question)


def _ended(question: Question) -> Letter:
    return Letter(ENDED, question.id, question.ended_seq or question.seq, question)


def _closed(question: Question) -> QuestionClosed:
    return QuestionClosed(f"{question.id} is {question.state} already", "see GET /elicitation/status/ID")
