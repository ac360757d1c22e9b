"""What becomes of a request when the other side misbehaves: a real socket that answers what the test says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from lighthouse.client import BridgeAway, Client, NewEvent, NotABridge, Refused
from lighthouse.client.transport import Transport
from tests.client.conftest import serve


class Answering:
    """A server that gives each connection the next of `answers`; None closes it without one."""

    def __init__(self, *answers: bytes | None) -> None:
        self._answers = list(answers)
        self.requests: list[bytes] = []
        self.url = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Answering"]:
        async with serve(self._serve) as self.url:
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        body = await reader.readexactly(int(length[0].split(b":")[1])) if length else b""
        self.requests.append(head + body)
        answer = self._answers.pop(0)
        if answer is not None:
            writer.write(answer)
            await writer.drain()


def http(status: str, body: bytes, kind: str = "application/json", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body


async def test_a_repeatable_request_is_sent_again_once() -> None:
    async with Answering(None, http("200 OK", b"{}")).running() as peer, Transport(peer.url) as transport:
        assert (await transport.request("POST", "/x", body={}, repeatable=True)).status == 200
    async with Answering(None, None).running() as peer, Transport(peer.url) as transport:
        with pytest.raises(BridgeAway):
            await transport.request("POST", "/x", body={}, repeatable=True)
        assert len(peer.requests) == 2


async def test_another_request_is_not() -> None:
    async with Answering(None, None).running() as peer, Transport(peer.url) as transport:
        with pytest.raises(BridgeAway):
            await transport.request("POST", "/x", body={})
        assert len(peer.requests) == 1


async def test_an_event_sent_twice_has_one_key() -> None:
    receipt = http("200 OK", b'{"seq": 1, "id": "i", "ts": "t", "mac": "m"}')
    async with (
        Answering(None, receipt).running() as peer,
        Client(peer.url, "t", session_seconds=None) as client,
    ):
        assert (await client.store_event(NewEvent("note.added", {}))).seq == 1
    first, second = (request.split(b"\r\n\r\n")[1] for request in peer.requests)
    assert first == second
    assert b'"idempotency_key":"' in first


async def test_a_problem_is_told() -> None:
    problem = (
        b'{"type": "about:blank", "title": "Slow", "detail": "too many", "instance": "r1", "status": 429}'
    )
    answer = http("429 Too Many Requests", problem, "application/problem+json", "Retry-After: 3")
    async with Answering(answer).running() as peer, Transport(peer.url) as transport:
        with pytest.raises(Refused, match=r"\(429\): too many") as refusal:
            await transport.request("GET", "/x")
    assert (refusal.value.retry_after, refusal.value.request_id) == (3.0, "r1")


@pytest.mark.parametrize(
    "answer",
    [
        http("500 Oops", b"<html>"),
        http("500 Oops", b"no json", "application/problem+json"),
        http("302 Found", b"", "text/html", "Location: http://elsewhere/"),
        b"garbage\r\n\r\n",
    ],
)
async def test_what_no_bridge_would_say(answer) -> None:
    async with Answering(answer).running() as peer, Transport(peer.url) as transport:
        with pytest.raises(NotABridge):
            await transport.request("GET", "/x", token="t")
        assert len(peer.requests) == 1


async def test_an_answer_cut_short() -> None:
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this"
    async with Answering(cut).running() as peer, Transport(peer.url) as transport:
        with pytest.raises(BridgeAway):
            await transport.request("GET", "/x")


async def test_no_answer_in_time() -> None:
    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serve(never) as url, Transport(url, timeout_seconds=0.1) as transport:
        with pytest.raises(BridgeAway, match="no answer in time"):
            await transport.request("GET", "/x")


async def test_a_bridge_that_was_asked_to_wait_has_that_much_longer() -> None:
    going_on = asyncio.Event()

    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await going_on.wait()
        writer.write(http("200 OK", b"{}"))

    async with serve(late) as url, Transport(url, timeout_seconds=0.1) as transport:
        waiting = asyncio.create_task(transport.request("GET", "/x", wait_seconds=60))
        # This one is begun later, so the other's own time is over too.
        with pytest.raises(BridgeAway, match="no answer in time"):
            await transport.request("GET", "/x")
        going_on.set()
        assert (await asyncio.wait_for(waiting, 20)).status == 200
