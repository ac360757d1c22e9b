"""The agent's own socket through the client: what is told, what comes again, and across a lost bridge."""

import asyncio
import signal
from contextlib import aclosing

import pytest

from lighthouse.client import BridgeAway, Client, Refused


async def doubt(ann: Client, bridge, what: str) -> str:
    """A call that an expert is asked about; the request's id."""
    verdict = await ann.validate("Bash", {"command": f"rm -rf {what}"}, cwd=str(bridge.project))
    return verdict.id


async def test_letters_come_until_they_are_acknowledged(own_bridge) -> None:
    own_bridge.start()
    losses: list[BridgeAway | Refused] = []
    async with (
        Client(own_bridge.url, own_bridge.token()) as ann,
        Client(own_bridge.url, own_bridge.token("eve", "expert")) as eve,
        asyncio.timeout(50),
    ):
        await eve.register_expert("review")
        ids = [await doubt(ann, own_bridge, what) for what in ("one", "two")]
        async with aclosing(eve.letters()) as letters:
            came = [await anext(letters) for _ in ids]
            assert [(letter.kind, letter.data["id"]) for letter in came] == [
                ("validation.request", id) for id in ids
            ]
            await came[0].acknowledge()
            third = await doubt(ann, own_bridge, "three")
            assert (await anext(letters)).data["id"] == third
        async with aclosing(eve.letters("validation", on_away=losses.append)) as letters:
            assert {(await anext(letters)).data["id"] for _ in range(2)} == {ids[1], third}
            own_bridge.stop(signal.SIGKILL)
            waiting = asyncio.ensure_future(anext(letters))
            own_bridge.start()
            # That a request was acknowledged is remembered until the bridge ends.
            again = [await waiting, await anext(letters), await anext(letters)]
            assert {letter.data["id"] for letter in again} == {*ids, third}
            assert losses


async def test_other_rooms_letters_do_not_come(own_bridge) -> None:
    own_bridge.start()
    async with (
        Client(own_bridge.url, own_bridge.token()) as ann,
        Client(own_bridge.url, own_bridge.token("eve", "expert")) as eve,
        aclosing(eve.letters("message", "task")) as some,
        aclosing(eve.letters()) as every,
        asyncio.timeout(50),
    ):
        await eve.register_expert("review")
        one = asyncio.ensure_future(anext(some))
        all_of_them = asyncio.ensure_future(anext(every))
        request = await doubt(ann, own_bridge, "one")
        assert (await all_of_them).data["id"] == request
        assert not one.done()
        one.cancel()
        await asyncio.gather(one, return_exceptions=True)


async def test_a_token_that_is_not_taken_is_told(bridge_process) -> None:
    async with Client(bridge_process.url, "no.token.atall", session_seconds=None) as client:
        with pytest.raises(Refused) as refusal:
            await anext(client.letters())
    assert refusal.value.status == 401
