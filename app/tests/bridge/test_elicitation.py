"""Questions over HTTP and over sockets: asked, found, answered, refused; kept across a restart."""

import asyncio
from typing import Any

import pytest

from lighthouse.bridge import long_poll
from lighthouse.sessions import Role
from tests.bridge.conftest import Answer, Api, Start
from tests.bridge.test_socket import opened

SECONDS = 20
SCHEMA = {
    "type": "object",
    "properties": {"port": {"type": "integer", "maximum": 65535}},
    "required": ["port"],
    "additionalProperties": False,
}
ASKED: dict[str, Any] = {"to": "bob", "message": "Which port?", "schema": SCHEMA}


async def ask(api: Api, **more: Any) -> Answer:
    return await api.post("/elicitation/create", ASKED | more)


async def respond(api: Api, id: str, agent: str = "bob", **said: Any) -> Answer:
    return await api.post("/elicitation/respond", {"id": id, **said}, token=api.token(agent))


async def pending(api: Api, agent: str = "bob", **query: Any) -> Any:
    told = "&".join(f"{name}={value}" for name, value in query.items())
    answer = await api.get(f"/elicitation/pending?{told}", token=api.token(agent))
    assert answer.status == 200, answer.body
    return answer.json()


async def test_from_the_question_to_the_answer(api: Api) -> None:
    looking = asyncio.create_task(pending(api, wait_seconds=SECONDS))
    waiting = asyncio.create_task(ask(api, wait_seconds=SECONDS))
    [question] = (await looking)["questions"]
    assert (question["agent_id"], question["to"], question["state"]) == ("ann", "bob", "pending")
    assert question["schema"] == SCHEMA
    assert (await pending(api, "eve"))["questions"] == []
    answer = await respond(api, question["id"], action="accept", content={"port": 8765})
    assert answer.status == 200
    asked = await waiting
    assert asked.status == 200
    assert asked.json() == answer.json()
    assert (asked.json()["state"], asked.json()["content"]) == ("accepted", {"port": 8765})
    assert (await api.get(f"/elicitation/status/{question['id']}")).json() == answer.json()
    events = await api.events(stream="elicitation")
    assert [(event.type, event.agent_id) for event in events] == [
        ("elicitation.created", "ann"),
        ("elicitation.answered", "bob"),
    ]
    assert (await pending(api))["questions"] == []


async def test_declining_and_time(api: Api) -> None:
    declined = (await ask(api)).json()["id"]
    said = (await respond(api, declined, action="decline", reason="ask the operator")).json()
    assert (said["state"], said["reason"]) == ("declined", "ask the operator")
    late = (await ask(api, timeout_seconds=1, wait_seconds=SECONDS)).json()
    assert late["state"] == "expired"
    assert late["ended_at"] >= late["expires_at"]
    refused = await respond(api, late["id"], action="accept", content={"port": 1})
    assert "is expired already" in refused.problem(409).detail


async def test_an_answer_that_does_not_fit(api: Api) -> None:
    id = (await ask(api)).json()["id"]
    wrong = await respond(api, id, action="accept", content={"port": "x"})
    assert "content.port: 'x' is not of type 'integer'" in wrong.problem(422).detail
    (await respond(api, id, action="accept")).problem(422)
    (await respond(api, id, action="decline", content={"port": 1})).problem(422)
    (await respond(api, id, action="perhaps")).problem(422)
    assert (await respond(api, id, action="accept", content={"port": 1})).status == 200
    (await respond(api, id, action="accept", content={"port": 1})).problem(409)


@pytest.mark.parametrize(
    ("more", "status", "why"),
    [
        ({"schema": {"type": "strnig"}}, 422, "schema/type: not one of"),
        ({"schema": {"$ref": "https://example.org/"}}, 422, "schema/$ref: not of the form"),
        ({"schema": {"enum": ["x" * 20_000]}}, 422, "bytes"),
        ({"to": "ann"}, 422, "is for whoever asks it"),
        ({"to": "no such name"}, 422, "agent"),
        ({"timeout_seconds": 0}, 422, "timeout_seconds"),
        ({"timeout_seconds": 86401}, 422, "timeout_seconds"),
        ({"message": ""}, 422, "message"),
        ({"surprise": 1}, 422, "surprise"),
    ],
)
async def test_what_is_no_question(api: Api, more: dict[str, Any], status: int, why: str) -> None:
    assert why in (await ask(api, **more)).problem(status).detail
    assert await api.events(stream="elicitation") == []


async def test_who_may(api: Api) -> None:
    observer = api.token("olga", Role.OBSERVER)
    (await api.post("/elicitation/create", ASKED, token=observer)).problem(403)
    id = (await ask(api)).json()["id"]
    (await respond(api, id, "eve", action="decline")).problem(403)
    (await respond(api, "q999", action="decline")).problem(404)
    (await api.get("/elicitation/status/nothing")).problem(404)
    assert (await api.get(f"/elicitation/status/{id}", token=observer)).json()["state"] == "pending"


async def test_the_same_under_one_key_is_one_question(api: Api) -> None:
    first, again = await asyncio.gather(*(ask(api, idempotency_key="deploy-1") for _ in range(2)))
    assert first.json() == again.json()
    other = await ask(api, idempotency_key="deploy-1", message="Which host?")
    other.problem(409)


async def test_a_page_at_a_time(api: Api) -> None:
    asked = [(await ask(api, message=f"{n}?")).json()["id"] for n in range(5)]
    found, cursor = [], None
    while True:
        page = await pending(api, limit=2, **({"cursor": cursor} if cursor else {}))
        found += [one["id"] for one in page["questions"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert found == asked
    wrong = await api.get("/elicitation/pending?cursor=q7", token=api.token("bob"))
    assert "cursor" in wrong.problem(422).detail


async def test_who_looks_and_is_gone_is_not_waited_for(
    api: Api, monkeypatch: pytest.MonkeyPatch, wait_for: Any
) -> None:
    monkeypatch.setattr(long_poll, "LOOK_SECONDS", 0.02)
    room = api.bridge.questions
    assert room is not None
    looking = asyncio.create_task(pending(api, wait_seconds=600))
    await wait_for(lambda: room._looking)
    looking.cancel()
    await wait_for(lambda: not room._looking)
    waiting = asyncio.create_task(ask(api, wait_seconds=600))
    await wait_for(lambda: [held for held in room._held.values() if len(held.waiters)])
    waiting.cancel()
    await wait_for(lambda: not [held for held in room._held.values() if len(held.waiters)])


async def test_both_sides_over_their_sockets(api: Api) -> None:
    async with opened(api, "ann", Role.AGENT) as ann, opened(api, "bob", Role.AGENT) as bob:
        id = (await ask(api)).json()["id"]
        request = await bob.take()
        assert (request["type"], request["data"]["id"]) == ("elicitation.request", id)
        await bob.say(type="respond", id=id, action="accept", content={"port": "x"})
        wrong = await bob.take()
        assert (wrong["type"], wrong["id"], wrong["status"]) == ("error", id, 422)
        assert "content.port: 'x' is not of type 'integer'" in wrong["detail"]
        await bob.say(type="respond", id=id, action="accept", content={"port": 8765})
        replies = {one["type"]: one for one in (await bob.take(), await bob.take())}
        assert replies.keys() == {"responded", "elicitation.ended"}
        assert replies["responded"]["data"]["content"] == {"port": 8765}
        ended = await ann.take()
        assert (ended["type"], ended["data"]) == ("elicitation.ended", replies["responded"]["data"])
        await ann.say(type="ack", n=ended["n"])
        await ann.say(type="respond", id=id, action="decline")
        assert (await ann.take())["status"] == 409


async def test_an_observer_answers_nothing_over_its_socket(api: Api) -> None:
    id = (await ask(api)).json()["id"]
    async with opened(api, "bob", Role.OBSERVER) as bob:
        assert (await bob.take())["type"] == "elicitation.request"
        await bob.say(type="respond", id=id, action="decline")
        assert (await bob.take())["status"] == 403
    assert (await api.get(f"/elicitation/status/{id}")).json()["state"] == "pending"


async def test_figures(api: Api) -> None:
    id = (await ask(api)).json()["id"]
    await ask(api)
    await respond(api, id, action="decline")
    told = (await api.get("/status")).json()["elicitations"]
    assert told == {"pending": 1, "ended": {"declined": 1}}
    metrics = (await api.get("/metrics")).body.decode()
    assert "lighthouse_elicitations_pending 1" in metrics
    assert 'lighthouse_elicitations_ended_total{state="declined"} 1' in metrics


async def test_a_restart_forgets_no_question(start: Start) -> None:
    before = await start()
    waiting = asyncio.create_task(ask(before, idempotency_key="k", wait_seconds=600))
    [question] = (await pending(before, wait_seconds=SECONDS))["questions"]
    before.bridge.begin_stop()
    # Whoever waits is told how it is, and asks again.
    assert (await asyncio.wait_for(waiting, SECONDS)).json()["state"] == "pending"
    await before.bridge.stop()
    after = await start()
    again = asyncio.create_task(ask(after, idempotency_key="k", wait_seconds=600))
    async with opened(after, "bob", Role.AGENT) as bob:
        assert (await bob.take())["data"]["id"] == question["id"]
        await bob.say(type="respond", id=question["id"], action="accept", content={"port": 1})
        assert (await asyncio.wait_for(again, SECONDS)).json()["content"] == {"port": 1}
    assert len(await after.events(type="elicitation.created")) == 1
