"""Tasks through the client, and the program of docs/tasks.md."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lighthouse.client import Client, Refused
from lighthouse.client.answers_tasks import Capability

DOCUMENT = Path(__file__).parents[3] / "docs" / "tasks.md"


async def test_a_task_from_both_sides(bridge_process) -> None:
    url = bridge_process.url
    async with (
        Client(url, bridge_process.token()) as ann,
        Client(url, bridge_process.token("the-counter")) as counter,
    ):
        made = await ann.dispatch_task("count", "words", to="the-counter", idempotency_key="count", retries=1)
        assert (made.state, made.to, made.offered, made.ended) == (
            "pending",
            "the-counter",
            ["the-counter"],
            False,
        )
        again = await ann.dispatch_task(
            "count", "words", to="the-counter", idempotency_key="count", retries=1
        )
        assert again == made
        ended = asyncio.ensure_future(ann.task(made.id, wait_seconds=60))
        [found] = (await counter.pending_tasks(wait_seconds=10)).tasks
        assert found == made
        claimed = await counter.claim_task(made.id, idempotency_key="k")
        assert await counter.claim_task(made.id, idempotency_key="k") == claimed
        with pytest.raises(Refused) as refused:
            await ann.claim_task(made.id)
        assert refused.value.status == 409
        told = await counter.progress_task(made.id, "begun", percent=10)
        assert [(note.note, note.percent) for note in told.notes] == [("begun", 10)]
        gave = await counter.fail_task(made.id, "not now", retry=True)
        assert (gave.attempt, gave.how, gave.reason) == (2, "holder", "not now")
        await counter.claim_task(made.id)
        done = await counter.complete_task(made.id, {"words": 1})
        assert (done.result, done.ended) == ({"words": 1}, True)
        assert await asyncio.wait_for(ended, 30) == done
        other = await ann.dispatch_task("another", to="the-counter")
        assert (await ann.cancel_task(other.id, "no need")).reason == "no need"
        listed = await ann.tasks(agent="the-counter", limit=1)
        assert [one.id for one in listed.tasks] == [other.id]
        following = await ann.tasks(agent="the-counter", state="completed", cursor=listed.next_cursor)
        assert [one.id for one in following.tasks] == [made.id]


async def test_delegating(bridge_process) -> None:
    url = bridge_process.url
    needs = Capability(speciality="poetry", languages=["python"])
    async with (
        Client(url, bridge_process.token()) as ann,
        Client(url, bridge_process.token("pam", "expert")) as pam,
    ):
        await pam.register_expert("poetry", languages=["python"])
        made = await ann.delegate("write", needs=needs)
        assert (made.offered, made.capability) == (["pam"], needs)
        await pam.claim_task(made.id)
        assert (await pam.fail_task(made.id, "no rhyme")).how == "holder"

        async def counted() -> tuple[int, int, int]:
            [seen] = [one for one in await ann.experts() if one.agent_id == "pam"]
            return seen.completed, seen.failed, seen.load

        # How experts did is read from the log, a moment after an act is acknowledged.
        async with asyncio.timeout(30):
            while await counted() != (0, 1, 0):
                pass


async def test_the_program_of_the_document(bridge_process, tmp_path) -> None:
    found = re.search(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert found is not None
    (tmp_path / "work.py").write_text(found[1])
    env = bridge_process.environment("wendy")
    with subprocess.Popen([sys.executable, tmp_path / "work.py"], env=env) as working:
        try:
            async with Client(bridge_process.url, bridge_process.token()) as ann:
                done = await ann.dispatch_task("measure", "twelve chars", to="wendy", wait_seconds=40)
            assert (done.state, done.result) == ("completed", {"length": 12})
        finally:
            working.terminate()
