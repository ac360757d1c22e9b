"""Questions between agents over MCP: asked, answered, declined, and put to a client's person."""

import asyncio
from typing import Any

import pytest
from mcp import Client
from mcp_types import ElicitRequestParams, ElicitResult

from lighthouse.mcp.adapter import build
from tests.mcp.test_tools import Agent

PORT = {"type": "object", "properties": {"port": {"type": "integer", "minimum": 1}}, "required": ["port"]}

MODES = pytest.mark.parametrize("mode", ["legacy", "auto"])


async def call(agent: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    answer = await agent.call_tool(f"lighthouse_{tool}", arguments)
    assert not answer.is_error, answer.content
    assert answer.structured_content is not None
    return answer.structured_content


def client(bridge, name: str, mode: str, role: str = "agent", **more: Any) -> Client:
    return Client(build(bridge.environment(name, role)), mode=mode, **more)


@MODES
async def test_the_answer_comes_back_to_who_waits(bridge_process, mode) -> None:
    ann, bob = f"ann-{mode}", f"bob-{mode}"
    async with client(bridge_process, ann, mode) as asker, client(bridge_process, bob, mode) as answerer:
        question = {"to": bob, "message": "Which port?", "schema": PORT}
        asking = asyncio.create_task(call(asker, "elicit_information", **question, wait_seconds=60))
        waiting = await call(answerer, "check_elicitations", wait_seconds=30)
        (one,) = waiting["questions"]
        assert (one["agent_id"], one["message"], one["schema"]) == (ann, "Which port?", PORT)
        wrong = {"id": one["id"], "action": "accept", "content": {"port": "x"}}
        refused = await answerer.call_tool("lighthouse_respond_to_elicitation", wrong)
        assert refused.is_error
        assert "port" in refused.content[0].text
        said = {"id": one["id"], "action": "accept", "content": {"port": 80}}
        told = await call(answerer, "respond_to_elicitation", **said)
        answered = await asyncio.wait_for(asking, 30)
        assert answered == told == {"id": one["id"], "state": "accepted", "content": {"port": 80}}
        assert await call(answerer, "check_elicitations") == {"questions": []}


@MODES
async def test_a_question_is_declined_and_looked_up(bridge_process, mode) -> None:
    carl = f"carl-{mode}"
    async with client(bridge_process, "dora", mode) as asker, client(bridge_process, carl, mode) as answerer:
        question = {"to": carl, "message": "Why?", "schema": {"type": "string"}, "wait_seconds": 0}
        asked = await call(asker, "elicit_information", **question)
        assert asked["state"] == "pending"
        await call(answerer, "respond_to_elicitation", id=asked["id"], action="decline", reason="no idea")
        (found,) = (await call(asker, "check_elicitations", id=asked["id"]))["questions"]
        assert (found["state"], found["reason"]) == ("declined", "no idea")


@MODES
@pytest.mark.parametrize(
    ("schema", "said", "content"),
    [
        (PORT, {"port": 443}, {"port": 443}),
        ({"type": "boolean", "title": "Really?"}, {"answer": False}, False),
    ],
)
async def test_the_person_at_the_client_is_asked(bridge_process, mode, schema, said, content) -> None:
    seen: list[ElicitRequestParams] = []

    async def person(_: Any, params: ElicitRequestParams) -> ElicitResult:
        seen.append(params)
        return ElicitResult(action="accept", content=said)

    eve = f"eve-{mode}-{schema['type']}"
    async with (
        client(bridge_process, "fred", mode) as asker,
        client(bridge_process, eve, mode, elicitation_callback=person) as answerer,
    ):
        question = {"to": eve, "message": "Open it?", "schema": schema, "wait_seconds": 0}
        asked = await call(asker, "elicit_information", **question)
        told = await call(answerer, "respond_to_elicitation", id=asked["id"], action="ask_person")
        (found,) = (await call(asker, "check_elicitations", id=asked["id"]))["questions"]
    assert (told["state"], told["content"]) == (found["state"], found["content"]) == ("accepted", content)
    (asked_person,) = seen
    assert asked_person.message == "fred asks: Open it?"
    assert set(asked_person.requested_schema["properties"]) == set(said)


@MODES
@pytest.mark.parametrize(("action", "state"), [("decline", "declined"), ("cancel", "pending")])
async def test_the_person_does_not_answer(bridge_process, mode, action, state) -> None:
    async def person(_: Any, params: ElicitRequestParams) -> ElicitResult:
        return ElicitResult(action=action)

    gil = f"gil-{mode}-{action}"
    async with (
        client(bridge_process, "hal", mode) as asker,
        client(bridge_process, gil, mode, elicitation_callback=person) as answerer,
    ):
        question = {"to": gil, "message": "?", "schema": PORT, "wait_seconds": 0}
        asked = await call(asker, "elicit_information", **question)
        wanted = {"id": asked["id"], "action": "ask_person"}
        answer = await answerer.call_tool("lighthouse_respond_to_elicitation", wanted)
        assert answer.is_error is (action == "cancel")
        (found,) = (await call(asker, "check_elicitations", id=asked["id"]))["questions"]
    assert found["state"] == state


@MODES
@pytest.mark.parametrize("able", [True, False])
async def test_no_person_can_be_asked_this(bridge_process, mode, able) -> None:
    async def person(_: Any, params: ElicitRequestParams) -> ElicitResult:
        pytest.fail("nobody is to be asked")

    deep = {"type": "object", "properties": {"list": {"type": "array"}}} if able else PORT
    more = {"elicitation_callback": person} if able else {}
    ida = f"ida-{mode}-{able}"
    async with client(bridge_process, ida, mode, **more) as answerer:
        question = {"to": ida, "message": "?", "schema": deep, "wait_seconds": 0}
        async with client(bridge_process, "jon", mode) as asker:
            asked = await call(asker, "elicit_information", **question)
        wanted = {"id": asked["id"], "action": "ask_person"}
        answer = await answerer.call_tool("lighthouse_respond_to_elicitation", wanted)
    assert answer.is_error
    assert "answer it yourself, or decline" in answer.content[0].text


@MODES
async def test_a_person_is_not_asked_what_is_for_another(bridge_process, mode) -> None:
    async def person(_: Any, params: ElicitRequestParams) -> ElicitResult:
        pytest.fail("nobody is to be asked")

    async with client(bridge_process, "kim", mode, elicitation_callback=person) as other:
        async with client(bridge_process, "lou", mode) as asker:
            question = {"to": "max", "message": "?", "schema": PORT, "wait_seconds": 0}
            asked = await call(asker, "elicit_information", **question)
        wanted = {"id": asked["id"], "action": "ask_person"}
        answer = await other.call_tool("lighthouse_respond_to_elicitation", wanted)
    assert answer.is_error
    assert "is for max" in answer.content[0].text


async def test_the_answer_is_there_after_the_bridge_was_away(own_bridge) -> None:
    own_bridge.start()
    agent = Agent(own_bridge.environment())
    waits = asyncio.Event()

    async def progress(*_: object) -> None:
        waits.set()

    async with client(own_bridge, "bob", "auto") as answerer, client(own_bridge, "ann", "auto") as asker:
        question = {"to": "bob", "message": "Which port?", "schema": PORT, "wait_seconds": 60}
        asking = asyncio.create_task(
            asker.call_tool("lighthouse_elicit_information", question, progress_callback=progress)
        )
        (one,) = (await call(answerer, "check_elicitations", wait_seconds=30))["questions"]
        await asyncio.wait_for(waits.wait(), 30)
        await asyncio.to_thread(own_bridge.stop)
        await asyncio.wait_for(asking, 30)
        own_bridge.start()
        await call(answerer, "respond_to_elicitation", id=one["id"], action="accept", content={"port": 1})
        found = await agent.call_tool("lighthouse_check_elicitations", {"id": one["id"]})
    assert found.structured_content["questions"][0]["content"] == {"port": 1}
