"""Hundreds of streams on a real bridge: who never reads, and who loses the connection again and again."""

import asyncio
import json
import random
import socket
from collections.abc import Iterator
from contextlib import ExitStack, aclosing, contextmanager

import aiohttp

from lighthouse.client import Client, NewEvent
from tests.conftest import RunningBridge
from tests.load.memory import resident

DEAF, STREAMS = 192, 16
HANDSHAKES = (
    "Accept: text/event-stream\r\n",
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
)
# Of each of them: what a stream keeps, a transport's buffer, and what belongs to a connection.
MEGABYTES_EACH = 0.7


@contextmanager
def deaf(bridge: RunningBridge, number: int) -> Iterator[None]:
    """One that asks for the whole log and never reads."""
    host, _, port = bridge.address.partition(":")
    token = bridge.token(f"deaf-{number // STREAMS}")
    with socket.create_connection((host, int(port))) as raw:
        head = f"GET /stream/events?from_seq=1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        raw.sendall(f"{head}{HANDSHAKES[number % 2]}\r\n".encode())
        yield


async def write(client: Client, batches: int, size: int) -> int:
    """So many batches of forty; the last event's number."""
    last = 0
    for _ in range(batches):
        batch = [NewEvent("note.added", {"text": "x" * size})] * 40
        last = (await client.store_events(batch))[-1].seq
    return last


async def test_who_never_reads_costs_little_and_nobody_else(own_bridge: RunningBridge, wait_for) -> None:
    own_bridge.start()
    async with Client(own_bridge.url, own_bridge.token()) as ann, asyncio.timeout(50):
        with ExitStack() as stack:
            for number in range(DEAF):
                stack.enter_context(deaf(own_bridge, number))

            async def subscribers() -> int:
                return (await ann.status()).subscribers

            async def all_there() -> bool:
                return await subscribers() == DEAF

            await wait_for(all_there, 20)
            before = resident(own_bridge.pid)
            writing = asyncio.create_task(write(ann, 40, 20_000))
            seen = 0
            async with aclosing(ann.stream_events(1)) as events:
                async for event in events:
                    assert event.seq == seen + 1
                    seen = event.seq
                    if writing.done() and seen >= writing.result():
                        break
            # Thirty megabytes were sent to each, as far as it took them.
            assert resident(own_bridge.pid) - before < DEAF * MEGABYTES_EACH


async def test_who_loses_the_connection_resumes_without_gap_or_double(own_bridge: RunningBridge) -> None:
    own_bridge.start()
    async with (
        Client(own_bridge.url, own_bridge.token()) as ann,
        aiohttp.ClientSession() as http,
        asyncio.timeout(50),
    ):

        async def read(name: str, last: "asyncio.Task[int]") -> int:
            """Follow the log over short-lived connections; how many there were."""
            choice, seen, connections = random.Random(name), 0, 0
            headers = {"Authorization": f"Bearer {own_bridge.token(name)}"}
            while not (last.done() and seen >= last.result()):
                connections += 1
                where = f"{own_bridge.url}/stream/events?from_seq={seen + 1}"
                async with http.ws_connect(where, headers=headers) as stream:
                    for _ in range(choice.randrange(1, 120)):
                        event = json.loads((await stream.receive()).data)
                        assert event["seq"] == seen + 1
                        seen = event["seq"]
                        if last.done() and seen >= last.result():
                            break
                    # Leaves in the midst of it, with much on its way.
                    stream._response.close()
            return connections

        writing = asyncio.create_task(write(ann, 25, 200))
        connections = await asyncio.gather(*(read(f"reader-{number}", writing) for number in range(8)))
    assert min(connections) > 5
