"""The log: events stored in order, signed in a chain, never changed; everything else follows from it."""

from lighthouse.events.chain import EMPTY, GENESIS, Head
from lighthouse.events.errors import (
    Conflict,
    InvalidEvent,
    InvalidQuery,
    NoRoom,
    StoreBusy,
    StoreRefused,
    StoreUnavailable,
)
from lighthouse.events.event import RESERVED_PREFIXES, Draft, Event
from lighthouse.events.paging import events_of
from lighthouse.events.publishing import Hold
from lighthouse.events.query import Page, Query
from lighthouse.events.store import EventStore
from lighthouse.events.subscription import Subscription
from lighthouse.events.verify import VerifyReport, verify_folder, verify_lines
from lighthouse.events.writer import BRIDGE

__all__ = [
    "BRIDGE",
    "EMPTY",
    "GENESIS",
    "RESERVED_PREFIXES",
    "Conflict",
    "Draft",
    "Event",
    "EventStore",
    "Head",
    "Hold",
    "InvalidEvent",
    "InvalidQuery",
    "NoRoom",
    "Page",
    "Query",
    "StoreBusy",
    "StoreRefused",
    "StoreUnavailable",
    "Subscription",
    "VerifyReport",
    "events_of",
    "verify_folder",
    "verify_lines",
]
