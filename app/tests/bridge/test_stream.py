"""Streams: every event once and in order, over both forms, however slow the reader and busy the writers."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any

import aiohttp
import pytest

from lighthouse.bridge import lasting, stream
from lighthouse.sessions import Role
from tests.bridge.conftest import Api
from tests.conftest import WaitFor

Events = AsyncIterator[dict[str, Any]]


@asynccontextmanager
async def websocket(api: Api, query: str, token: str = "") -> AsyncIterator[Events]:
    async with api.http.ws_connect(api.url(f"/stream/events{query}"), headers=api.headers(token)) as socket:

        async def events() -> Events:
            async for message in socket:
                yield json.loads(message.data)

        yield events()


@asynccontextmanager
async def sse(api: Api, query: str, token: str = "", **headers: str) -> AsyncIterator[Events]:
    sent = api.headers(token, Accept="text/event-stream", **headers)
    async with api.http.get(api.url(f"/stream/events{query}"), headers=sent) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/event-stream"

        async def events() -> Events:
            number = ""
            async for line in answer.content:
                if line.startswith(b"id: "):
                    number = line[4:].decode().strip()
                if line.startswith(b"data: "):
                    event = json.loads(line[6:])
                    assert str(event["seq"]) == number
                    yield event

        yield events()


BOTH = pytest.mark.parametrize("opened", [websocket, sse])


async def take(events: Events, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(20):
        return [await anext(events) for _ in range(count)]


async def write(api: Api, count: int, writers: int = 1) -> None:
    async def one(writer: int) -> None:
        for n in range(count // writers):
            body = {"type": "note.added", "data": {"writer": writer, "n": n}, "stream": f"w{writer}"}
            assert (await api.post("/event/store", body)).status == 200

    await asyncio.gather(*(one(writer) for writer in range(writers)))


@BOTH
async def test_history_then_live_without_gap_or_double_while_writers_write(api: Api, opened: Any) -> None:
    await write(api, 50)
    writing = asyncio.create_task(write(api, 400, writers=8))
    async with opened(api, "?from_seq=1") as events:
        first = await take(events, 1)
        last = api.bridge.store.head.seq
        await writing
        total = api.bridge.store.head.seq
        rest = await take(events, total - 1)
    assert [event["seq"] for event in first + rest] == list(range(1, total + 1))
    assert total > last


@BOTH
async def test_from_the_middle_and_from_now(api: Api, opened: Any) -> None:
    await write(api, 5)
    head = api.bridge.store.head.seq
    async with opened(api, f"?from_seq={head - 1}") as middle, opened(api, "") as now:
        assert [event["seq"] for event in await take(middle, 2)] == [head - 1, head]
        await write(api, 1)
        assert [event["seq"] for event in await take(now, 1)] == [head + 1]
        assert [event["seq"] for event in await take(middle, 1)] == [head + 1]


@BOTH
async def test_an_event_on_the_stream_is_the_one_in_the_log(api: Api, opened: Any) -> None:
    await write(api, 1)
    head = api.bridge.store.head.seq
    async with opened(api, f"?from_seq={head}") as events:
        [event] = await take(events, 1)
    [queried] = (await api.get(f"/event/query?from_seq={head}")).json()["events"]
    assert event == queried


async def test_a_slow_reader_loses_nothing_and_holds_nobody_up(api: Api) -> None:
    payload = "x" * 20_000
    bodies = [{"type": "note.added", "data": {"n": n, "x": payload}} for n in range(40)]
    async with sse(api, "") as events:
        begin = api.bridge.store.head.seq + 1
        for _ in range(10):  # 8 MB: more than any socket buffer takes while nobody reads
            assert (await api.post("/event/store", {"events": bodies})).status == 200
        got = await take(events, 400)
    assert [event["seq"] for event in got] == list(range(begin, begin + 400))


async def test_a_reader_that_takes_nothing_is_let_go(
    api: Api, monkeypatch: pytest.MonkeyPatch, wait_for: WaitFor
) -> None:
    monkeypatch.setattr(lasting, "STALL_SECONDS", 0.1)
    body = {"events": [{"type": "note.added", "data": {"x": "x" * 20_000}}] * 40}
    async with sse(api, ""):
        await wait_for(lambda: len(api.bridge.streams) == 1)
        for _ in range(10):
            await api.post("/event/store", body)
        await wait_for(lambda: len(api.bridge.streams) == 0)


HANDSHAKE = {
    "sse": "Accept: text/event-stream\r\n",
    "websocket": "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
}


@contextmanager
def deaf(api: Api, form: str, path: str = "/stream/events") -> Iterator[socket.socket]:
    """A client that asks for a stream and never reads."""
    with socket.create_connection(("127.0.0.1", api.port)) as raw:
        authorization = f"Authorization: Bearer {api.ann}\r\n"
        raw.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n{authorization}{HANDSHAKE[form]}\r\n".encode())
        yield raw


@pytest.mark.parametrize("form", HANDSHAKE)
async def test_one_that_never_reads_leaves_nothing_behind(
    api: Api, form: str, monkeypatch: pytest.MonkeyPatch, wait_for: WaitFor
) -> None:
    monkeypatch.setattr(lasting, "STALL_SECONDS", 0.1)
    monkeypatch.setattr(lasting, "CHECK_SECONDS", 0.1)
    assert api.runner.server is not None
    body = {"events": [{"type": "note.added", "data": {"x": "x" * 20_000}}] * 40}
    with deaf(api, form):
        await wait_for(lambda: len(api.bridge.streams) == 1)
        for _ in range(10):
            await api.post("/event/store", body)
        await wait_for(lambda: len(api.bridge.streams) == 0)
        await api.http.close()
        # Not even its connection, although the client still has its end of it open.
        await wait_for(lambda: not api.runner.server.connections)


@pytest.mark.parametrize("form", HANDSHAKE)
async def test_what_ends_it_is_not_kept_up_by_one_that_never_reads(
    api: Api, form: str, monkeypatch: pytest.MonkeyPatch, wait_for: WaitFor
) -> None:
    monkeypatch.setattr(lasting, "CHECK_SECONDS", 0.1)
    body = {"events": [{"type": "note.added", "data": {"x": "x" * 20_000}}] * 40}
    with deaf(api, form):
        await wait_for(lambda: len(api.bridge.streams) == 1)
        for _ in range(10):
            await api.post("/event/store", body)
        await api.post("/session/revoke", {})
        await api.http.close()
        await wait_for(lambda: not api.runner.server.connections)


async def test_an_agent_has_so_many_streams_and_others_have_theirs(api: Api, wait_for: WaitFor) -> None:
    async with AsyncExitStack() as stack:
        for number in range(lasting.MAX_STREAMS):
            await stack.enter_async_context((sse, websocket)[number % 2](api, ""))
        refused = await api.get("/stream/events", headers={"Accept": "text/event-stream"})
        assert "close one of them" in refused.problem(429).detail
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await stack.enter_async_context(websocket(api, ""))
        assert caught.value.status == 429
        async with websocket(api, "?from_seq=1", api.token("bob")) as events:
            assert (await take(events, 1))[0]["seq"] == 1
    await wait_for(lambda: len(api.bridge.streams) == 0)
    async with websocket(api, "?from_seq=1") as events:
        await take(events, 1)


async def test_a_stream_with_much_to_send_lets_others_have_their_turn(api: Api) -> None:
    await write(api, 200)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    sent: list[int] = []
    went_on: list[int] = []

    async def send(event: Any) -> None:
        sent.append(event.seq)
        went_on.append(turns)

    elsewhere = asyncio.create_task(others())
    async with api.bridge.store.subscribe(1) as subscription:
        pumping = asyncio.create_task(stream._pump(subscription, send))
        while len(sent) < 200:
            await asyncio.sleep(0.001)
        pumping.cancel()
        elsewhere.cancel()
        await asyncio.gather(pumping, elsewhere, return_exceptions=True)
    assert max(went_on.count(turn) for turn in went_on) <= stream.TURN


async def test_a_browser_resumes_after_the_last_event_it_saw(api: Api) -> None:
    await write(api, 5)
    head = api.bridge.store.head.seq
    async with sse(api, "?from_seq=1", **{"Last-Event-ID": str(head - 2)}) as events:
        assert [event["seq"] for event in await take(events, 2)] == [head - 1, head]
    answer = await api.get("/stream/events", headers={"Accept": "text/event-stream", "Last-Event-ID": "x"})
    answer.problem(422)


async def test_both_are_kept_alive(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lasting, "CHECK_SECONDS", 0.01)
    monkeypatch.setattr(lasting, "HEARTBEAT_SECONDS", 0.02)
    sent = api.headers(Accept="text/event-stream")
    async with api.http.get(api.url("/stream/events"), headers=sent) as answer, asyncio.timeout(10):
        assert [await answer.content.readline() for _ in range(3)] == [
            b": still here\n",
            b"\n",
            b": still here\n",
        ]
    async with (
        api.http.ws_connect(api.url("/stream/events"), headers=api.headers(), autoping=False) as socket,
        asyncio.timeout(10),
    ):
        assert (await socket.receive()).type is aiohttp.WSMsgType.PING


@pytest.mark.parametrize(
    "query", ["?from_seq=-1", "?from_seq=x", "?from_seq=1.5", "?since=1", "?from_seq=1&from_seq=2"]
)
async def test_a_start_that_makes_no_sense_is_422(api: Api, query: str) -> None:
    (await api.get(f"/stream/events{query}", headers={"Accept": "text/event-stream"})).problem(422)
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await api.http.ws_connect(api.url(f"/stream/events{query}"), headers=api.headers())
    assert caught.value.status == 422


async def test_without_a_good_token_there_is_no_stream(api: Api) -> None:
    for token in (None, "nonsense"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await api.http.ws_connect(api.url("/stream/events"), headers=api.headers(token))
        assert caught.value.status == 401


async def test_neither_form_is_406(api: Api) -> None:
    (await api.get("/stream/events")).problem(406)


async def test_an_observer_may_listen(api: Api) -> None:
    async with websocket(api, "?from_seq=1", api.token("otto", Role.OBSERVER)) as events:
        assert (await take(events, 1))[0]["seq"] == 1


@BOTH
async def test_a_stream_ends_with_its_token(api: Api, opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lasting, "CHECK_SECONDS", 0.05)
    bob = api.token("bob")
    async with opened(api, "", bob) as events:
        await api.post("/session/revoke", {}, token=bob)
        async with asyncio.timeout(10):
            rest = [event async for event in events]
    assert {event["type"] for event in rest} <= {"session.revoked"}


async def test_a_websocket_is_told_why_it_ends(
    api: Api, monkeypatch: pytest.MonkeyPatch, wait_for: WaitFor
) -> None:
    monkeypatch.setattr(lasting, "CHECK_SECONDS", 0.05)
    async with api.http.ws_connect(api.url("/stream/events"), headers=api.headers()) as socket:
        await wait_for(lambda: len(api.bridge.streams) == 1)
        api.bridge.begin_stop()
        message = await asyncio.wait_for(socket.receive(), 10)
        assert message.type is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == 1001
    bob = api.token("bob")
    api.bridge.phase = "serving"
    api.bridge.stopping.clear()
    async with api.http.ws_connect(api.url("/stream/events"), headers=api.headers(bob)) as socket:
        await api.post("/session/revoke", {}, token=bob)
        while (await asyncio.wait_for(socket.receive(), 10)).type is aiohttp.WSMsgType.TEXT:
            pass
        assert socket.close_code == 1008


async def test_readers_that_go_leave_nothing_behind(api: Api, wait_for: WaitFor) -> None:
    for _ in range(5):
        async with websocket(api, "?from_seq=1") as events:
            await take(events, 1)
        async with sse(api, "?from_seq=1") as events:
            await take(events, 1)
    await wait_for(lambda: len(api.bridge.streams) == 0)
    await wait_for(lambda: api.bridge.store.stats()["subscribers"] == 0)


@pytest.mark.parametrize("path", ["/stream/events", "/ws/ann"])
async def test_pings_are_answered_and_count_against_the_rate(
    api: Api, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[str] = []
    take = api.bridge.agent_limit.take
    monkeypatch.setattr(api.bridge.agent_limit, "take", lambda agent: (taken.append(agent), take(agent))[1])
    async with api.http.ws_connect(api.url(path), headers=api.headers(), autoping=False) as socket:
        taken.clear()
        for number in range(3):
            await socket.ping(b"%d" % number)
            pong = await asyncio.wait_for(socket.receive(), 10)
            assert (pong.type, pong.data) == (aiohttp.WSMsgType.PONG, b"%d" % number)
    assert taken[:3] == ["ann"] * 3


async def test_what_a_client_says_on_the_socket_is_ignored_and_too_much_ends_it(api: Api) -> None:
    async with api.http.ws_connect(api.url("/stream/events?from_seq=1"), headers=api.headers()) as socket:
        await socket.send_str("hello")
        assert (await asyncio.wait_for(socket.receive_json(), 10))["seq"] == 1
        await socket.send_bytes(b"x" * (lasting.MAX_MESSAGE + 1))
        while (message := await asyncio.wait_for(socket.receive(), 10)).type is aiohttp.WSMsgType.TEXT:
            pass
        # Not the socket's own code: that is another where the bridge is gone before the client's goodbye.
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1009)
