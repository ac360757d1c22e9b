"""Tasks: dispatched to an agent or to a capability, claimed once, held under a lease, ended once.

What is done to a task is on disk before anybody is told. Tasks are events, so a restart finds them again.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from lighthouse.casework import Alarm, Clock, Work, number_of
from lighthouse.errors import LighthouseError
from lighthouse.events import BRIDGE, Draft, Event, EventStore
from lighthouse.events.event import check_agent
from lighthouse.mailbox import Letter, Mail
from lighthouse.sessions import Identity, NotAllowed, allows
from lighthouse.tasks import journal, routing
from lighthouse.tasks.errors import BadTask, NoSuchTask, TaskClosed, TaskTaken
from lighthouse.tasks.kept import Held, Kept
from lighthouse.tasks.routing import Desk, There
from lighthouse.tasks.task import (
    CANCELLED,
    CLAIMED,
    COMPLETED,
    DISPATCHED,
    FAILED,
    OFFERED,
    PROGRESSED,
    REREAD,
    RETURNED,
    SEEN,
    STREAM,
    Capability,
    How,
    Task,
    seconds,
)
from lighthouse.tasks.telling import Telling

MAX_RESULT = 64 * 1024
# So often it is looked whether holders are still there, and whether others should be told.
LOOK_SECONDS = 5.0
# Between so many looks at tasks the event loop may do something else.
TURNS = 16

log = logging.getLogger("lighthouse.tasks")


class Tasks:
    """`start` and `close` once each, on one event loop. `release` lets go of all who wait, before a stop.

    An expert who was told of a task has `offer_seconds` to claim it, then the next is told too.
    """

    def __init__(
        self,
        store: EventStore,
        mail: Mail,
        desk: Desk,
        presence: There,
        offer_seconds: float,
        *,
        clock: Clock = time.time,
    ) -> None:
        self._store = store
        self._desk = desk
        self._presence = presence
        self._offer_seconds = offer_seconds
        self._clock = clock
        self._kept = Kept()
        self._telling = Telling(mail, self._kept, clock)
        self._coming: Counter[str] = Counter()
        self._newest = 0
        self._work = Work()
        self._alarm = Alarm(self.look, self._work, clock)
        self._closing = False
        self.ends: Counter[str] = Counter()
        mail.add(self)

    async def start(self) -> None:
        """Take up what the log holds; end and give back what is past its time."""
        self._newest = self._store.head.seq
        async for event in journal.history(self._store):
            self._kept.restore(event)
        await self._alarm.ring()

    def release(self) -> None:
        """Let everybody who waits go on with what is known; nobody waits from now on."""
        self._closing = True
        for held in self._kept.all():
            held.waiters.release()
        self._telling.release()

    async def close(self) -> None:
        """Stop. What is open goes on at the next start."""
        self.release()
        self._alarm.close()
        await self._work.close()

    async def dispatch(
        self,
        agent_id: str,
        title: str,
        body: str,
        to: str | Capability,
        *,
        lease_seconds: int,
        retries: int,
        deadline_seconds: int,
        idempotency_key: str | None = None,
    ) -> Task:
        """Have something done; on return it is on disk. The same again under the same key is the same task.

        Raises BadTask, BadExpert, TooManyTasks, Conflict, and what the event store raises.
        """
        data: dict[str, Any] = {
            "title": title,
            "body": body,
            "lease_seconds": lease_seconds,
            "retries": retries,
            "deadline_seconds": deadline_seconds,
        }
        if isinstance(to, Capability):
            routing.check(to)
            data["capability"] = msgspec.to_builtins(to)
        else:
            check_agent(to)
            data["to"] = to
        if idempotency_key is not None:
            data["idempotency_key"] = idempotency_key
        draft = Draft(DISPATCHED, data, STREAM, idempotency_key)
        return await self._work.finished(self._dispatch(agent_id, draft))

    async def get(self, task_id: str, wait_seconds: float = 0.0, after: int | None = None) -> Task:
        """A task, after waiting for its end, or for something later than the event `after`.

        Raises NoSuchTask.
        """
        held = self._kept.get(task_id)
        if held is None:
            number = number_of(task_id, "t")
            if number is not None and (found := await journal.look_up(self._store, number)) is not None:
                return found
            raise NoSuchTask(f"there is no task {task_id[:40]!r}", "see GET /tasks")
        task, until = held.task, time.monotonic() + wait_seconds
        while not (self._closing or task.ended or (after is not None and task.changed_seq > after)):
            left = until - time.monotonic()
            if left <= 0:
                break
            await held.waiters.wait(left)
        return task

    def all(self) -> list[Task]:
        """Those that are open and the last that ended, the latest first."""
        known = [held.task for held in [*self._kept.all(), *self._kept.ended()]]
        return sorted(known, key=lambda task: -task.seq)

    def pending(self, agent_id: str | None = None) -> list[Task]:
        """Those that nobody has, or of them those that this agent should claim; the oldest first.

        It was told of these, or covers what they ask for and whoever was told let the time for it pass.
        """
        tasks = [held.task for held in self._kept.all() if held.task.state == "pending"]
        if agent_id is None:
            return tasks
        return [
            task
            for task in tasks
            if agent_id in task.offered or (self._waited(task) and routing.is_for(self._desk, task, agent_id))
        ]

    async def news(self, agent_id: str, wait_seconds: float) -> None:
        """Return when the agent is told of a task, or the time is over, or the bridge stops."""
        if not self._closing:
            await self._telling.news(agent_id, wait_seconds)

    @property
    def open(self) -> int:
        """How many have not ended."""
        return len(self._kept)

    def load(self, agent_id: str) -> int:
        """How much this agent has to do."""
        return self._kept.load(agent_id)

    async def claim(
        self, task_id: str, agent_id: str, idempotency_key: str | None = None, *, stays: bool = False
    ) -> Task:
        """Take a task; on return it is the agent's, and nobody else's, for as long as its lease.

        With `stays` also while nobody hears of the agent. Again under the same key is the same claim.

        Raises NoSuchTask, NotAllowed, TaskTaken, TaskClosed, and what the event store raises.
        """

        async def claim(held: Held) -> None:
            task = held.task
            if task.ended:
                raise _closed(task)
            if task.state == "claimed":
                if task.holder == agent_id and idempotency_key and held.claim_key == idempotency_key:
                    return
                raise TaskTaken(f"{task.id} is claimed by {_whom(task.holder, agent_id)}", "take another")
            if not routing.is_for(self._desk, task, agent_id):
                raise NotAllowed(
                    f"{task.id} is for {task.to or 'experts with another capability'}", "take another"
                )
            data: dict[str, Any] = {"attempt": task.attempt}
            if idempotency_key is not None:
                data["idempotency_key"] = idempotency_key
            if stays:
                data["stays"] = True
            await self._happen(held, CLAIMED, data, agent_id)

        return await self._change(task_id, claim)

    async def progress(self, task_id: str, agent_id: str, note: str, percent: float | None = None) -> Task:
        """Say how far it is, which renews the lease. Raises as `complete` does."""
        data: dict[str, Any] = {"note": note}
        if percent is not None:
            data["percent"] = percent

        async def progress(held: Held) -> None:
            _check_holder(held.task, agent_id)
            await self._happen(held, PROGRESSED, data, agent_id)

        return await self._change(task_id, progress)

    async def complete(self, task_id: str, agent_id: str, result: Any) -> Task:
        """It is done. The same result again is no second end.

        Raises NoSuchTask, BadTask, TaskTaken where the agent does not hold it, TaskClosed, and what the event
        store raises.
        """
        if (size := len(msgspec.json.encode(result))) > MAX_RESULT:
            raise BadTask(
                f"the result has {size:,} bytes", f"send at most {MAX_RESULT:,}; write the rest to a file"
            )

        async def complete(held: Held) -> None:
            task = held.task
            if task.state == "completed" and task.holder == agent_id and task.result == result:
                return
            _check_holder(task, agent_id)
            await self._happen(held, COMPLETED, {"result": result}, agent_id)

        return await self._change(task_id, complete)

    async def fail(self, task_id: str, agent_id: str, reason: str, *, retry: bool = False) -> Task:
        """It cannot be done; with `retry` another may try, where tries are left. Raises as `complete`."""

        async def fail(held: Held) -> None:
            _check_holder(held.task, agent_id)
            if retry:
                await self._give_back(held, "holder", reason, agent_id)
            else:
                data = {"holder": agent_id, "how": "holder", "reason": reason}
                await self._happen(held, FAILED, data, agent_id)

        return await self._change(task_id, fail)

    async def cancel(self, task_id: str, by: Identity, reason: str) -> Task:
        """It need not be done. Raises NoSuchTask, NotAllowed, TaskClosed, and what the event store raises."""

        async def cancel(held: Held) -> None:
            task = held.task
            if task.ended:
                raise _closed(task)
            if by.agent_id != task.agent_id and not allows(by.role, "task.cancel_any"):
                raise NotAllowed(f"{task.id} is {task.agent_id}'s", "ask them, or an operator, to cancel it")
            await self._happen(held, CANCELLED, {"reason": reason}, by.agent_id)

        return await self._change(task_id, cancel)

    async def hand_on(self) -> None:
        """Experts came or went: tell others of what nobody took."""
        for number, held in enumerate(self._kept.all()):
            if number % TURNS == TURNS - 1:
                await asyncio.sleep(0)
            await self._work.finished(self._offer(held))

    async def look(self) -> float | None:
        """End and give back what is past its time; when to look again. The room calls it itself."""
        due = [self._clock() + LOOK_SECONDS]
        for number, held in enumerate(self._kept.all()):
            if number % TURNS == TURNS - 1:
                await asyncio.sleep(0)
            try:
                await self._look_at(held)
            except LighthouseError as error:
                log.error("%s could not be ended: %s", held.task.id, error)  # noqa: TRY400
            if not held.task.ended:
                due.append(_deadline(held.task))
        return min(due) if len(self._kept) else None

    def open_letters(self, agent_id: str) -> Iterator[Letter]:
        """What the agent may claim, and the ends that it does not know of."""
        return self._telling.open_letters(agent_id)

    def acknowledged(self, agent_id: str, letter: Letter) -> None:
        """That somebody knows of an end is noted, so that it is not told again after a restart."""
        if (held := self._telling.unseen_by(agent_id, letter)) is not None:
            self._work.spawn(self._note_seen(held, agent_id))

    def status(self) -> dict[str, Any]:
        """Figures for /status."""
        states = Counter(held.task.state for held in self._kept.all())
        return {"pending": states["pending"], "claimed": states["claimed"], "ended": dict(self.ends)}

    async def _dispatch(self, agent_id: str, draft: Draft) -> Task:
        coming = self._coming
        self._kept.check_room(agent_id, draft.idempotency_key, coming.total(), coming[agent_id])
        coming[agent_id] += 1
        try:
            [event] = await self._store.append([draft], agent_id=agent_id)
        finally:
            coming[agent_id] -= 1
            if not coming[agent_id]:
                del coming[agent_id]
        if (known := self._kept.get(f"t{event.seq}")) is not None:
            return known.task
        if event.seq <= self._newest:
            # Dispatched before under the same key: it has ended, or was not known to be on disk until now.
            found = await journal.look_up(self._store, event.seq, to_the_end=True)
            if found is not None:
                return found
        self._newest = max(self._newest, event.seq)
        held = self._kept.add(event)
        if held.task.to:
            self._telling.offer(held.task, [held.task.to])
        else:
            await self._offer(held)
        self._alarm.by(self._next_look(held.task))
        return held.task

    async def _change(self, task_id: str, change: Any) -> Task:
        """Do something to a task in its turn, once it is sure what it is."""
        held = self._kept.get(task_id)
        if held is None:
            raise _closed(await self.get(task_id))

        async def in_turn() -> None:
            async with held.turn:
                await self._make_sure(held)
                if not held.task.ended and seconds(held.task.expires_at) <= self._clock():
                    raise TaskClosed(f"the time of {held.task.id} is over", "nobody waits for it any more")
                await change(held)

        await self._work.finished(in_turn())
        return held.task

    async def _look_at(self, held: Held) -> None:
        async with held.turn:
            task, now = held.task, self._clock()
            if task.ended:
                return
            if seconds(task.expires_at) <= now:
                await self._make_sure(held)
                data = {"holder": task.holder, "how": "deadline", "reason": "it was not done in time"}
                if not held.task.ended:
                    await self._happen(held, FAILED, data, BRIDGE)
            elif task.state == "claimed":
                await self._look_at_holder(held, now)
        if task.state == "pending":
            await self._offer(held)

    async def _look_at_holder(self, held: Held, now: float) -> None:
        task = held.task
        over = seconds(task.lease_until) <= now
        gone = not held.stays and self._presence.gone(task.holder)
        if not (over or gone):
            return
        await self._make_sure(held)
        if task.state != "claimed" or (over and not gone and seconds(task.lease_until) > now):
            return
        holder = task.holder
        if gone:
            await self._give_back(held, "gone", f"{holder} went away", BRIDGE)
        else:
            await self._give_back(held, "lease", f"{holder} let its lease end", BRIDGE)

    async def _give_back(self, held: Held, how: How, reason: str, by: str) -> None:
        task = held.task
        data = {"holder": task.holder, "how": how, "reason": reason}
        await self._happen(held, FAILED if task.attempt > task.retries else RETURNED, data, by)
        if task.state == "pending":
            self._work.spawn(self._offer(held))

    async def _offer(self, held: Held) -> None:
        """Tell an expert of it: the best, and when those who know do not take it, the next."""
        async with held.turn:
            task = held.task
            if task.state != "pending" or task.capability is None:
                return
            able = routing.fitting(self._desk, task)
            fresh = [agent_id for agent_id in able if agent_id not in task.offered]
            if fresh and (self._waited(task) or not any(agent_id in task.offered for agent_id in able)):
                try:
                    await self._make_sure(held)
                    if task.state == "pending" and fresh[0] not in task.offered:
                        await self._happen(held, OFFERED, {"to": fresh[:1]}, BRIDGE)
                except LighthouseError as error:
                    log.error("%s could not be offered: %s", task.id, error)  # noqa: TRY400

    async def _happen(self, held: Held, kind: str, data: dict[str, Any], agent_id: str) -> None:
        """Store what happens to a task, and let it happen. The caller has its turn, and is sure."""
        draft = Draft(kind, {"id": held.task.id, **data}, STREAM)
        for event in await held.append(self._store, [draft], agent_id):
            self._apply(held, event)

    async def _make_sure(self, held: Held) -> None:
        reread = Draft(REREAD, {"id": held.task.id}, STREAM)
        for event in await held.make_sure(self._store, reread, lambda: journal.news(self._store, held.task)):
            self._apply(held, event)

    async def _note_seen(self, held: Held, agent_id: str) -> None:
        try:
            draft = Draft(SEEN, {"id": held.task.id}, STREAM)
            [event] = await self._store.append([draft], agent_id=agent_id)
        except LighthouseError as error:
            log.warning("that %s knows of %s was not noted: %s", agent_id, held.task.id, error)
            return
        self._kept.apply(held, event)
        self._telling.seen(agent_id, held.task)

    def _apply(self, held: Held, event: Event) -> None:
        """Something happened: whoever has to know it is told."""
        task = held.task
        if task.ended or event.seq <= task.changed_seq:
            return
        told = task.offered if task.state == "pending" else []
        holder = task.holder
        self._kept.apply(held, event)
        self._telling.happened(held, event, told, holder)
        if task.ended:
            self.ends[task.state] += 1
        else:
            self._alarm.by(self._next_look(task))
        held.waiters.wake()

    def _waited(self, task: Task) -> bool:
        """Whether those who were told of it had the time to claim it."""
        return not task.offered_at or seconds(task.offered_at) + self._offer_seconds <= self._clock()

    def _next_look(self, task: Task) -> float:
        return min(_deadline(task), self._clock() + LOOK_SECONDS)


def _deadline(task: Task) -> float:
    """The next time at which something has to happen to it."""
    over = seconds(task.expires_at)
    return min(over, seconds(task.lease_until)) if task.state == "claimed" else over


def _check_holder(task: Task, agent_id: str) -> None:
    if task.ended:
        raise _closed(task)
    if task.state != "claimed":
        raise TaskTaken(f"nobody has {task.id}", "claim it first; a lease that ended has to be taken again")
    if task.holder != agent_id:
        raise TaskTaken(f"{task.id} is claimed by {task.holder}", "stop working on it")


def _whom(holder: str, agent_id: str) -> str:
    return "you already" if holder == agent_id else holder


def _closed(task: Task) -> TaskClosed:
    return TaskClosed(f"{task.id} is {task.state}", f"see GET /task/{task.id}")
