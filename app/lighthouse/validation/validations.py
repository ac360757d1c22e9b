"""The speed layer: every tool call gets its verdict here, at once or by somebody's answer.

A verdict is on disk before it is given. Requests, answers and remembered rules are events, so a restart finds
them all again.
"""

import asyncio
import logging
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from lighthouse.config import Settings
from lighthouse.errors import LighthouseError
from lighthouse.events import BRIDGE, Draft, Event, EventStore, NoRoom, StoreUnavailable
from lighthouse.events.event import timestamp
from lighthouse.policy import Call, Judgement, Verdict
from lighthouse.sessions import Identity, NotAllowed, Permission, allows
from lighthouse.validation import facts, journal, quorum
from lighthouse.validation.desk import Desk
from lighthouse.validation.errors import (
    AlreadyAnswered,
    AlreadyResolved,
    BadAnswer,
    NoSuchValidation,
)
from lighthouse.validation.judging import Judging
from lighthouse.validation.remembered import REMEMBERED, REVOKED, Memory, Remember, Remembered
from lighthouse.validation.request import (
    ANSWERED,
    REQUESTED,
    RESOLVED,
    Answer,
    Outcome,
    Validation,
    Word,
    from_event,
    seconds,
)

MAX_PENDING = 256
MAX_PENDING_OF_ONE = 32
KEPT_RESOLVED = 1000
MAX_ANSWER = 1000
RETRY_SECONDS = 1.0
# The clock that deadlines go by may be set; they are looked at again after so long at the latest.
WATCH_SECONDS = 30.0

T = TypeVar("T")
Waiter = asyncio.Future[None]
Listener = Callable[[Validation], None]
Key = tuple[str, str, str]
"""Who asks, what, and by which policies."""

log = logging.getLogger("lighthouse.validation")


class _Held:
    """A request that waits: whose turn it is to change it, and who waits for its end."""

    def __init__(self, validation: Validation) -> None:
        self.validation = validation
        self.turn = asyncio.Lock()
        self.waiters: set[Waiter] = set()
        self.handed_out = bool(validation.asked)
        # An append failed such that nobody knows whether it is on disk.
        self.unsure = False


class Validations:
    """`start` and `close` once each, on one event loop. `release` lets go of all who wait, before a stop."""

    def __init__(
        self,
        settings: Settings,
        store: EventStore,
        desk: Desk | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._store = store
        self._desk = desk
        self._clock = clock
        self.judging = Judging(settings, store)
        self._memory = Memory()
        self._pending: dict[str, _Held] = {}
        self._resolved: OrderedDict[str, Validation] = OrderedDict()
        # The same call asked again while it waits finds the request that is there, or is being made.
        self._open: dict[Key, asyncio.Future[Validation]] = {}
        self._listeners: list[Listener] = []
        self._curious: set[Waiter] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._released = False
        self.verdicts: Counter[str] = Counter()
        self.resolutions: Counter[str] = Counter()

    async def start(self) -> None:
        """Load the policies and what the log holds; end what is past its time."""
        await self.judging.start()
        async for event in journal.history(self._store):
            self._restore(event)
        for held in self._pending.values():
            validation = held.validation
            future = asyncio.get_running_loop().create_future()
            future.set_result(validation)
            self._open[_key(validation)] = future
        await self.expire()
        if self._desk is not None:
            for held in self._pending.values():
                if held.handed_out:
                    self._desk.ask(held.validation.asked, held.validation)

    def release(self) -> None:
        """Let everybody who waits go on with what is known; nobody waits from now on."""
        self._released = True
        for held in self._pending.values():
            _wake(held.waiters)
        _wake(self._curious)

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
        await self._wait(validation_id, wait_seconds)
        held = self._pending.get(validation_id)
        if held is not None:
            return held.validation
        if (resolved := self._resolved.get(validation_id)) is not None:
            return resolved
        number = validation_id[1:]
        if validation_id[:1] == "v" and number.isascii() and number.isdigit() and len(number) <= 18:
            found = await journal.look_up(self._store, int(number))
            if found is not None:
                return found
        raise NoSuchValidation(f"there is no validation {validation_id[:40]!r}", "see GET /approvals")

    def pending(self) -> list[Validation]:
        """Those that wait, the oldest first."""
        return [held.validation for held in self._pending.values()]

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
        if not self._released:
            await _woken(self._curious, wait_seconds)

    def resolved(self) -> list[Validation]:
        """The last ones that were answered or ran out, the latest first."""
        return list(reversed(self._resolved.values()))

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
        _check(by, "rule.write")
        rule = self._memory.get(rule_id, self._clock())

        async def revoke() -> None:
            draft = journal.draft(REVOKED, {"id": rule_id, "reason": reason})
            (event,) = await self._store.append([draft], agent_id=by.agent_id)
            self._memory.take(event)

        await self._finished(revoke())
        return rule

    async def expire(self) -> None:
        """End what is past its time. The room calls it itself, at every deadline."""
        now = self._clock()
        for held in list(self._pending.values()):
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
            "pending": len(self._pending),
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
            word = "allowed" if rule.decision == "allow" else "denied"
            verdict = Verdict(
                rule.decision, f"{word} by {rule.by}: {rule.reason}", rule.id, judged.verdict.tier
            )
            data = journal.judged_data(call, judged, verdict, policy, latency_us, "rule")
            return await self._decided(call.agent, data)
        key = call.agent, digest, policy
        request = self._open.get(key)
        if request is None:
            if (why := self._why_full(call.agent)) is not None:
                verdict = Verdict("deny", why, "too-many-pending", judged.verdict.tier)
                data = journal.judged_data(call, judged, verdict, policy, latency_us)
                return await self._decided(call.agent, data)
            request = self._spawn(self._request(call, judged, latency_us, key))
            self._open[key] = request
        # Whoever joins must not take it from the others by going away.
        validation = await asyncio.shield(request)
        await self._wait(validation.id, wait_seconds)
        return validation.outcome()

    def _why_full(self, agent_id: str) -> str | None:
        if len(self._open) >= MAX_PENDING:
            return f"{MAX_PENDING} calls wait for an answer already: ask again when some are answered"
        if sum(key[0] == agent_id for key in self._open) >= MAX_PENDING_OF_ONE:
            return f"{MAX_PENDING_OF_ONE} calls of yours wait for an answer already: wait for these first"
        return None

    async def _request(self, call: Call, judged: Judgement, latency_us: int, key: Key) -> Validation:
        try:
            data = journal.judged_data(call, judged, judged.verdict, self.judging.version, latency_us)
            kept = facts.kept(judged)
            needs = facts.needs(judged, self.judging.roots)
            data |= {
                "facts": msgspec.to_builtins(kept),
                "facts_left_out": len(judged.acts) - len(kept),
                "needs": msgspec.to_builtins(needs),
                "quorum": quorum.needed(judged.verdict.tier),
                "digest": key[1],
            }
            experts = self._matching(needs, judged.verdict.tier, call.agent)
            now, patience = self._clock(), self._settings.person_seconds
            data |= {
                "asked": list(experts),
                "specialities": experts,
                "expires_at": _moment(now + patience),
                "experts_until": _moment(now + min(self._settings.expert_seconds, patience)),
            }
            (event,) = await self._store.append([journal.draft(REQUESTED, data)], agent_id=call.agent)
        except BaseException:
            del self._open[key]
            raise
        self.verdicts["escalate"] += 1
        validation = from_event(event)
        held = self._pending[validation.id] = _Held(validation)
        if self._desk is not None and held.handed_out:
            self._desk.ask(validation.asked, validation)
        self._tell(validation)
        self._arm()
        return validation

    def _matching(self, needs: facts.Needs, tier: Any, without: str) -> dict[str, str]:
        """The experts who fit, with their specialities."""
        if self._desk is None:
            return {}
        return {one.agent_id: one.speciality for one in self._desk.matching(needs, tier, without)}

    async def _answer(
        self, validation_id: str, by: Identity, verdict: Word, reason: str, remember: Remember | None
    ) -> Validation:
        if not reason or len(reason) > MAX_ANSWER:
            raise BadAnswer("an answer has a reason", f"say why, in 1 to {MAX_ANSWER} characters")
        held = self._pending.get(validation_id)
        if held is None:
            raise _over(await self.get(validation_id))
        async with held.turn:
            validation = held.validation
            speciality = self._check_answer(validation, by)
            now = self._clock()
            said: dict[str, Any] = {
                "id": validation.id,
                "verdict": verdict,
                "reason": reason,
                "role": by.role.value,
            }
            if speciality is not None:
                said["speciality"] = speciality
            drafts = [journal.draft(ANSWERED, said)]
            own = Answer(by.agent_id, verdict, reason, by.role.value, "", speciality)
            decided = quorum.decided([*validation.answers, own], validation.quorum or 1)
            if decided is not None:
                decision, how = decided
                told = f"{by.agent_id} {'approved' if decision == 'allow' else 'denied'}: {reason}"
                drafts.append(self._resolving(validation, decision, told, how, len(validation.answers) + 1))
            if remember is not None:
                _check(by, "rule.write")
                if decided is None:
                    raise BadAnswer("nothing is decided that could be remembered", "leave remember away")
                until = _moment(now + remember.seconds)
                data = self._memory.data(validation, remember, decided[0], reason, until)
                drafts.append(journal.draft(REMEMBERED, data))
            await self._store_about(held, drafts, by.agent_id)
            if validation.resolution is not None and validation.resolution.by != by.agent_id:
                raise _over(validation)
            return validation

    def _check_answer(self, validation: Validation, by: Identity) -> str | None:
        """Raise unless this one may answer now; an expert's speciality."""
        _check(by, "validation.answer")
        if by.agent_id == validation.agent_id:
            raise NotAllowed("whoever asks may not answer", "let somebody else decide")
        now = self._clock()
        if validation.resolution is not None or now >= validation.deadline:
            raise _over(validation)
        if any(answer.agent_id == by.agent_id for answer in validation.answers):
            raise AlreadyAnswered(f"you answered {validation.id} already", "the first answer counts")
        if by.role in quorum.PERSONS:
            return None
        if validation.needs is None:
            raise RuntimeError("a request has needs")
        fitting = self._matching(validation.needs, validation.tier, validation.agent_id)
        speciality = fitting.get(by.agent_id) or validation.specialities.get(by.agent_id)
        if speciality is None:
            raise NotAllowed(
                f"you are no expert for {validation.id}",
                "register with what you know of; it needs " + _needed(validation.needs),
            )
        if now >= validation.experts_deadline:
            raise AlreadyResolved(f"the experts' time for {validation.id} is over", "a person decides now")
        return speciality

    async def _time_out(self, held: _Held) -> None:
        async with held.turn:
            validation = held.validation
            if validation.resolution is not None:
                return
            reason = f"nobody decided within {self._settings.person_seconds:g} s"
            draft = self._resolving(validation, "deny", reason, "timeout", len(validation.answers))
            await self._store_about(held, [draft], BRIDGE)

    def _resolving(self, validation: Validation, decision: str, reason: str, how: str, answers: int) -> Draft:
        waited = max(0.0, time.time() - seconds(validation.asked_at))
        data = {
            "id": validation.id,
            "decision": decision,
            "reason": reason,
            "how": how,
            "answers": answers,
            "waited_seconds": round(waited, 3),
        }
        return journal.draft(RESOLVED, data)

    async def _store_about(self, held: _Held, drafts: list[Draft], agent_id: str) -> None:
        """Store what happens to a request, and let it happen. The caller has its turn."""
        try:
            events = await self._store.append(drafts, agent_id=agent_id)
        except NoRoom:
            raise
        except StoreUnavailable:
            held.unsure = True
            raise
        if held.unsure:
            # Now that something is on disk, it is certain what came before it.
            events = await journal.about(self._store, held.validation)
            held.validation.answers.clear()
            held.unsure = False
        for event in events:
            self._apply(held, event)
        self._tell(held.validation)

    def _apply(self, held: _Held, event: Event) -> None:
        if event.type in (REMEMBERED, REVOKED):
            self._memory.take(event)
            return
        validation = held.validation
        open_before = validation.resolution is None
        validation.take(event)
        if validation.resolution is not None and open_before:
            self.resolutions[validation.resolution.how] += 1
            self._close(held)

    def _close(self, held: _Held) -> None:
        validation = held.validation
        del self._pending[validation.id]
        self._open.pop(_key(validation), None)
        self._keep(validation)
        self._withdraw(held)
        _wake(held.waiters)

    def _keep(self, validation: Validation) -> None:
        self._resolved[validation.id] = validation
        if len(self._resolved) > KEPT_RESOLVED:
            self._resolved.popitem(last=False)

    def _restore(self, event: Event) -> None:
        """Take up an event of the log at start."""
        if event.type in (REMEMBERED, REVOKED):
            self._memory.take(event)
        elif event.type == REQUESTED:
            validation = from_event(event)
            self._pending[validation.id] = _Held(validation)
        elif (held := self._pending.get(event.value["id"])) is not None:
            held.validation.take(event)
            if held.validation.resolution is not None:
                self._keep(self._pending.pop(held.validation.id).validation)

    def _withdraw(self, held: _Held) -> None:
        if held.handed_out and self._desk is not None:
            self._desk.withdraw(held.validation)
        held.handed_out = False

    async def _wait(self, validation_id: str, wait_seconds: float) -> None:
        """Return when the request is resolved, or the time is over, or the bridge stops."""
        held = self._pending.get(validation_id)
        if held is None or wait_seconds <= 0 or self._released:
            return
        await _woken(held.waiters, wait_seconds)

    def _tell(self, validation: Validation) -> None:
        _wake(self._curious)
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
        if self._released or not self._pending:
            return
        now = self._clock()
        ends = [
            held.validation.experts_deadline if held.handed_out else held.validation.deadline
            for held in self._pending.values()
        ]
        # What is past its time could not be stored; it is tried again, and not without a pause.
        left = min(ends) - now
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


def _key(validation: Validation) -> Key:
    return validation.agent_id, validation.digest, validation.policy


async def _woken(waiters: set[Waiter], wait_seconds: float) -> None:
    """Return when `waiters` are woken, or the time is over."""
    waiter: Waiter = asyncio.get_running_loop().create_future()
    waiters.add(waiter)
    try:
        await asyncio.wait({waiter}, timeout=wait_seconds)
    finally:
        waiters.discard(waiter)


def _wake(waiters: set[Waiter]) -> None:
    for waiter in waiters:
        if not waiter.done():
            waiter.set_result(None)


def _check(by: Identity, permission: Permission) -> None:
    if not allows(by.role, permission):
        raise NotAllowed(f"the role {by.role} lacks {permission}", "ask with a token that may")


def _over(validation: Validation) -> AlreadyResolved:
    if validation.state == "pending":
        return AlreadyResolved(f"the time for {validation.id} is over", "nothing can be answered any more")
    return AlreadyResolved(
        f"{validation.id} is decided already: {validation.decision}", "see GET /validate/{id} for how"
    )


def _needed(needs: facts.Needs) -> str:
    told = [
        f"{name} {', '.join(words)}"
        for name, words in (("languages", needs.languages), ("risks", needs.risks))
        if words
    ]
    return "; ".join(told) or "somebody for anything"


def _moment(at: float) -> str:
    return timestamp(datetime.fromtimestamp(at, UTC))
