"""Leases on paths of the project: taken for a time, all that are wanted or none, and enforced at write."""

from lighthouse.leases.errors import (
    BadLease,
    LeaseEnded,
    LeaseTaken,
    MayNotWait,
    NoSuchLease,
    TooManyLeases,
)
from lighthouse.leases.index import Extent, Touch
from lighthouse.leases.lease import Lease, State
from lighthouse.leases.leases import Leases
from lighthouse.leases.paths import Follow
from lighthouse.leases.pattern import Names

__all__ = [
    "BadLease",
    "Extent",
    "Follow",
    "Lease",
    "LeaseEnded",
    "LeaseTaken",
    "Leases",
    "MayNotWait",
    "Names",
    "NoSuchLease",
    "State",
    "TooManyLeases",
    "Touch",
]
