"""Messages through the client: sent, heard of, found, across a killed bridge."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from lighthouse.client import Client, Refused


@pytest.fixture
async def ann(bridge_process) -> AsyncIterator[Client]:
    async with Client(bridge_process.url, bridge_process.token("ann-writes")) as client:
        yield client


@pytest.fixture
async def bob(bridge_process) -> AsyncIterator[Client]:
    async with Client(bridge_process.url, bridge_process.token("bob-reads")) as client:
        yield client


async def test_sent_found_and_acknowledged(ann: Client, bob: Client) -> None:
    sent = await ann.send_message("the heron is done", to="bob-reads", subject="birds")
    assert (sent.agent_id, sent.recipients) == ("ann-writes", {"bob-reads": None})
    page = await bob.unread_messages()
    assert sent.id in [one.id for one in page.messages]
    reply = await bob.send_message("a fine heron", thread=sent.id)
    assert (reply.thread, list(reply.recipients)) == (sent.id, ["ann-writes"])
    found = await ann.messages("heron -nothing")
    assert ([one.id for one in found.messages], found.complete) == ([reply.id, sent.id], True)
    assert [one.id for one in (await ann.messages(thread=sent.id, limit=1)).messages] == [sent.id]
    assert [one.id for one in (await ann.messages("heron", agent_id="bob-reads")).messages] == [reply.id]
    receipt = await bob.acknowledge_message(sent.id)
    assert await bob.acknowledge_message(sent.id) == receipt
    assert (await ann.message(sent.id)).recipients == {"bob-reads": receipt.acknowledged_at}
    assert sent.id not in [one.id for one in (await bob.unread_messages()).messages]
    threads = (await ann.threads("bob-reads")).threads
    assert (threads[0].id, threads[0].messages, threads[0].unread) == (sent.id, 2, 1)
    await ann.acknowledge_message(reply.id)


async def test_waiting(ann: Client, bob: Client) -> None:
    waiting = asyncio.create_task(bob.unread_messages(wait_seconds=30))
    await bob.experts()
    sent = await ann.send_message("now", to="bob-reads")
    async with asyncio.timeout(20):
        assert [one.id for one in (await waiting).messages] == [sent.id]
    await bob.acknowledge_message(sent.id)


async def test_refusals(ann: Client) -> None:
    for wrong, status in (
        (ann.messages("(heron"), 422),
        (ann.message("m99999"), 404),
        (ann.send_message("x", thread="m99999"), 404),
        (ann.send_message("x", to="ann-writes"), 422),
        (ann.acknowledge_message("m99999"), 404),
    ):
        with pytest.raises(Refused) as refusal:
            await wrong
        assert refusal.value.status == status


async def test_what_was_not_acknowledged_comes_again_across_a_killed_bridge(own_bridge) -> None:
    own_bridge.start()
    async with (
        Client(own_bridge.url, own_bridge.token("ann")) as ann,
        Client(own_bridge.url, own_bridge.token("bob")) as bob,
        aclosing(bob.letters("message", on_away=lambda _: None)) as letters,
        asyncio.timeout(50),
    ):
        sent = [(await ann.send_message(f"number {n}", to="bob")).id for n in range(3)]
        first = await anext(letters)
        assert (first.kind, first.data["id"]) == ("message.new", sent[0])
        await bob.acknowledge_message(sent[0])
        assert [(await anext(letters)).data["id"] for _ in sent[1:]] == sent[1:]
        own_bridge.stop(signal.SIGKILL)
        own_bridge.start()
        again = [await anext(letters) for _ in sent[1:]]
        assert [letter.data["id"] for letter in again] == sent[1:]
        for letter in again:
            await letter.acknowledge()
        while (await bob.unread_messages()).messages:
            await asyncio.sleep(0.01)
        page = await ann.messages("number")
        assert ([one.id for one in page.messages], page.complete) == (sent[::-1], True)
        assert all(all(one.recipients.values()) for one in page.messages)
