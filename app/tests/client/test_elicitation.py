"""Questions through the client: both sides, and a bridge that is stopped or killed while somebody waits."""

import asyncio
import re
import signal
import threading
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest

from lighthouse.client import Client, Refused
from lighthouse.client.answers_elicitation import Question

PORT = {"type": "object", "properties": {"port": {"type": "integer"}}, "required": ["port"]}
SECONDS = 30


def client(running, agent: str) -> Client:
    return Client(running.url, running.token(agent))


async def next_question(asked: Client) -> Question:
    return (await asked.questions(wait_seconds=SECONDS)).questions[0]


async def test_asking_and_answering(bridge_process) -> None:
    async with client(bridge_process, "quentin") as quentin, client(bridge_process, "bea") as bea:
        waiting = asyncio.create_task(quentin.elicit("bea", "Which port?", PORT))
        asked = await next_question(bea)
        assert (asked.state, asked.agent_id, asked.message) == ("pending", "quentin", "Which port?")
        with pytest.raises(Refused, match=r"content\.port: 'x' is not of type 'integer'"):
            await bea.respond(asked.id, {"port": "x"})
        answered = await bea.respond(asked.id, {"port": 8765})
        assert await asyncio.wait_for(waiting, SECONDS) == answered
        assert (answered.state, answered.content) == ("accepted", {"port": 8765})
        assert await quentin.question(asked.id) == answered
        with pytest.raises(Refused) as refused:
            await bea.decline(asked.id)
        assert refused.value.status == 409


async def test_no_answer(bridge_process) -> None:
    async with client(bridge_process, "quentin") as quentin, client(bridge_process, "cleo") as cleo:
        waiting = asyncio.create_task(quentin.elicit("cleo", "May I?", {"type": "boolean"}))
        asked = await next_question(cleo)
        await cleo.decline(asked.id, "not for me to say")
        declined = await asyncio.wait_for(waiting, SECONDS)
        assert (declined.state, declined.reason) == ("declined", "not for me to say")
        late = await quentin.elicit("cleo", "Now?", {"type": "boolean"}, timeout_seconds=1)
        assert late.state == "expired"
        with pytest.raises(Refused, match="schema/type: not one of"):
            await quentin.elicit("cleo", "What?", {"type": "strnig"})


async def test_a_page_at_a_time(bridge_process) -> None:
    async with client(bridge_process, "quentin") as quentin, client(bridge_process, "dan") as dan:
        asked = [(await quentin.ask_question("dan", f"{n}?", {})).id for n in range(3)]
        first = await dan.questions(limit=2)
        second = await dan.questions(cursor=first.next_cursor)
        assert [one.id for one in first.questions + second.questions] == asked
        assert second.next_cursor is None


async def test_over_the_socket(bridge_process) -> None:
    async with client(bridge_process, "quentin") as quentin, client(bridge_process, "fay") as fay:
        waiting = asyncio.create_task(quentin.elicit("fay", "Which port?", PORT))
        async for letter in fay.letters("elicitation"):
            assert letter.kind == "elicitation.request"
            await fay.respond(letter.data["id"], {"port": 1})
            await letter.acknowledge()
            break
        assert (await asyncio.wait_for(waiting, SECONDS)).content == {"port": 1}


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGKILL])
async def test_who_waits_through_a_restart_has_the_answer(own_bridge, signal_number: int) -> None:
    own_bridge.start()
    away = threading.Event()
    async with client(own_bridge, "quentin") as quentin, client(own_bridge, "bea") as bea:
        waiting = asyncio.create_task(
            quentin.elicit("bea", "Which port?", PORT, on_away=lambda _: away.set())
        )
        asked = await next_question(bea)
        await asyncio.to_thread(own_bridge.stop, signal_number)
        await asyncio.to_thread(away.wait, SECONDS)
        assert not waiting.done()
        await asyncio.to_thread(own_bridge.start)
        again = await next_question(bea)
        assert (again.id, again.message) == (asked.id, "Which port?")
        await bea.respond(again.id, {"port": 8765})
        answered = await asyncio.wait_for(waiting, SECONDS)
        assert (answered.id, answered.content) == (asked.id, {"port": 8765})
        created = await quentin.query_events(type="elicitation.*", limit=1000)
        assert [event.type for event in created.events] == ["elicitation.created", "elicitation.answered"]


async def test_a_program_that_is_started_anew_has_the_answer(own_bridge) -> None:
    own_bridge.start()
    async with client(own_bridge, "bea") as bea:
        async with client(own_bridge, "quentin") as quentin:
            asked = await quentin.ask_question("bea", "Which port?", PORT, idempotency_key="deploy")
        await bea.respond(asked.id, {"port": 8765})
        await asyncio.to_thread(own_bridge.stop, signal.SIGKILL)
        await asyncio.to_thread(own_bridge.start)
        async with client(own_bridge, "quentin") as quentin:
            found = await quentin.elicit("bea", "Which port?", PORT, idempotency_key="deploy")
            assert (found.id, found.content) == (asked.id, {"port": 8765})


async def test_the_documented_programs_work(bridge_process, capsys) -> None:
    text = (Path(__file__).parents[3] / "docs" / "elicitation.md").read_text()
    asking, answering = (
        f"async def run(bridge):\n{indent(code, '    ')}"
        for code in re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
    )
    programs: list[dict[str, Any]] = [{}, {}]
    exec(asking, programs[0])
    exec(answering, programs[1])
    async with client(bridge_process, "quentin") as quentin, client(bridge_process, "bob") as bob:
        answers = asyncio.create_task(programs[1]["run"](bob))
        await asyncio.wait_for(programs[0]["run"](quentin), SECONDS)
        answers.cancel()
        await asyncio.wait({answers})
    assert capsys.readouterr().out == "8765\n"
