"""Two hundred sockets on a real bridge, and one that is lost and opened again all the time."""

import asyncio
import random
import urllib.request
from contextlib import AsyncExitStack, aclosing, suppress

import aiohttp

from lighthouse.client import BridgeAway, Client, Refused
from tests.conftest import RunningBridge

SOCKETS = 200
MESSAGES = 150


async def test_two_hundred_are_told_and_each_once(own_bridge: RunningBridge, wait_for) -> None:
    own_bridge.start()
    came: dict[str, list[str]] = {f"agent-{number}": [] for number in range(SOCKETS)}

    async def listen(name: str) -> None:
        async with (
            Client(own_bridge.url, own_bridge.token(name)) as client,
            aclosing(client.letters()) as letters,
        ):
            async for letter in letters:
                came[name].append(letter.data["id"])
                await letter.acknowledge()

    async with asyncio.timeout(55), AsyncExitStack() as stack:
        ann = await stack.enter_async_context(Client(own_bridge.url, own_bridge.token()))
        listening = [asyncio.create_task(listen(name)) for name in came]

        def all_there() -> bool:
            head = {"Authorization": f"Bearer {own_bridge.token()}"}
            asked = urllib.request.Request(f"{own_bridge.url}/metrics", headers=head)
            with urllib.request.urlopen(asked, timeout=10) as answer:
                return f"lighthouse_sockets {SOCKETS}.0".encode() in answer.read()

        await wait_for(lambda: asyncio.to_thread(all_there), 40)
        everybody = [(await ann.send_message(f"to all, {number}", to="*")).id for number in range(3)]
        own = {name: (await ann.send_message("to you alone", to=name)).id for name in list(came)[::10]}
        expected = {name: [*everybody, *([own[name]] if name in own else [])] for name in came}
        await wait_for(lambda: came == expected, 30)
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)


async def test_what_is_acknowledged_is_over_and_all_else_comes_again(own_bridge: RunningBridge) -> None:
    own_bridge.start()
    choice = random.Random(1)
    acknowledged: list[str] = []
    headers = {"Authorization": f"Bearer {own_bridge.token('bob')}"}

    async def write(ann: Client) -> list[str]:
        sent: list[str] = []
        while len(sent) < MESSAGES:
            try:
                key = f"key-{len(sent)}"
                message = await ann.send_message(f"number {len(sent)}", to="bob", idempotency_key=key)
            except (BridgeAway, Refused) as away:
                if isinstance(away, Refused) and away.status != 503:
                    raise
                await asyncio.sleep(0.05)
            else:
                sent.append(message.id)
        return sent

    async def read(http: aiohttp.ClientSession) -> None:
        """A connection's worth: some of what comes, acknowledged or not, and away."""
        async with http.ws_connect(f"{own_bridge.url}/ws/bob?rooms=message", headers=headers) as socket:
            for number in range(1, choice.randrange(2, 40)):
                letter = (await socket.receive(timeout=0.3)).json()
                assert letter["n"] == number
                assert letter["data"]["id"] not in acknowledged
                if choice.random() < 0.8:
                    await socket.send_json({"type": "ack", "n": number})
                    acknowledged.append(letter["data"]["id"])

    async with (
        asyncio.timeout(55),
        Client(own_bridge.url, own_bridge.token()) as ann,
        aiohttp.ClientSession() as http,
    ):
        writing = asyncio.create_task(write(ann))
        connections = 0
        while not (writing.done() and set(acknowledged) == set(writing.result())):
            connections += 1
            # What comes may be at its end for now.
            with suppress(TimeoutError):
                await read(http)
            if connections == 5:
                await asyncio.to_thread(own_bridge.stop)
                await asyncio.to_thread(own_bridge.start)
        assert (await ann.messages(to="bob", limit=1)).complete
        sent = writing.result()
    assert sorted(acknowledged) == sorted(sent)
    assert connections > 10
