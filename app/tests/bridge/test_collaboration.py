"""/collaboration and /pair over HTTP: who may what, wrong shapes, waiting, pages, letters over the socket."""

import asyncio
from typing import Any

import pytest

from lighthouse.proposals.node import Folder
from lighthouse.sessions import Role
from tests.bridge.conftest import Api


async def pair(api: Api, **more: Any) -> str:
    """A pair session of ann and ben."""
    asked = await api.post("/pair/request", {"to": "ben", "goal": "mend main", **more})
    assert asked.status == 200, asked.body
    accepted = await api.post("/pair/accept", {"id": asked.json()["id"]}, token=api.token("ben"))
    assert accepted.json()["state"] == "active"
    return str(asked.json()["id"])


async def test_a_pair_from_the_request_to_its_record(api: Api) -> None:
    ben = api.token("ben")
    name = await pair(api, paths=["src/main.py"])
    wish = {"id": name, "text": "say hello", "anchor": {"path": "src/main.py", "line": 1}}
    suggested = (await api.post("/pair/suggest", wish, token=ben)).json()
    assert suggested["collaboration"]["seq"] == suggested["suggestion"]["seq"]
    verdict = {"id": name, "suggestion": suggested["suggestion"]["id"], "verdict": "accept"}
    assert (await api.post("/pair/review", verdict)).status == 200
    (await api.post("/pair/review", verdict)).problem(409)
    done = (await api.post("/pair/complete", {"id": name, "summary": "it greets"}, token=ben)).json()
    assert done["state"] == "completed"
    (await api.post("/pair/complete", {"id": name, "summary": "again"})).problem(409)
    record = (await api.get(f"/collaboration/{name}", token=api.token("ida", Role.OBSERVER))).json()
    assert [entry["type"].partition(".")[2] for entry in record["entries"]] == [
        "requested",
        "accepted",
        "suggested",
        "reviewed",
        "completed",
    ]
    assert record["entries"][2]["note"]["lines"] == [1, 1]
    assert record["next_cursor"] is None


async def test_a_proposal_is_suggested_and_seen_as_a_patch(api: Api) -> None:
    name = await pair(api)
    await api.post("/proposal/create", {"name": "hello"})
    assert api.bridge.proposals is not None
    proposal = api.bridge.proposals.get("hello")
    editor, root = api.bridge.proposals.editor, proposal.tree.root
    assert isinstance(root, Folder)
    leaf = await editor.create(proposal, root, b"new.txt", 0o644, 0)
    await editor.write(proposal, leaf, 0, b"hello\n")
    await editor.save(proposal, leaf, 0)
    assert await editor.release(proposal, leaf, 0)
    answer = await api.post("/pair/suggest", {"id": name, "text": "so", "proposal": "hello"})
    assert answer.json()["suggestion"]["proposal"] == "hello"
    record = (await api.get(f"/collaboration/{name}")).json()
    assert "+hello\n" in record["entries"][-1]["patch"]


async def test_several_talk_and_one_page_after_the_other(api: Api) -> None:
    started = (await api.post("/collaboration/start", {"topic": "names", "with": ["ben", "cat"]})).json()
    where, ben = f"/collaboration/{started['id']}", api.token("ben")
    assert (await api.post(f"{where}/join", {}, token=ben)).json()["members"] == ["ann", "ben"]
    assert (await api.call("POST", f"{where}/leave", token=api.token("cat"))).json()["invited"] == []
    for number in range(3):
        assert (await api.post(f"{where}/say", {"text": f"{number}"}, token=ben)).status == 200
    first = (await api.get(f"{where}?limit=4")).json()
    rest = (await api.get(f"{where}?limit=4&cursor={first['next_cursor']}")).json()
    assert [entry["data"].get("text") for entry in rest["entries"]] == ["1", "2"]
    assert rest["next_cursor"] is None
    assert (await api.post(f"{where}/close", {"reason": "named"})).json()["state"] == "closed"
    closed = (await api.get(where)).json()["collaboration"]
    assert (closed["how"], closed["reason"], closed["left"]) == ("closed", "named", ["cat"])


async def test_strangers_are_refused_and_the_log_tells_so(api: Api) -> None:
    name = await pair(api)
    dan = api.token("dan")
    (await api.post(f"/collaboration/{name}/say", {"text": "me too"}, token=dan)).problem(403)
    (await api.post("/pair/complete", {"id": name, "summary": "mine"}, token=dan)).problem(403)
    await api.bridge.audit.close()
    rejected = await api.events(type="session.rejected")
    told = [one for event in rejected for one in event.value["rejections"]]
    assert {(one["agent_id"], one["status"]) for one in told} == {("dan", 403)}
    ida = api.token("ida", Role.OBSERVER)
    (await api.post("/pair/request", {"to": "ben", "goal": "so"}, token=ida)).problem(403)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/collaboration/start", {"topic": "", "with": ["ben"]}, 422),
        ("/collaboration/start", {"topic": "so", "with": []}, 422),
        ("/collaboration/start", {"topic": "so", "with": ["ann"]}, 422),
        ("/collaboration/start", {"topic": "so", "with": ["no name"]}, 422),
        ("/collaboration/start", {"topic": "so", "with": ["ben"], "idle_seconds": 1}, 422),
        ("/collaboration/start", {"topic": "so", "with": ["ben"], "paths": ["a"] * 21}, 422),
        ("/pair/request", {"to": "ann", "goal": "so"}, 422),
        ("/pair/accept", {"id": "c999"}, 404),
        ("/pair/suggest", {"id": "NAME", "text": "so"}, 422),
        ("/pair/suggest", {"id": "NAME", "text": "so", "proposal": "none"}, 404),
        ("/pair/suggest", {"id": "NAME", "text": "so", "proposal": "p", "anchor": {"path": "a"}}, 422),
        ("/pair/suggest", {"id": "NAME", "text": "so", "anchor": {"path": "src/main.py", "line": 9}}, 422),
        ("/pair/suggest", {"id": "NAME", "text": "so", "anchor": {"path": "gone.py"}}, 404),
        ("/pair/suggest", {"id": "NAME", "text": "so", "anchor": {"path": "../up"}}, 400),
        ("/pair/suggest", {"id": "NAME", "text": "x" * 8001, "anchor": {"path": "src/main.py"}}, 422),
        ("/pair/suggest", {"id": "NAME", "text": "ü" * 8000, "anchor": {"path": "src/main.py"}}, 422),
        ("/pair/review", {"id": "NAME", "suggestion": "s1", "verdict": "accept"}, 404),
        ("/pair/review", {"id": "NAME", "suggestion": "s1", "verdict": "maybe"}, 422),
        ("/pair/decline", {"id": "NAME"}, 403),
        ("/collaboration/c0/say", {"text": "so"}, 404),
        ("/collaboration/NAME/join", {}, 409),
        ("/collaboration/NAME/leave", {}, 409),
    ],
)
async def test_what_is_wrong_is_told_and_changes_nothing(
    api: Api, path: str, body: dict[str, Any], status: int
) -> None:
    name = await pair(api)
    sent = body | ({"id": name} if body.get("id") == "NAME" else {})
    (await api.post(path.replace("NAME", name), sent)).problem(status)
    assert (await api.get(f"/collaboration/{name}")).json()["collaboration"]["events"] == 2
    assert len((await api.get("/collaborations")).json()["collaborations"]) == 1


@pytest.mark.parametrize(
    "query", ["cursor=x", "cursor=after-x", "limit=0", "limit=201", "wait_seconds=601", "at=1"]
)
async def test_bad_queries(api: Api, query: str) -> None:
    name = await pair(api)
    (await api.get(f"/collaboration/{name}?{query}")).problem(422)


async def test_lists(api: Api) -> None:
    ben = api.token("ben")
    first = await pair(api)
    second = (await api.post("/collaboration/start", {"topic": "names", "with": ["ben"]})).json()["id"]
    third = (await api.post("/pair/request", {"to": "cat", "goal": "so"})).json()["id"]

    async def ids(query: str, token: str = ben) -> list[str]:
        answer = await api.get(f"/collaborations?{query}", token=token)
        return [one["id"] for one in answer.json()["collaborations"]]

    assert await ids("") == [first, second, third]
    assert await ids("mine=true") == [first, second]
    assert await ids("awaiting=true") == [second]
    await api.post("/pair/suggest", {"id": first, "text": "so", "anchor": {"path": "README.md"}})
    assert await ids("awaiting=true") == [first, second]
    assert await ids("awaiting=true", api.ann) == []
    for name in (first, third):
        await api.post(f"/collaboration/{name}/close", {})
    assert await ids("") == [second]
    assert await ids("ended=true") == [third, first]
    page = (await api.get("/collaborations?ended=true&limit=1")).json()
    assert await ids(f"ended=true&limit=1&cursor={page['next_cursor']}") == [first]


async def test_waiting_is_woken(api: Api) -> None:
    ben = api.token("ben")
    waiting = asyncio.create_task(api.get("/collaborations?awaiting=true&wait_seconds=60", token=ben))
    room = api.bridge.collaborations
    assert room is not None
    async with asyncio.timeout(10):
        while not room._looking:
            await asyncio.sleep(0.005)
        name = (await api.post("/pair/request", {"to": "ben", "goal": "so"})).json()["id"]
        assert [one["id"] for one in (await waiting).json()["collaborations"]] == [name]
        following = asyncio.create_task(
            api.get(f"/collaboration/{name}?cursor=after-{name[1:]}&wait_seconds=60")
        )
        while not len(room._held[name].waiters):
            await asyncio.sleep(0.005)
        await api.post("/pair/decline", {"id": name, "reason": "no"}, token=ben)
        told = (await following).json()
    assert [entry["type"] for entry in told["entries"]] == ["pair.declined"]
    assert told["collaboration"]["state"] == "declined"


async def test_letters_come_over_the_socket(api: Api) -> None:
    ben = api.token("ben")
    async with (
        asyncio.timeout(20),
        api.http.ws_connect(api.url("/ws/ben?rooms=pair,collaboration"), headers=api.headers(ben)) as socket,
    ):
        name = (await api.post("/pair/request", {"to": "ben", "goal": "so"})).json()["id"]
        asked = await socket.receive_json()
        assert (asked["type"], asked["data"]["id"], asked["data"]["topic"]) == ("pair.requested", name, "so")
        await socket.send_json({"type": "ack", "n": asked["n"]})
        await api.post("/pair/accept", {"id": name}, token=ben)
        await api.post("/collaboration/" + name + "/say", {"text": "welcome"})
        news = await socket.receive_json()
        assert news["type"] == "pair.news"
        assert (news["data"]["event"]["type"], news["data"]["event"]["data"]["text"]) == (
            "pair.said",
            "welcome",
        )
        assert news["data"]["collaboration"]["state"] == "active"


async def test_it_is_counted(api: Api) -> None:
    name = await pair(api)
    assert (await api.get("/status")).json()["collaborations"] == {"going_on": 1, "ended": {}}
    await api.post("/pair/complete", {"id": name, "summary": "done"})
    text = (await api.get("/metrics")).body.decode()
    assert 'lighthouse_collaborations_ended_total{how="completed"} 1.0' in text
    assert "lighthouse_collaborations_open 0.0" in text
