"""The answers about leases."""

from dataclasses import dataclass
from typing import Literal

LeaseState = Literal["waiting", "held", "released", "given_up", "expired", "left", "revoked"]


@dataclass(frozen=True)
class Lease:
    """Paths that nobody but `agent_id` changes while it is held. Times are RFC 3339.

    `given_up` ended a wait, `left` a lease whose holder was not heard of any more, unless it `stays`. `seq`
    is the number of the event that changed it last.
    """

    id: str
    state: LeaseState
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


@dataclass(frozen=True)
class LeasePage:
    """`next_cursor` leads to the next page; None: this is the last."""

    leases: list[Lease]
    next_cursor: str | None
