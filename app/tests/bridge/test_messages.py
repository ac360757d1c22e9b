"""Messages over HTTP and over sockets."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from lighthouse.messages import index
from lighthouse.sessions import Role
from tests.bridge.conftest import Api, Start
from tests.bridge.test_socket import Socket, opened
from tests.conftest import WaitFor


async def send(api: Api, **said: Any) -> dict[str, Any]:
    answer = await api.post("/message/send", {"to": "bob", "body": "ahoy"} | said)
    assert answer.status == 200, answer.body
    return answer.json()


async def listed(api: Api, query: str = "", **options: Any) -> list[str]:
    answer = await api.get(f"/messages{query}", **options)
    assert answer.status == 200, answer.body
    page = answer.json()
    assert page["complete"], page
    return [one["id"] for one in page["messages"]]


async def test_sent_read_and_acknowledged(api: Api) -> None:
    bob = api.token("bob")
    sent = await send(api, body="the parser is done", subject="parser")
    assert (sent["agent_id"], sent["recipients"], sent["unseen"]) == ("ann", {"bob": None}, ["bob"])
    assert await listed(api, "?unread=true", token=bob) == [sent["id"]]
    assert await listed(api, "?unread=true") == []
    assert await listed(api, "?q=parser", token=api.token("otto", Role.OBSERVER)) == [sent["id"]]
    receipt = await api.post(f"/message/{sent['id']}/ack", {}, token=bob)
    assert receipt.status == 200
    assert (await api.call("POST", f"/message/{sent['id']}/ack", token=bob)).json() == receipt.json()
    shown = (await api.get(f"/messages/{sent['id']}")).json()
    assert shown["recipients"] == {"bob": receipt.json()["acknowledged_at"]}
    assert await listed(api, "?unread=true", token=bob) == []
    assert (await send(api))["unseen"] == []


async def test_a_thread(api: Api) -> None:
    first = await send(api)
    reply = await api.post("/message/send", {"thread": first["id"], "body": "aye"}, token=api.token("bob"))
    assert (reply.json()["thread"], list(reply.json()["recipients"])) == (first["id"], ["ann"])
    assert await listed(api, f"?thread={first['id']}") == [first["id"], reply.json()["id"]]
    [thread] = (await api.get("/threads?agent_id=bob")).json()["threads"]
    assert (thread["messages"], thread["unread"], thread["agents"]) == (2, 1, ["ann", "bob"])
    assert (await api.get("/threads?agent_id=cleo")).json()["threads"] == []


async def test_to_everybody_who_was_heard_of(api: Api) -> None:
    (await api.post("/message/send", {"to": "*", "body": "x"})).problem(409)
    otto = api.token("otto", Role.OBSERVER)
    await api.get("/experts", token=otto)
    await api.post("/session/create", {}, token=api.token("cleo"))
    sent = await send(api, to="*")
    assert list(sent["recipients"]) == ["cleo", "otto"]
    assert await listed(api, "?unread=true", token=otto) == [sent["id"]]
    assert (await api.post(f"/message/{sent['id']}/ack", {}, token=otto)).status == 200


async def test_pages_of_unread_messages(api: Api) -> None:
    sent = [(await send(api))["id"] for _ in range(3)]
    bob = api.token("bob")
    page = (await api.get("/messages?unread=true&limit=2", token=bob)).json()
    assert [one["id"] for one in page["messages"]] == sent[:2]
    assert await listed(api, f"?unread=true&cursor={page['next_cursor']}", token=bob) == sent[2:]
    page = (await api.get("/messages?limit=2")).json()
    assert await listed(api, f"?cursor={page['next_cursor']}") == sent[:1]


async def test_waiting_for_a_message(api: Api) -> None:
    bob = api.token("bob")
    waiting = asyncio.create_task(listed(api, "?unread=true&wait_seconds=30", token=bob))
    await api.get("/experts", token=bob)
    sent = await send(api)
    assert await asyncio.wait_for(waiting, 20) == [sent["id"]]
    waiting = asyncio.create_task(listed(api, "?unread=true&wait_seconds=30", token=api.token("cleo")))
    await api.get("/experts")
    api.bridge.begin_stop()
    assert await asyncio.wait_for(waiting, 20) == []


WRONG = [
    ("q=parser%20AND", "at character 11: the end stands where a word is due"),
    ("q=%22parser", "at character 1: this quote is not closed"),
    ("q=(parser", "at character 1: this bracket is not closed"),
    ("q=-parser", "only says what shall not be found"),
    ("q=*", "neither letter nor digit"),
    ("q=a%00b", "control character"),
    ("q=", "wrong shape"),
    ("q=" + "x" * 501, "wrong shape"),
    ("thread=x7", "is not the id of a thread"),
    ("unread=true&q=x", "unread messages are listed as they are"),
    ("wait_seconds=5", "only unread messages are waited for"),
    ("cursor=after-1", "cursor is not one of this list"),
    ("cursor=before-x", "cursor is not one of this list"),
    ("unread=true&cursor=before-1", "cursor is not one of this list"),
    ("limit=0", "wrong shape"),
    ("limit=101", "wrong shape"),
    ("unread=maybe", "wrong shape"),
    ("from=ann", "wrong shape"),
]


async def test_what_is_asked_wrongly_is_told_precisely(api: Api) -> None:
    await send(api, body="the parser")
    for query, told in WRONG:
        assert told in (await api.get(f"/messages?{query}")).problem(422).detail


INJECTIONS = [
    "x' OR 1=1 --",
    "words MATCH 'x'",
    "integrity-check",
    "rowid:1",
    "{subject body}:x",
    "x); DROP TABLE messages; --",
    "NEAR(x y, 5)",
    "^x + y",
    '"x" * "y"',
    "x*y",
]


async def test_a_search_is_never_syntax_of_sqlites(api: Api) -> None:
    sent = await send(api, body="only this")
    for q in INJECTIONS:
        async with api.http.get(api.url("/messages").with_query({"q": q}), headers=api.headers()) as got:
            assert got.status in (200, 422)
            assert (await got.json()).get("messages", []) == []
    assert await listed(api, "?q=only") == [sent["id"]]
    assert (await api.get("/status")).json()["messages"]["index"]["rebuilt"] == 0


async def test_refusals(api: Api) -> None:
    sent = await send(api, idempotency_key="k")
    assert (await send(api, idempotency_key="k"))["id"] == sent["id"]
    (await api.post("/message/send", {"to": "bob", "body": "b", "idempotency_key": "k"})).problem(409)
    otto = api.token("otto", Role.OBSERVER)
    (await api.post("/message/send", {"to": "bob", "body": "b"}, token=otto)).problem(403)
    (await api.post(f"/message/{sent['id']}/ack", {}, token=otto)).problem(403)
    for wrong in (
        {},
        {"body": "b"},
        {"to": "bob"},
        {"to": "bob", "body": ""},
        {"to": "bob", "body": "\n"},
        {"to": "bob", "body": "x" * 16_385},
        {"to": "bob", "body": "b", "subject": "x" * 201},
        {"to": "no name", "body": "b"},
        {"to": "ann", "body": "b"},
        {"to": ["bob"], "body": "b"},
        {"to": "bob", "body": "b", "more": 1},
    ):
        (await api.post("/message/send", wrong)).problem(422)
    (await api.post("/message/send", {"thread": "m99999", "body": "b"})).problem(404)
    (await api.get("/messages/m99999")).problem(404)
    (await api.get("/messages/nonsense")).problem(404)
    (await api.post("/message/m99999/ack", {})).problem(404)
    (await api.post(f"/message/{sent['id']}/ack", {"agent_id": "bob"})).problem(403)
    (await api.post("/event/store", {"type": "message.sent", "data": {}})).problem(403)


async def test_over_the_socket(api: Api, wait_for: WaitFor) -> None:
    early = await send(api, body="early")
    async with opened(api, "bob", Role.AGENT) as bob:
        first = await bob.take()
        assert (first["type"], first["n"], first["data"]["id"]) == ("message.new", 1, early["id"])
        assert "recipients" not in first["data"]
        late = await send(api, body="late")
        second = await bob.take()
        assert second["data"]["body"] == "late"
        await bob.say(type="ack", n=1)

        async def noted() -> bool:
            return await listed(api, "?unread=true", token=api.token("bob")) == [late["id"]]

        await wait_for(noted)
    async with opened(api, "bob", Role.AGENT) as bob:
        again = await bob.take()
        assert (again["n"], again["data"]["id"]) == (1, late["id"])


async def test_across_a_restart_nothing_is_lost_and_what_was_acknowledged_does_not_come(
    start: Start, tmp_path: Path
) -> None:
    api = await start(event_store=tmp_path / "state/one")
    sent = [(await send(api, body=f"number {n}"))["id"] for n in range(5)]
    for one in sent[:2]:
        assert (await api.post(f"/message/{one}/ack", {}, token=api.token("bob"))).status == 200
    await api.bridge.stop()
    (tmp_path / "state/one/messages.db").write_bytes(b"no index any more")
    api = await start(event_store=tmp_path / "state/one")
    async with opened(api, "bob", Role.AGENT) as bob:
        assert [(await bob.take())["data"]["id"] for _ in sent[2:]] == sent[2:]
    assert await listed(api, "?q=number") == sent[::-1]
    page = (await api.get(f"/messages/{sent[0]}")).json()
    assert page["recipients"]["bob"] is not None


async def test_the_index_behind_is_no_empty_page(
    api: Api, monkeypatch: pytest.MonkeyPatch, wait_for: WaitFor
) -> None:
    await send(api)
    await listed(api)
    monkeypatch.setattr(index, "CATCH_UP_SECONDS", 0.05)
    monkeypatch.setattr(index, "RETRY_SECONDS", 0.05)

    def failing(connection: object, events: object) -> None:
        raise OSError("no disk today")

    with monkeypatch.context() as patched:
        patched.setattr(index, "fill", failing)
        sent = await send(api, body="later")
        page = (await api.get("/messages?q=later")).json()
        assert (page["messages"], page["complete"]) == ([], False)
        assert page["covered_to"] < sent["seq"]
        assert "no disk today" in page["problem"]
        (await api.get(f"/messages/{sent['id']}")).problem(503)
        figures = (await api.get("/metrics")).body.decode()
        assert "lighthouse_messages_behind 0.0" not in figures

    async def whole() -> bool:
        return bool((await api.get("/messages?q=later")).json()["complete"])

    await wait_for(whole)
    assert await listed(api, "?q=later") == [sent["id"]]


async def test_status(api: Api) -> None:
    await send(api)
    await listed(api)
    told = (await api.get("/status")).json()["messages"]
    assert (told["open"], told["sent"], told["index"]["complete"]) == (1, {"agent": 1}, True)
    figures = (await api.get("/metrics")).body.decode()
    assert 'lighthouse_messages_sent_total{to="agent"} 1.0' in figures
    assert "lighthouse_messages_open 1.0" in figures


async def test_many_at_once_reach_everybody(api: Api) -> None:
    """Many send at the same time; each gets each message once on its socket."""
    names = [f"agent-{n}" for n in range(8)]
    for name in names:
        await api.get("/experts", token=api.token(name))

    async def say(name: str) -> list[str]:
        found = []
        for n in range(6):
            body = {"to": "*", "body": f"{name} says {n}"}
            answer = await api.post("/message/send", body, token=api.token(name))
            found.append(answer.json()["id"])
        return found

    async with opened(api, "agent-0", Role.AGENT) as raw:
        sent = await asyncio.gather(*(say(name) for name in names))
        wanted = sorted(id for ids in sent[1:] for id in ids)
        assert sorted([(await _acknowledged(raw))["id"] for _ in wanted]) == wanted


async def _acknowledged(socket: Socket) -> dict[str, Any]:
    message = await socket.take()
    await socket.say(type="ack", n=message["n"])
    return message["data"]
