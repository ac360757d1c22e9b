"""Leases on paths: taken all or none, first come first served, and ended by whatever ends them first.

What is granted is on disk before anybody is told. Leases are events, so a restart finds them again.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from lighthouse.casework import Alarm, Ended, Work, number_of
from lighthouse.errors import LighthouseError
from lighthouse.events import BRIDGE, Conflict, Draft, Event, EventStore, NoRoom, StoreUnavailable
from lighthouse.leases import journal, refusing
from lighthouse.leases.errors import (
    LeaseEnded,
    MayNotWait,
    NoSuchLease,
)
from lighthouse.leases.held import Held, Table
from lighthouse.leases.index import IsFolder, Touch
from lighthouse.leases.lease import (
    GRANTED,
    RENEWED,
    REQUESTED,
    REREAD,
    STREAM,
    Lease,
    State,
    begins,
    ending,
    from_event,
    moment,
    seconds_of,
)
from lighthouse.leases.letters import ENDED, ENDING, SOON_SECONDS, letter, open_letters
from lighthouse.leases.paths import Follow, canonical, shown
from lighthouse.leases.pattern import Names
from lighthouse.mailbox import Letter, Mail, Presence
from lighthouse.sessions import Identity, NotAllowed, allows

# With its renewals; then it is taken anew, behind those who wait.
MAX_SECONDS = 7 * 86400
KEPT_ENDED = 1000
KEPT_ENDED_BYTES = 8 * 1024 * 1024
# So often it is looked whether holders are there.
LOOK_SECONDS = 5.0
# A wait that could not be ended in time is answered as it stands.
PATIENCE_SECONDS = 5.0

log = logging.getLogger("lighthouse.leases")


class Leases:
    """`start` and `close` once each, on one event loop. `release_waiters` lets go of all, before a stop.

    All changes are made one after the other: what is granted depends on all that is held.
    """

    def __init__(
        self,
        store: EventStore,
        mail: Mail,
        presence: Presence,
        follow: Follow,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._mail = mail
        self._presence = presence
        self._follow = follow
        self._clock = clock
        self._table = Table()
        self._ended: Ended[Lease] = Ended(KEPT_ENDED, KEPT_ENDED_BYTES)
        # Leases by their agents' own keys, as long as they are kept.
        self._keys: dict[tuple[str, str], str] = {}
        # The leases whose holders know of their end.
        self._told: set[str] = set()
        self._turn = asyncio.Lock()
        self._work = Work()
        self._alarm = Alarm(self.look, self._work, clock)
        # The last event that was taken over; an append failed after it, and may be on disk.
        self._seen = 0
        self._unsure = False
        # The table as it was when all who waited were looked at.
        self._granted = -1
        self.ends: Counter[str] = Counter()

    async def start(self) -> None:
        """Take up what the log holds, and end what is past its time."""
        self._seen = self._store.head.seq
        async for event in journal.history(self._store):
            self._apply(event)
        await self._alarm.ring()

    def release_waiters(self) -> None:
        """Let everybody who waits go on; nobody waits from now on."""
        for held in self._table:
            held.waiters.release()

    async def close(self) -> None:
        """Stop. What is held and waited for goes on at the next start."""
        self._alarm.close()
        self.release_waiters()
        await self._work.close()

    async def take(
        self,
        agent_id: str,
        paths: Sequence[str],
        seconds: int,
        *,
        reason: str = "",
        wait_seconds: float = 0.0,
        stays: bool = False,
        key: str | None = None,
    ) -> Lease:
        """Take all of the paths, or none; on return it is on disk. Under a key, the same again is the same.

        Raises BadLease, LeaseTaken, MayNotWait, TooManyLeases, Conflict, and what the event store raises.
        """
        names = canonical(paths, self._follow)
        refusing.check_size(paths, names)
        data: dict[str, Any] = {
            "paths": [shown(one) for one in names],
            "seconds": seconds,
            "reason": reason,
            "stays": stays,
        }
        if key is not None:
            data["key"] = key
        lease = await self._work.finished(self._take(agent_id, names, data, wait_seconds))
        if lease.state != "waiting":
            return lease
        lease = await self.get(lease.id, max(0.0, lease.deadline - self._clock()) + PATIENCE_SECONDS)
        if lease.over and lease.ended_by != BRIDGE:
            how = f"{lease.state.replace('_', ' ')} by {lease.ended_by}: {lease.ended_reason}"
            raise LeaseEnded(f"the wait for {lease.id} was {how}", "ask them, or take it anew")
        if lease.state == "given_up":
            ways = self._table.in_the_way(names, agent_id)
            raise refusing.taken(names, ways, f"not free within {wait_seconds:g} s: ")
        return lease

    async def get(self, lease_id: str, wait_seconds: float = 0.0) -> Lease:
        """A lease; one that waits, after waiting for it. Raises NoSuchLease."""
        held = self._table.get(lease_id)
        if held is not None:
            if held.waits:
                await held.waiters.wait(wait_seconds)
            return held.lease
        if (ended := self._ended.get(lease_id)) is not None:
            return ended
        seq = number_of(lease_id, "l")
        found = None if seq is None else await journal.look_up(self._store, seq)
        if found is None:
            raise NoSuchLease(f"there is no lease {lease_id[:40]!r}", "see GET /leases")
        return found

    def all(self, path: str | None = None, agent_id: str | None = None) -> list[Lease]:
        """What is held and waited for, the oldest first: on a path, of an agent. Raises BadLease."""
        names = None if path is None else canonical([path], self._follow)
        return [
            held.lease
            for held in self._table
            if (agent_id is None or held.lease.agent_id == agent_id)
            and (names is None or held.touches(names))
        ]

    async def renew(self, lease_id: str, by: Identity, seconds: int) -> Lease:
        """Hold it for so long from now on.

        Raises NoSuchLease, NotAllowed, LeaseEnded, and what the event store raises.
        """
        return await self._work.finished(self._renew(lease_id, by, seconds))

    async def release(self, lease_id: str, by: Identity, reason: str = "") -> Lease:
        """End one's own lease, or the wait for it. Raises as `renew` does."""
        return await self._work.finished(self._end_by(lease_id, by, reason, revokes=False))

    async def revoke(self, lease_id: str, by: Identity, reason: str) -> Lease:
        """End anybody's lease. Raises as `renew` does."""
        return await self._work.finished(self._end_by(lease_id, by, reason, revokes=True))

    def against(
        self, agent_id: str, touches: Callable[[], Iterable[Touch]], is_folder: IsFolder
    ) -> tuple[Lease, Touch] | None:
        """A lease of another agent that one of the touches would break. Costs nothing where there is none."""
        if not len(self._table):
            return None
        found = self._table.touched(touches(), agent_id, self._clock(), is_folder)
        return None if found is None else (found[0].lease, found[1])

    def open_letters(self, agent_id: str) -> Iterable[Letter]:
        """What the agent has to be told at each connection."""
        own = [held.lease for held in self._table.of(agent_id)]
        ended = (lease for lease in self._ended.latest_first() if lease.id not in self._told)
        return open_letters(agent_id, own, ended, self._clock())

    def acknowledged(self, agent_id: str, letter: Letter) -> None:
        """That an agent knows of an end is kept here, and by its mailbox no more; after a restart nowhere."""
        if letter.kind == ENDED and self._ended.get(letter.id) is not None:
            self._told.add(letter.id)
            self._mail.withdraw(agent_id, ENDED, letter.id)
            if len(self._told) > 2 * KEPT_ENDED:
                self._told = {known for known in self._told if self._ended.get(known) is not None}

    def status(self) -> dict[str, Any]:
        """Figures for /status."""
        waiting = sum(held.waits for held in self._table)
        return {
            "held": len(self._table) - waiting,
            "waiting": waiting,
            "ended": dict(self.ends),
        }

    async def _take(
        self, agent_id: str, names: list[Names], data: dict[str, Any], wait_seconds: float
    ) -> Lease:
        async with self._turn:
            await self._tidy()
            if (known := self._known(agent_id, data)) is not None:
                return known
            own = self._table.of(agent_id)
            refusing.check_room(self._table, own, names)
            if any(held.waits for held in own):
                raise MayNotWait("you wait for a lease already", "wait for it, or release it, before another")
            ways = self._table.in_the_way(names, agent_id)
            now = self._clock()
            if not ways:
                data["expires_at"] = moment(now + data["seconds"])
                return await self._begin(Draft(GRANTED, data, STREAM), agent_id)
            if wait_seconds <= 0:
                raise refusing.taken(names, ways)
            if own:
                raise MayNotWait(
                    f"{refusing.told(names, ways)}, and who holds a lease does not wait for another",
                    "release what you hold and take all at once, or ask again without waiting",
                )
            data["waits_until"] = moment(now + wait_seconds)
            return await self._begin(Draft(REQUESTED, data, STREAM), agent_id)

    def _known(self, agent_id: str, data: dict[str, Any]) -> Lease | None:
        """The lease that was taken under the same key. Raises Conflict where it is another."""
        lease_id = self._keys.get((agent_id, data.get("key", "")))
        held = None if lease_id is None else self._table.get(lease_id)
        known = held.lease if held is not None else self._ended.get(lease_id or "")
        if known is not None and (known.paths, known.seconds) != (data["paths"], data["seconds"]):
            message = f"the idempotency key is that of {known.id}, another lease"
            raise Conflict(message, "use a new key", actual=known.seq)
        return known

    async def _renew(self, lease_id: str, by: Identity, seconds: int) -> Lease:
        async with self._turn:
            held = await self._own(lease_id, by, any_one=False)
            lease = held.lease
            if held.waits:
                raise LeaseEnded(f"{lease.id} is not granted yet", "wait for it with GET /lease/{id}")
            last = seconds_of(lease.granted_at) + MAX_SECONDS
            until = min(self._clock() + seconds, last)
            if until <= self._clock():
                raise LeaseEnded(f"{lease.id} is as old as a lease can be", "take it anew")
            data = {"id": lease.id, "expires_at": moment(until)}
            await self._store_it([Draft(RENEWED, data, STREAM)], by.agent_id)
            return lease

    async def _end_by(self, lease_id: str, by: Identity, reason: str, *, revokes: bool) -> Lease:
        async with self._turn:
            held = await self._own(lease_id, by, any_one=revokes)
            how: State = "revoked" if revokes else "given_up" if held.waits else "released"
            await self._store_it([ending(held.lease, how, reason)], by.agent_id)
            await self._tidy_later()
            return held.lease

    async def _own(self, lease_id: str, by: Identity, *, any_one: bool) -> Held:
        """The lease, if it is not over and this one may do something to it."""
        await self._tidy()
        held = self._table.get(lease_id)
        lease = held.lease if held is not None else await self.get(lease_id)
        if any_one and not allows(by.role, "lease.any"):
            raise NotAllowed(f"the role {by.role} lacks lease.any", "ask an operator")
        if not any_one and by.agent_id != lease.agent_id:
            raise NotAllowed(f"{lease.id} is {lease.agent_id}'s", "ask them to release it, or an operator")
        if held is None:
            raise LeaseEnded(f"{lease.id} is over already: {lease.state}", "take it anew")
        return held

    async def look(self) -> float | None:
        """End what is over, tell whose end is near; when to look again. The room calls it itself."""
        async with self._turn:
            await self._tidy()
        now = self._clock()
        following = [now + LOOK_SECONDS] if len(self._table) else []
        for held in self._table:
            following.append(held.deadline)
            if held.waits or held.deadline <= now:
                continue
            soon = held.deadline - SOON_SECONDS
            if soon > now:
                following.append(soon)
            elif held.warned != held.deadline:
                held.warned = held.deadline
                self._mail.send(held.lease.agent_id, letter(ENDING, held.lease))
        return min(following, default=None)

    async def _tidy(self) -> None:
        """Make sure of what is on disk, end what is over, and grant what has become free."""
        if self._unsure:
            # Once something else is on disk, what came before it is certain.
            await self._store.append([Draft(REREAD, {}, STREAM)], agent_id=BRIDGE)
            async for event in journal.history(self._store, after=self._seen):
                self._tell(self._apply(event), event)
            self._unsure = False
        now = self._clock()
        drafts = [ending(held.lease, how) for held in self._table if (how := self._over(held, now))]
        if drafts:
            await self._store_it(drafts, BRIDGE)
        if self._granted == self._table.changes:
            return
        for held in self._table:
            lease = held.lease
            if held.waits:
                await asyncio.sleep(0)
            if held.waits and not self._table.in_the_way(held.patterns, lease.agent_id, held):
                data = {"id": lease.id, "expires_at": moment(self._clock() + lease.seconds)}
                await self._store_it([Draft(GRANTED, data, STREAM)], BRIDGE)
        self._granted = self._table.changes

    async def _tidy_later(self) -> None:
        """As `_tidy`, after something that is done in any case: what fails is tried again."""
        try:
            await self._tidy()
        except LighthouseError as error:
            log.error("who waits could not be given leases: %s", error)  # noqa: TRY400
            self._alarm.by(self._clock())

    def _over(self, held: Held, now: float) -> State | None:
        """How it ends now."""
        if held.deadline <= now:
            return "given_up" if held.waits else "expired"
        if not held.lease.stays and self._presence.gone(held.lease.agent_id):
            return "given_up" if held.waits else "left"
        return None

    async def _begin(self, draft: Draft, agent_id: str) -> Lease:
        [event] = await self._store_it([draft], agent_id)
        held = self._table.get(f"l{event.seq}")
        if held is None:
            raise RuntimeError("a lease was stored and is not there")
        return held.lease

    async def _store_it(self, drafts: list[Draft], agent_id: str) -> list[Event]:
        """Store what happens, and let it happen. The caller has the turn, and is sure."""
        try:
            events = await self._store.append(drafts, agent_id=agent_id)
        except NoRoom:
            raise
        except StoreUnavailable:
            self._unsure = True
            self._alarm.by(self._clock())
            raise
        for event in events:
            self._tell(self._apply(event), event)
        return events

    def _apply(self, event: Event) -> Held | None:
        """Take over an event; the lease that it is about, where it changed something."""
        self._seen = max(self._seen, event.seq)
        if begins(event):
            held = self._table.put(from_event(event))
            if (key := event.value.get("key")) is not None:
                self._keys[event.agent_id, key] = held.lease.id
        else:
            known = self._table.get(event.value.get("id", ""))
            if known is None:
                return None
            held = known
            held.lease.take(event)
            self._table.changed(held)
        if held.lease.over:
            self._end(held)
        else:
            self._alarm.by(min(held.deadline, self._clock() + LOOK_SECONDS))
        return held

    def _end(self, held: Held) -> None:
        lease = held.lease
        self.ends[lease.state] += 1
        self._ended.add(lease.id, lease, 300 + sum(map(len, lease.paths)))
        if len(self._keys) > 2 * (KEPT_ENDED + refusing.MAX_LEASES):
            self._keys = {
                key: known
                for key, known in self._keys.items()
                if self._table.get(known) is not None or self._ended.get(known) is not None
            }

    def _tell(self, held: Held | None, event: Event) -> None:
        """Wake who waits for it, and send the letters that say what happened."""
        if held is None:
            return
        lease = held.lease
        if not held.waits:
            held.waiters.wake()
        if event.type == GRANTED and not begins(event):
            self._mail.send(lease.agent_id, letter(GRANTED, lease))
        elif lease.over:
            for kind in (GRANTED, ENDING):
                self._mail.withdraw(lease.agent_id, kind, lease.id)
            if lease.ended_by != lease.agent_id:
                self._mail.send(lease.agent_id, letter(ENDED, lease))
