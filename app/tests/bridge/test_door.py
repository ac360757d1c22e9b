"""The door: who may in, how much, with what; each refusal has its exact status and changes nothing."""

import asyncio
import base64
import io
import json
import time
import zlib
from typing import Any

import aiohttp
import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighthouse.bridge import door
from lighthouse.bridge.door import decode
from lighthouse.bridge.limits import RateLimit
from lighthouse.bridge.problems import Rejected
from lighthouse.bridge.schemas import EventBatch, EventStore
from lighthouse.keys import KeyRing
from lighthouse.sessions import Role, mint_agent_token
from tests.bridge.conftest import Api, Start
from tests.conftest import WaitFor

FIELDS = ["type", "data", "stream", "events", "expected_seq", "idempotency_key", "agent_id", "colour"]
NOTE = {"type": "note.added", "data": {}}


def forged(keyring: KeyRing, **changed: Any) -> str:
    now = int(time.time())
    claims = {"aud": "lighthouse", "sub": "ann", "role": "admin", "typ": "agent", "iat": now, "exp": now + 60}
    claims |= {"jti": "0" * 32} | changed
    return jwt.encode(claims, keyring.key("tokens"), "HS256", headers={"kid": keyring.key_id("tokens")})


def unsigned(keyring: KeyRing) -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    now = int(time.time())
    claims = {"aud": "lighthouse", "sub": "ann", "role": "admin", "typ": "agent", "iat": now, "exp": now + 60}
    return f"{part({'alg': 'none', 'kid': keyring.key_id('tokens')})}.{part(claims | {'jti': '0' * 32})}."


def bad_tokens(keyring: KeyRing) -> dict[str, str]:
    other = KeyRing(b"another-secret-of-thirty-two-bytes!")
    return {
        "unsigned": unsigned(keyring),
        "another key": mint_agent_token(other, "ann", Role.ADMIN, 60),
        "expired": forged(keyring, exp=int(time.time()) - 1),
        "another audience": forged(keyring, aud="elsewhere"),
        "the bridge itself": forged(keyring, sub="lighthouse"),
        "no such role": forged(keyring, role="king"),
        "nonsense": "nonsense",
        "an orphan session": forged(keyring, typ="session"),
    }


def judged(raw: bytes) -> int:
    """The status that a body would get, as far as its shape decides."""
    try:
        decode(raw, (EventStore, EventBatch))
    except Rejected as error:
        return error.status
    return 200


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_whatever_is_sent_is_a_request_or_a_refusal(raw: bytes) -> None:
    assert judged(raw) in (200, 400, 422)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=10,
)


@given(_JSON)
def test_whatever_json_is_sent_is_a_request_or_422(value: object) -> None:
    assert judged(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")) in (200, 422)


async def test_a_bad_token_is_401_everywhere_and_all_read_the_same(api: Api) -> None:
    details = set()
    for token in bad_tokens(api.keyring).values():
        for method, path in (("GET", "/status"), ("POST", "/event/store"), ("GET", "/shadow/read/README.md")):
            answer = await api.call(method, path, token=token)
            details.add(answer.problem(401).detail)
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert len(details) == 1


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic YTpi", "Token x"])
async def test_no_token_is_401(api: Api, header: str | None) -> None:
    sent = {} if header is None else {"Authorization": header}
    (await api.get("/status", token=None, headers=sent)).problem(401)


async def test_a_revoked_token_is_401(api: Api) -> None:
    token = api.token("bob")
    await api.post("/session/revoke", {}, token=token)
    (await api.get("/status", token=token)).problem(401)


async def test_rejections_become_an_event_without_the_token(api: Api, wait_for: WaitFor) -> None:
    tokens = bad_tokens(api.keyring)
    for token in tokens.values():
        await api.get("/status", token=token)
    (await api.post("/event/store", NOTE, token=api.token("otto", Role.OBSERVER))).problem(403)

    async def all_told() -> bool:
        told = [event.value["count"] for event in await api.events(type="session.rejected")]
        return sum(told) == len(tokens) + 1

    await wait_for(all_told)
    events = await api.events(type="session.rejected")
    assert {event.agent_id for event in events} == {"lighthouse"}
    listed = [item for event in events for item in event.value["rejections"]]
    assert {"otto"} == {item["agent_id"] for item in listed if item["status"] == 403}
    whole = " ".join(bytes(event.data).decode() for event in events)
    assert not any(token in whole for token in tokens.values())


@pytest.mark.parametrize("path", ["/health", "/openapi.json"])
async def test_open_routes_need_no_token(api: Api, path: str) -> None:
    assert (await api.get(path, token=None)).status == 200


async def test_a_body_of_two_mebibytes_is_413_and_the_bridge_goes_on(api: Api) -> None:
    before = api.bridge.store.head
    huge = json.dumps(NOTE | {"data": {"x": "y" * 2 * 1024 * 1024}}).encode()
    (await api.call("POST", "/event/store", data=io.BytesIO(huge))).problem(413)

    async def in_chunks() -> Any:
        for at in range(0, len(huge), 65536):
            yield huge[at : at + 65536]

    (await api.call("POST", "/event/store", data=in_chunks())).problem(413)
    assert api.bridge.store.head == before
    assert (await api.post("/event/store", NOTE)).status == 200


async def test_a_small_body_that_unpacks_to_a_large_one_is_413(api: Api) -> None:

    packed = zlib.compress(b'{"type": "note.added", "data": {"x": "' + b"y" * 8 * 1024 * 1024 + b'"}}')
    answer = await api.call("POST", "/event/store", data=packed, headers={"Content-Encoding": "deflate"})
    answer.problem(413)


async def test_a_body_that_never_ends_is_408(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "BODY_SECONDS", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    writer.write(b"POST /event/store HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n")
    writer.write(f'Authorization: Bearer {api.ann}\r\n\r\n{{"type"'.encode())
    assert b" 408 " in await asyncio.wait_for(reader.readline(), 10)
    writer.close()


async def test_a_body_cut_off_stores_nothing(api: Api) -> None:
    before = api.bridge.store.head
    _, writer = await asyncio.open_connection("127.0.0.1", api.port)
    body = json.dumps(NOTE).encode()
    writer.write(b"POST /event/store HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n" % (len(body) + 1))
    writer.write(f"Authorization: Bearer {api.ann}\r\n\r\n".encode() + body)
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await api.get("/status")).status == 200
    assert api.bridge.store.head == before


async def test_a_long_header_is_400(api: Api) -> None:
    assert (await api.get("/health", headers={"X-Long": "x" * 20_000})).status == 400


async def test_an_unknown_route_is_404_and_a_wrong_method_405(api: Api) -> None:
    (await api.get("/nowhere")).problem(404)
    answer = await api.get("/event/store")
    answer.problem(405)
    assert answer.headers["Allow"] == "POST"


async def test_the_callers_request_id_comes_back_if_it_is_one(api: Api) -> None:
    good = await api.get("/health", headers={"X-Request-Id": "run-7.a_B"})
    assert good.headers["X-Request-Id"] == "run-7.a_B"
    for bad in ("", "a b", "x" * 65, '"><script>', "é"):
        answer = await api.get("/health", headers={"X-Request-Id": bad})
        assert len(answer.headers["X-Request-Id"]) == 16


async def test_too_many_requests_are_429_with_the_time_to_wait(api: Api) -> None:
    api.bridge.agent_limit = RateLimit(rate=0.5, burst=3)
    statuses = [(await api.get("/status")).status for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    answer = await api.get("/status")
    answer.problem(429)
    assert 1 <= int(answer.headers["Retry-After"]) <= 3
    assert (await api.get("/status", token=api.token("bob"))).status == 200
    assert (await api.get("/health")).status == 200


async def test_failed_attempts_are_limited_and_good_tokens_are_not(api: Api) -> None:
    api.bridge.failure_limit = RateLimit(rate=0.1, burst=3)
    statuses = [(await api.get("/status", token="nonsense")).status for _ in range(5)]
    assert statuses == [401, 401, 401, 429, 429]
    assert (await api.get("/status")).status == 200


async def test_until_the_project_is_captured_only_the_state_can_be_asked(start: Start) -> None:
    api = await start(parts=False)
    assert (await api.get("/openapi.json")).status == 200
    health = await api.get("/health")
    assert (health.status, health.json()["status"]) == (503, "starting")
    assert (await api.get("/status")).json()["status"] == "starting"
    for method, path in (("GET", "/shadow/read/"), ("POST", "/event/store"), ("GET", "/stream/events")):
        answer = await api.call(method, path)
        answer.problem(503)
        assert answer.headers["Retry-After"] == "1"


async def test_a_failure_of_the_bridge_is_500_and_tells_only_where_to_look(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret of the house")

    monkeypatch.setattr(api.bridge.store, "query", fail)
    told = (await api.get("/event/query")).problem(500)
    assert "secret" not in told.detail
    assert "secret of the house" in caplog.text


async def test_a_client_that_hangs_up_does_not_disturb_the_others(api: Api) -> None:
    timeout = aiohttp.ClientTimeout(total=0.001)
    for _ in range(20):
        try:
            async with api.http.post(
                api.url("/event/store"), json=NOTE, headers=api.headers(), timeout=timeout
            ):
                pass
        except (TimeoutError, aiohttp.ClientError):
            continue
    assert (await api.post("/event/store", NOTE)).status == 200
