"""The wire forms of leases on paths."""

from typing import Annotated

import msgspec

from lighthouse.bridge.schemas import Request, Word
from lighthouse.bridge.validation_schemas import Wait
from lighthouse.leases import Lease

Seconds = Annotated[int, msgspec.Meta(ge=10, le=86400)]
Reason = Annotated[str, msgspec.Meta(max_length=500)]
LeasePath = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class LeaseTake(Request):
    """All of `paths` or none. `stays` is for people, of whom nobody hears between two commands."""

    paths: Annotated[list[LeasePath], msgspec.Meta(min_length=1, max_length=50)]
    seconds: Seconds = 900
    reason: Reason = ""
    wait_seconds: Wait = 0.0
    stays: bool = False
    idempotency_key: Word | None = None


class LeaseRenew(Request):
    seconds: Seconds = 900


class LeaseEnd(Request):
    reason: Reason = ""


class LeaseQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    wait_seconds: Wait = 0.0


class LeasesQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Of an agent alone; those alone that stand in the way of a path or glob."""

    path: LeasePath | None = None
    agent_id: Word | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 100
    cursor: Annotated[str, msgspec.Meta(min_length=1, max_length=30)] | None = None


class LeaseList(msgspec.Struct):
    """`next_cursor` is null on the last page."""

    leases: list[Lease]
    next_cursor: str | None
