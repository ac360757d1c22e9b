"""Collaborations and pair sessions through the client."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from lighthouse.client import Client, Refused


@pytest.fixture
async def team(bridge_process) -> AsyncIterator[tuple[Client, Client]]:
    """Two agents of the running bridge."""
    async with AsyncExitStack() as stack:
        pia, paul = [
            await stack.enter_async_context(Client(bridge_process.url, bridge_process.token(name)))
            for name in ("pia", "paul")
        ]
        yield pia, paul


async def test_a_pair_suggests_reviews_and_completes(team: tuple[Client, Client]) -> None:
    pia, paul = team
    asked = await pia.request_pair("paul", "greet in English", paths=["src/main.py"], idempotency_key="greet")
    again = await pia.request_pair("paul", "greet in English", paths=["src/main.py"], idempotency_key="greet")
    assert (asked.state, asked.invited, again.id) == ("requested", ["paul"], asked.id)
    [waiting] = (await paul.collaborations(awaiting=True)).collaborations
    assert (waiting.id, waiting.topic) == (asked.id, "greet in English")
    assert (await paul.accept_pair(asked.id)).state == "active"
    made = await paul.suggest(asked.id, "say good day", path="src/main.py", line=1)
    await pia.review_suggestion(asked.id, made.suggestion.id, "change", "in a function")
    with pytest.raises(Refused) as refusal:
        await paul.review_suggestion(asked.id, made.suggestion.id, "accept")
    assert refusal.value.status == 403
    await pia.say(asked.id, "see you", symbol=None)
    assert (await paul.complete_pair(asked.id, "left as it is")).state == "completed"
    first = await pia.collaboration(asked.id, limit=3)
    assert first.next_cursor is not None
    assert first.entries[-1].note is not None
    assert first.entries[-1].note.text == "say good day"
    rest = await pia.collaboration(asked.id, after=first.entries[-1].seq)
    assert [entry.type for entry in rest.entries] == ["pair.reviewed", "pair.said", "pair.completed"]
    assert rest.collaboration.suggestions[0].verdict == "change"
    assert asked.id in {one.id for one in (await pia.collaborations(ended=True, mine=True)).collaborations}


async def test_several_talk_until_one_closes(team: tuple[Client, Client]) -> None:
    pia, paul = team
    begun = await pia.start_collaboration("names", ["paul", "petra"], idle_seconds=600)
    assert (await paul.join_collaboration(begun.id)).members == ["pia", "paul"]
    following = asyncio.create_task(pia.collaboration(begun.id, after=begun.seq + 1, wait_seconds=20))
    await paul.say(begun.id, "short ones", idempotency_key="short")
    seen = await following
    assert seen.collaboration.idle_seconds == 600
    assert (await paul.leave_collaboration(begun.id, "lunch")).members == ["pia"]
    assert (await pia.close_collaboration(begun.id, "done")).state == "closed"
    entries = (await pia.collaboration(begun.id)).entries
    assert [entry.data.get("text") or entry.data.get("reason") for entry in entries[2:]] == [
        "short ones",
        "lunch",
        "done",
    ]


async def test_to_decline(team: tuple[Client, Client]) -> None:
    pia, paul = team
    asked = await pia.request_pair("paul", "so")
    assert (await paul.decline_pair(asked.id, "no time")).state == "declined"
    assert (await pia.collaboration(asked.id)).collaboration.reason == "no time"
