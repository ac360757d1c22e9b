"""The chain of MACs: each event is signed with the MAC before it, so none changes without a trace."""

import hashlib
import hmac

import msgspec

from lighthouse.events.event import Event
from lighthouse.keys import KeyRing

GENESIS = "0" * 64
"""`prev` of the first event, and the head of an empty log."""


class Head(msgspec.Struct, frozen=True):
    """Where the log ends: the last event's sequence number (0: none) and MAC."""

    seq: int
    mac: str


BLOCK = 64
EMPTY = Head(0, GENESIS)


class _Signed(msgspec.Struct, gc=False):
    """What is under the MAC. Fields in the order of their names make the encoding canonical."""

    agent_id: str
    data: msgspec.Raw
    id: str
    kid: str
    prev: str
    seq: int
    stream: str
    ts: str
    type: str


class Mac:
    """HMAC-SHA256 (RFC 2104) under one key, hashed once only: half the time of `hmac.digest`."""

    def __init__(self, key: bytes) -> None:
        block = hashlib.sha256(key).digest() if len(key) > BLOCK else key
        block = block.ljust(BLOCK, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def hex(self, message: bytes) -> str:
        """The MAC of `message`, 64 hex digits."""
        inner = self._inner.copy()
        inner.update(message)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.hexdigest()


class Signer:
    """Signs and checks events with the key "events" of a key ring."""

    def __init__(self, keyring: KeyRing) -> None:
        self._mac = Mac(keyring.key("events")).hex
        self.kid = keyring.key_id("events")
        self._encode = msgspec.json.Encoder().encode

    def sign(
        self, prev: str, seq: int, id: str, ts: str, type: str, stream: str, agent_id: str, data: msgspec.Raw
    ) -> Event:
        """The event with its MAC, following the event whose MAC is `prev`."""
        signed = _Signed(agent_id, data, id, self.kid, prev, seq, stream, ts, type)
        mac = self._mac(self._encode(signed))
        return Event(seq, id, ts, type, stream, agent_id, data, prev, self.kid, mac)

    def fault(self, before: Head, event: Event) -> tuple[int, str] | None:
        """Why `event` cannot follow `before`, as (first bad sequence number, reason); None when it does."""
        expected = before.seq + 1
        if event.seq > expected:
            return expected, f"event {expected} is missing: the next one is {event.seq}"
        if event.seq < expected:
            return event.seq, f"event {event.seq} stands where event {expected} should"
        if event.kid != self.kid:
            return (
                event.seq,
                f"event {event.seq} is signed with key {event.kid}, this secret's key is {self.kid}",
            )
        e = event
        signed = _Signed(e.agent_id, e.data, e.id, e.kid, e.prev, e.seq, e.stream, e.ts, e.type)
        mac = self._mac(self._encode(signed))
        if not hmac.compare_digest(mac, event.mac):
            return event.seq, f"event {event.seq} was changed: its MAC does not fit"
        if event.prev != before.mac:
            return (
                event.seq,
                f"event {event.seq} does not follow event {before.seq}: the chain is broken there",
            )
        return None
