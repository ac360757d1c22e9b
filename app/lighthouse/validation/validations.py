"""The speed layer: every tool call gets its verdict here, at once or by somebody's answer.

A verdict is on disk before it is given. Requests, answers and remembered rules are events, so a restart finds
them all again.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from lighthouse.config import Settings
from lighthouse.errors import LighthouseError
from lighthouse.events import BRIDGE, Draft, Event, EventStore, NoRoom, StoreUnavailable
from lighthouse.policy import Call, Judgement, Verdict
from lighthouse.policy.verdict import Tier
from lighthouse.sessions import Identity
from lighthouse.shadow import Shadow
from lighthouse.validation import answering, facts, journal, quorum
from lighthouse.validation.desk import Desk
from lighthouse.validation.errors import NoSuchValidation
from lighthouse.validation.judging import Judging
from lighthouse.validation.remembered import REMEMBERED, REVOKED, Memory, Remember, Remembered
from lighthouse.validation.request import (
    ANSWERED,
    HANDED_ON,
    REQUESTED,
    REREAD,
    Outcome,
    Validation,
    Word,
)
from lighthouse.validation.surroundings import Surroundings
from lighthouse.validation.waiting import Held, Key, Waiting

RETRY_SECONDS = 1.0
# The clock that deadlines go by may be set; they are looked at again after so long at the latest.
WATCH_SECONDS = 30.0

T = TypeVar("T")
Listener = Callable[[Validation], None]

log = logging.getLogger("lighthouse.validation")


class Validations:
    """`start` and `close` once each, on one event loop. `release` lets go of all who wait, before a stop."""

    def __init__(
        self,
        settings: Settings,
        store: EventStore,
        shadow: Shadow,
        desk: Desk,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._store = store
        self._desk = desk
        self._clock = clock
        self.judging = Judging(settings, store)
        self._surroundings = Surroundings(shadow, store, self.judging.roots)
        self._memory = Memory()
        self._waiting = Waiting()
        self._listeners: list[Listener] = []
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closing = False
        self.verdicts: Counter[str] = Counter()
        self.resolutions: Counter[str] = Counter()

    async def start(self) -> None:
        """Load the policies and what the log holds; end what is past its time."""
        await self.judging.start()
        async for event in journal.history(self._store):
            if event.type in (REMEMBERED, REVOKED):
                self._memory.take(event)
            else:
                self._waiting.restore(event)
        self._waiting.restored()
        await self.expire()
        for held in self._waiting.all():
            if held.handed_out:
                self._desk.ask(held.validation.asked, held.validation)

    def release(self) -> None:
        """Let everybody who waits go on with what is known; nobody waits from now on."""
        self._closing = True
        self._waiting.release()

    async def close(self) -> None:
        """Stop. What is pending goes on at the next start."""
        self.release()
        if self._timer is not None:
            self._timer.cancel()
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.judging.close()

    def add_listener(self, callback: Listener) -> None:
        """Call `callback` on the event loop when a request was made, answered or resolved."""
        self._listeners.append(callback)

    async def judge(self, call: Call, *, wait_seconds: float = 0.0) -> Outcome:
        """The verdict on a call; where the policies leave it open, after waiting for an answer.

        Raises BadCall, and what the event store raises: no verdict leaves that is not on disk.
        """
        started = time.perf_counter()
        judged = self.judging.at_once(call)
        if judged is None:
            judged = await self.judging.aside(call)
        latency_us = round((time.perf_counter() - started) * 1e6)
        verdict = judged.verdict
        if verdict.decision == "escalate":
            return await self._escalate(call, judged, latency_us, wait_seconds)
        data = journal.judged_data(call, judged, verdict, self.judging.version, latency_us)
        return await self._decided(call.agent, data)

    async def get(self, validation_id: str, wait_seconds: float = 0.0) -> Validation:
        """What became of a call, after waiting for its answer. Raises NoSuchValidation."""
        await self._waiting.wait(validation_id, wait_seconds)
        if (known := self._waiting.known(validation_id)) is not None:
            return known
        number = validation_id[1:]
        if validation_id[:1] == "v" and number.isascii() and number.isdigit() and len(number) <= 18:
            found = await journal.look_up(self._store, int(number))
            if found is not None:
                return found
        raise NoSuchValidation(f"there is no validation {validation_id[:40]!r}", "see GET /approvals")

    def pending(self) -> list[Validation]:
        """Those that wait, the oldest first."""
        return [held.validation for held in self._waiting.all()]

    def answerable(self, by: Identity) -> list[Validation]:
        """Those of them that this one may answer now."""

        def may(validation: Validation) -> bool:
            try:
                self._check_answer(validation, by)
            except LighthouseError:
                return False
            return True

        return [validation for validation in self.pending() if may(validation)]

    async def news(self, wait_seconds: float) -> None:
        """Return when something happened to a request, or the time is over, or the bridge stops."""
        await self._waiting.news(wait_seconds)

    def resolved(self) -> list[Validation]:
        """The last ones that were answered or ran out, the latest first."""
        return self._waiting.ended()

    async def answer(
        self,
        validation_id: str,
        by: Identity,
        verdict: Word,
        reason: str,
        remember: Remember | None = None,
    ) -> Validation:
        """Take somebody's answer to a request; on return it is on disk.

        Raises NoSuchValidation, NotAllowed, AlreadyAnswered, AlreadyResolved, BadAnswer, TooManyRules, and
        what the event store raises.
        """
        return await self._finished(self._answer(validation_id, by, verdict, reason.strip(), remember))

    def rules(self) -> list[Remembered]:
        """The remembered rules in force, the oldest first."""
        return self._memory.all(self._clock())

    async def revoke_rule(self, rule_id: str, by: Identity, reason: str = "") -> Remembered:
        """End a remembered rule. Raises NoSuchRule, NotAllowed, and what the event store raises."""
        answering.check_role(by, "rule.write")
        rule = self._memory.get(rule_id, self._clock())

        async def revoke() -> None:
            draft = journal.draft(REVOKED, {"id": rule_id, "reason": reason})
            (event,) = await self._store.append([draft], agent_id=by.agent_id)
            self._memory.take(event)

        await self._finished(revoke())
        return rule

    async def hand_on(self) -> None:
        """Experts came or went: where fewer are there than a request should have, ask others too."""
        for held in self._waiting.all():
            await self._finished(self._hand_on(held))

    async def expire(self) -> None:
        """End what is past its time. The room calls it itself, at every deadline."""
        now = self._clock()
        for held in self._waiting.all():
            if held.validation.deadline <= now:
                try:
                    await self._time_out(held)
                except LighthouseError as error:
                    log.error("%s could not be ended: %s", held.validation.id, error)  # noqa: TRY400
            elif held.handed_out and held.validation.experts_deadline <= now:
                self._withdraw(held)
        self._arm()

    def status(self) -> dict[str, Any]:
        """Figures for /status."""
        return {
            "policies": self.judging.count,
            "version": self.judging.version,
            "problem": self.judging.problem,
            "verdicts": dict(self.verdicts),
            "pending": len(self._waiting),
            "resolved": dict(self.resolutions),
            "rules": len(self.rules()),
        }

    async def _decided(self, agent_id: str, data: dict[str, Any]) -> Outcome:
        """Store a verdict that is final, and only then give it."""
        (event,) = await self._store.append([journal.verdict_draft(data)], agent_id=agent_id)
        decision = data["decision"]
        self.verdicts[decision] += 1
        return Outcome(
            f"v{event.seq}",
            decision,
            data["reason"],
            data["rule"],
            data["tier"],
            data.get("suggestion", ""),
            data["latency_us"],
            "decided",
        )

    async def _escalate(self, call: Call, judged: Judgement, latency_us: int, wait_seconds: float) -> Outcome:
        digest = facts.digest(call, judged)
        policy = self.judging.version
        if (rule := self._memory.find(call.agent, judged, digest, self._clock())) is not None:
            verdict = rule.verdict(judged.verdict.tier)
            data = journal.judged_data(call, judged, verdict, policy, latency_us, "rule")
            return await self._decided(call.agent, data)
        key = call.agent, digest, policy
        request = self._waiting.open.get(key)
        if request is None:
            if (why := self._waiting.why_full(call.agent)) is not None:
                verdict = Verdict("deny", why, "too-many-pending", judged.verdict.tier)
                data = journal.judged_data(call, judged, verdict, policy, latency_us)
                return await self._decided(call.agent, data)
            request = self._spawn(self._request(call, judged, latency_us, key))
            self._waiting.open[key] = request
        # Whoever joins must not take it from the others by going away.
        validation = await asyncio.shield(request)
        await self._waiting.wait(validation.id, wait_seconds)
        return validation.outcome()

    async def _request(self, call: Call, judged: Judgement, latency_us: int, key: Key) -> Validation:
        try:
            _, digest, policy = key
            needs = facts.needs(judged, self.judging.roots)
            data = journal.judged_data(call, judged, judged.verdict, policy, latency_us)
            data |= journal.doubt_data(judged, needs, digest)
            data |= await self._surroundings.of(call, judged, needs, self._waiting.ended())
            fitting = self._fitting(needs, judged.verdict.tier, call.agent)
            # One more than have to approve, for not everybody answers.
            experts = quorum.chosen(fitting, data["quorum"] + 1)
            data |= {"asked": list(experts), "specialities": experts, **self._deadlines()}
            (event,) = await self._store.append([journal.draft(REQUESTED, data)], agent_id=call.agent)
        except BaseException:
            del self._waiting.open[key]
            raise
        self.verdicts["escalate"] += 1
        held = self._waiting.add(event)
        if held.handed_out:
            self._desk.ask(held.validation.asked, held.validation)
        self._tell(held.validation)
        self._arm()
        # For who came or went between the choice and now.
        self._spawn(self._hand_on(held))
        return held.validation

    def _deadlines(self) -> dict[str, str]:
        now, patience = self._clock(), self._settings.person_seconds
        return {
            "expires_at": answering.moment(now + patience),
            "experts_until": answering.moment(now + min(self._settings.expert_seconds, patience)),
        }

    def _fitting(self, needs: facts.Needs | None, tier: Tier, without: str) -> dict[str, str]:
        """The experts who fit, with their specialities, the best first."""
        found = self._desk.matching(needs or facts.Needs(), tier, without)
        return {one.agent_id: one.speciality for one in found}

    async def _answer(
        self, validation_id: str, by: Identity, verdict: Word, reason: str, remember: Remember | None
    ) -> Validation:
        answering.check_reason(reason)
        held = self._waiting.get(validation_id)
        if held is None:
            raise answering.over(await self.get(validation_id))
        async with held.turn:
            await self._make_sure(held)
            validation = held.validation
            answer = answering.answered(by, verdict, reason, self._check_answer(validation, by))
            drafts = answering.drafts(validation, by, answer, self._memory, remember, self._clock())
            await self._store_about(held, drafts, by.agent_id)
            return validation

    def _check_answer(self, validation: Validation, by: Identity) -> str | None:
        """What an expert answers as; None for a person. Raises unless this one may answer now."""
        now = self._clock()
        answering.check_answer(validation, by, now)
        if by.role in quorum.PERSONS:
            return None
        known = self._desk.covers(by.agent_id, validation.needs or facts.Needs(), validation.tier)
        return answering.speciality(validation, by, known, now)

    async def _time_out(self, held: Held) -> None:
        async with held.turn:
            await self._make_sure(held)
            validation = held.validation
            if validation.resolution is None:
                reason = f"nobody decided within {self._settings.person_seconds:g} s"
                answers = len(validation.answers)
                draft = answering.resolving(validation, "deny", reason, "timeout", answers)
                await self._store_about(held, [draft], BRIDGE)

    async def _hand_on(self, held: Held) -> None:
        async with held.turn:
            await self._make_sure(held)
            validation = held.validation
            if validation.resolution is not None or self._clock() >= validation.experts_deadline:
                return
            fitting = self._fitting(validation.needs, validation.tier, validation.agent_id)
            there = {one: fitting[one] for one in fitting if one in validation.asked}
            wanted = quorum.chosen(there | fitting, (validation.quorum or 1) + 1)
            fresh = {one: wanted[one] for one in wanted if one not in there}
            if fresh:
                data: dict[str, Any] = {"id": validation.id, "asked": list(fresh), "specialities": fresh}
                try:
                    await self._store_about(held, [journal.draft(HANDED_ON, data)], BRIDGE)
                except LighthouseError as error:
                    log.error("%s could not be handed on: %s", validation.id, error)  # noqa: TRY400
                    return
                held.handed_out = True
                self._desk.ask(list(fresh), validation)
                self._arm()

    async def _store_about(self, held: Held, drafts: list[Draft], agent_id: str) -> None:
        """Store what happens to a request, and let it happen. The caller has its turn, and is sure."""
        try:
            events = await self._store.append(drafts, agent_id=agent_id)
        except NoRoom:
            raise
        except StoreUnavailable:
            held.unsure = True
            raise
        for event in events:
            self._apply(held, event)
        self._tell(held.validation)

    async def _make_sure(self, held: Held) -> None:
        """After an append of which nobody knows whether it is on disk: take over what the log says.

        Once something else is on disk, what came before it is certain.
        """
        if held.unsure:
            validation = held.validation
            await self._store.append([journal.draft(REREAD, {"id": validation.id})], agent_id=BRIDGE)
            known = {answer.agent_id for answer in validation.answers}
            for event in await journal.about(self._store, validation):
                if event.type != ANSWERED or event.agent_id not in known:
                    self._apply(held, event)
            held.unsure = False
            self._tell(validation)

    def _apply(self, held: Held, event: Event) -> None:
        validation = held.validation
        if event.type == REMEMBERED:
            self._memory.take(event)
        elif validation.resolution is None:
            validation.take(event)
            if validation.resolution is not None:
                self.resolutions[validation.resolution.how] += 1
                self._waiting.end(held)
                self._withdraw(held)

    def _withdraw(self, held: Held) -> None:
        if held.handed_out:
            self._desk.withdraw(held.validation)
        held.handed_out = False

    def _tell(self, validation: Validation) -> None:
        self._waiting.changed()
        for listener in self._listeners:
            try:
                listener(validation)
            except Exception:
                log.exception("a listener of the validations failed")

    def _arm(self) -> None:
        """Look again at the next deadline."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._closing or not len(self._waiting):
            return
        left = min(held.next_deadline for held in self._waiting.all()) - self._clock()
        # What is past its time could not be stored; it is tried again, and not without a pause.
        wait = RETRY_SECONDS if left <= 0 else min(left, WATCH_SECONDS)
        self._timer = asyncio.get_running_loop().call_later(wait, lambda: self._spawn(self.expire()))

    def _spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # its caller is told, unless it went away

    async def _finished(self, work: Coroutine[Any, Any, T]) -> T:
        """Await what must come to its end even when the caller goes away."""
        return await asyncio.shield(self._spawn(work))
