"""The MAC is HMAC-SHA256 over the documented form; each kind of fault is told with its sequence number."""

import hmac
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighthouse.events import EMPTY, GENESIS, Event, Head
from lighthouse.events.chain import Mac, Signer
from lighthouse.keys import KeyRing


@given(st.binary(min_size=1, max_size=200), st.binary(max_size=2000))
def test_mac_is_hmac_sha256(key: bytes, message: bytes) -> None:
    assert Mac(key).hex(message) == hmac.digest(key, message, "sha256").hex()


@pytest.fixture
def signer(keyring: KeyRing) -> Signer:
    return Signer(keyring)


@pytest.fixture
def event(signer: Signer) -> Event:
    data = msgspec.Raw('{"a":"ä","b":[1]}'.encode())
    return signer.sign(
        GENESIS, 1, "an-id", "2026-11-23T10:00:00.000000Z", "note.added", "default", "ann", data
    )


def test_what_is_signed_is_the_event_without_its_mac(event: Event, keyring: KeyRing) -> None:
    fields = json.loads(msgspec.json.encode(event))
    mac = fields.pop("mac")
    form = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert mac == hmac.digest(keyring.key("events"), form, "sha256").hex()


def test_event_follows_the_one_before(signer: Signer, event: Event) -> None:
    assert signer.fault(EMPTY, event) is None
    second = signer.sign(event.mac, 2, "b", event.ts, event.type, event.stream, event.agent_id, event.data)
    assert signer.fault(Head(1, event.mac), second) is None


@pytest.mark.parametrize("field", ["id", "ts", "type", "stream", "agent_id", "prev", "mac"])
def test_changed_field(signer: Signer, event: Event, field: str) -> None:
    changed = msgspec.structs.replace(event, **{field: "0" * 64 if field != "prev" else "1" * 64})
    assert signer.fault(EMPTY, changed) == (1, "event 1 was changed: its MAC does not fit")


def test_changed_data(signer: Signer, event: Event) -> None:
    changed = msgspec.structs.replace(event, data=msgspec.Raw(b'{"a":"a","b":[1]}'))
    assert signer.fault(EMPTY, changed) == (1, "event 1 was changed: its MAC does not fit")


def test_gap_double_foreign_key_and_broken_link(signer: Signer, event: Event) -> None:
    third = signer.sign(event.mac, 3, "c", event.ts, event.type, event.stream, event.agent_id, event.data)
    assert signer.fault(Head(1, event.mac), third) == (2, "event 2 is missing: the next one is 3")
    assert signer.fault(Head(1, event.mac), event) == (1, "event 1 stands where event 2 should")
    other = Signer(KeyRing(b"o" * 32))
    fault = other.fault(EMPTY, event)
    assert fault is not None
    assert fault[0] == 1
    assert f"signed with key {signer.kid}" in fault[1]
    fault = signer.fault(Head(2, "f" * 64), third)
    assert fault == (3, "event 3 does not follow event 2: the chain is broken there")
