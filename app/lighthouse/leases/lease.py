"""A lease on paths: asked for, held for a time, ended; and its events in the log."""

from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from lighthouse.events import Draft, Event
from lighthouse.events.event import timestamp

State = Literal["waiting", "held", "released", "given_up", "expired", "left", "revoked"]
ENDS: tuple[State, ...] = ("released", "given_up", "expired", "left", "revoked")

STREAM = "leases"
REQUESTED, GRANTED, RENEWED, REREAD = "lease.requested", "lease.granted", "lease.renewed", "lease.reread"


class Lease(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Paths that nobody but `agent_id` changes while it is `held`. Only this room changes it.

    Times are RFC 3339. `seq` is the number of the event that changed it last; `stays` says that it does not
    end when nobody hears of its holder any more.
    """

    id: str
    state: State
    agent_id: str
    paths: list[str]
    seconds: int
    asked_at: str
    seq: int
    reason: str = ""
    stays: bool = False
    waits_until: str | None = None
    granted_at: str | None = None
    expires_at: str | None = None
    ended_at: str | None = None
    ended_by: str | None = None
    ended_reason: str = ""

    @property
    def deadline(self) -> float:
        """When it ends, or the wait for it, in seconds since 1970."""
        return seconds_of(self.waits_until if self.state == "waiting" else self.expires_at)

    @property
    def until(self) -> str:
        """When it ends, or the wait for it, to the second."""
        return f"{(self.expires_at or self.waits_until or '')[:19]}Z"

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.state in ENDS

    def take(self, event: Event) -> None:
        """Take over a later event about this lease. After its end nothing counts."""
        if self.over:
            return
        self.seq = event.seq
        told = event.value
        if event.type == GRANTED:
            self.state, self.granted_at, self.expires_at = "held", event.ts, told["expires_at"]
        elif event.type == RENEWED:
            self.expires_at = told["expires_at"]
        else:
            self.state = _end_of(event.type)
            self.ended_at, self.ended_by = event.ts, event.agent_id
            self.ended_reason = told.get("reason", "")


def from_event(event: Event) -> Lease:
    """The lease that an event without an `id` of an earlier one began."""
    told = event.value
    waits = event.type == REQUESTED
    return Lease(
        id=f"l{event.seq}",
        state="waiting" if waits else "held",
        agent_id=event.agent_id,
        paths=told["paths"],
        seconds=told["seconds"],
        asked_at=event.ts,
        seq=event.seq,
        reason=told["reason"],
        stays=told["stays"],
        waits_until=told["waits_until"] if waits else None,
        granted_at=None if waits else event.ts,
        expires_at=None if waits else told["expires_at"],
    )


def begins(event: Event) -> bool:
    """Whether the event began a lease."""
    return event.type in (REQUESTED, GRANTED) and "paths" in event.value


def ending(lease: Lease, how: State, reason: str = "") -> Draft:
    """The event that ends it."""
    data: dict[str, Any] = {"id": lease.id}
    if reason:
        data["reason"] = reason
    return Draft(f"lease.{how}", data, STREAM)


def moment(at: float) -> str:
    """Seconds since 1970 as RFC 3339."""
    return timestamp(datetime.fromtimestamp(at, UTC))


def seconds_of(at: str | None) -> float:
    """An RFC 3339 time in seconds since 1970."""
    return 0.0 if at is None else datetime.fromisoformat(at).timestamp()


def _end_of(type: str) -> State:
    return next(state for state in ENDS if type == f"lease.{state}")
