"""The speed layer: every tool call gets its verdict here, at once or by somebody's answer.

A verdict is on disk before it is given. Requests, answers and remembered rules are events, so a restart finds
them all again.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec

from lighthouse.casework import Alarm, Work, number_of
from lighthouse.config import Settings
from lighthouse.errors import LighthouseError
from lighthouse.events import BRIDGE, Draft, Event, EventStore
from lighthouse.leases import Leases
from lighthouse.policy import Call, Judgement, Verdict
from lighthouse.policy.verdict import Tier
from lighthouse.sessions import Identity
from lighthouse.shadow import Shadow
from lighthouse.validation import answering, facts, journal, quorum
from lighthouse.validation.desk import Desk
from lighthouse.validation.errors import NoSuchValidation
from lighthouse.validation.judging import Judging
from lighthouse.validation.leased import Leased
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
        leases: Leases,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._store = store
        self._desk = desk
        self._clock = clock
        self.judging = Judging(settings, store)
        self._surroundings = Surroundings(shadow, store, self.judging.roots)
        self._leased = Leased(leases, shadow, self.judging.roots)
        self._memory = Memory()
        self._waiting = Waiting()
        self._listeners: list[Listener] = []
        self._work = Work()
        self._alarm = Alarm(self.expire, self._work, clock)
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
        await self._alarm.ring()
        for held in self._waiting.all():
            if held.handed_out:
                self._desk.ask(held.validation.asked, held.validation)

    def release(self) -> None:
        """Let everybody who waits go on with what is known; nobody waits from now on."""
        self._waiting.release()

    async def close(self) -> None:
        """Stop. What is pending goes on at the next start."""
        self.release()
        self._alarm.close()
        await self._work.close()
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
        if verdict.decision != "deny":
            denied = self._leased.verdict(call.agent, judged.facts, verdict.tier)
            if denied is not None:
                data = journal.judged_data(call, judged, denied, self.judging.version, latency_us, "lease")
                return await self._decided(call.agent, data)
        if verdict.decision == "escalate":
            return await self._escalate(call, judged, latency_us, wait_seconds)
        data = journal.judged_data(call, judged, verdict, self.judging.version, latency_us)
        return await self._decided(call.agent, data)

    async def get(self, validation_id: str, wait_seconds: float = 0.0) -> Validation:
        """What became of a call, after waiting for its answer. Raises NoSuchValidation."""
        await self._waiting.wait(validation_id, wait_seconds)
        if (known := self._waiting.known(validation_id)) is not None:
            return known
        number = number_of(validation_id, "v")
        if number is not None and (found := await journal.look_up(self._store, number)) is not None:
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
        return await self._work.finished(self._answer(validation_id, by, verdict, reason.strip(), remember))

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

        await self._work.finished(revoke())
        return rule

    async def hand_on(self) -> None:
        """Experts came or went: where fewer are there than a request should have, ask others too."""
        for held in self._waiting.all():
            await self._work.finished(self._hand_on(held))

    async def expire(self) -> float | None:
        """End what is past its time; the next deadline. The room calls it itself, at every deadline."""
        now = self._clock()
        for held in self._waiting.all():
            if held.validation.deadline <= now:
                try:
                    await self._time_out(held)
                except LighthouseError as error:
                    log.error("%s could not be ended: %s", held.validation.id, error)  # noqa: TRY400
            elif held.handed_out and held.validation.experts_deadline <= now:
                self._withdraw(held)
        return min((held.next_deadline for held in self._waiting.all()), default=None)

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
            request = self._work.spawn(self._request(call, judged, latency_us, key))
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
            data["touches"] = msgspec.to_builtins(self._leased.touches(judged.facts))
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
        self._alarm.by(held.next_deadline)
        # For who came or went between the choice and now.
        self._work.spawn(self._hand_on(held))
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
            # Who has leased the paths since it was asked is not passed over.
            denied = self._leased.denial(validation.agent_id, validation.touches, validation.tier)
            drafts = answering.drafts(validation, by, answer, denied, self._memory, remember, self._clock())
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
                self._alarm.by(held.next_deadline)

    async def _store_about(self, held: Held, drafts: list[Draft], agent_id: str) -> None:
        """Store what happens to a request, and let it happen. The caller has its turn, and is sure."""
        for event in await held.append(self._store, drafts, agent_id):
            self._apply(held, event)
        self._tell(held.validation)

    async def _make_sure(self, held: Held) -> None:
        """Take over what the log says, where nobody knows whether the last append is on disk."""
        doubted, validation = held.unsure, held.validation
        reread = journal.draft(REREAD, {"id": validation.id})
        known = {answer.agent_id for answer in validation.answers}
        for event in await held.make_sure(
            self._store, reread, lambda: journal.about(self._store, validation)
        ):
            if event.type != ANSWERED or event.agent_id not in known:
                self._apply(held, event)
        if doubted:
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
