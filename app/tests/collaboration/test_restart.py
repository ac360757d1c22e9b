"""A pair session with a real bridge that is killed in the middle: nothing is lost, nothing told twice."""

import signal
from contextlib import AsyncExitStack

import pytest

from lighthouse.client import Client, Refused
from tests.conftest import RunningBridge


async def test_a_pair_goes_on_after_the_bridge_was_killed(own_bridge: RunningBridge) -> None:
    (own_bridge.project / "main.py").write_text("def main():\n    print('ahoy')\n")
    own_bridge.start()
    async with AsyncExitStack() as stack:
        ann, ben = [
            await stack.enter_async_context(Client(own_bridge.url, own_bridge.token(name)))
            for name in ("ann", "ben")
        ]
        name = (await ann.request_pair("ben", "greet", idempotency_key="greet")).id
        await ben.accept_pair(name)
        made = await ben.suggest(name, "say hello", path="main.py", symbol="main", idempotency_key="hello")
        before = await ann.collaboration(name)
        own_bridge.stop(signal.SIGKILL)
        own_bridge.start()
        assert await ann.collaboration(name) == before
        # Who was not answered asks again, and it is done once.
        assert (await ann.request_pair("ben", "greet", idempotency_key="greet")).id == name
        again = await ben.suggest(name, "say hello", path="main.py", symbol="main", idempotency_key="hello")
        assert again.suggestion == made.suggestion
        await ann.review_suggestion(name, made.suggestion.id, "accept")
        own_bridge.stop(signal.SIGKILL)
        own_bridge.start()
        # What may not be sent twice is not, on connections that are dead; what only looks finds that out.
        assert await ann.collaboration(name) == await ben.collaboration(name)
        with pytest.raises(Refused) as refusal:
            await ann.review_suggestion(name, made.suggestion.id, "accept")
        assert refusal.value.status == 409
        assert (await ben.complete_pair(name, "it greets")).state == "completed"
        after = await ann.collaboration(name)
    assert after.entries[: len(before.entries)] == before.entries
    assert [entry.type for entry in after.entries[3:]] == ["pair.reviewed", "pair.completed"]
