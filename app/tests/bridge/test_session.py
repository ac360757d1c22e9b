"""The session routes: a token for a token, whom it names, and its end."""

from typing import Any

import pytest

from lighthouse.keys import KeyRing
from lighthouse.sessions import Role, mint_agent_token
from tests.bridge.conftest import Api


async def test_an_agent_token_becomes_a_session_token_of_the_same_agent(api: Api) -> None:
    answer = await api.post("/session/create", {"ttl_seconds": 60})
    assert answer.status == 200
    made = answer.json()
    assert (made["agent_id"], made["role"]) == ("ann", "agent")
    assert 55 < made["expires_in"] <= 60
    assert made["expires_at"].endswith("Z")
    stored = await api.post("/event/store", {"type": "note.added", "data": {}}, token=made["token"])
    [event] = await api.events(from_seq=stored.json()["seq"])
    assert event.agent_id == "ann"


async def test_a_session_token_makes_no_session(api: Api) -> None:
    session = (await api.post("/session/create", {})).json()["token"]
    (await api.post("/session/create", {}, token=session)).problem(403)


@pytest.mark.parametrize("ttl", [0, -1, 86401, 1.5, "60", None, True, 10**30])
async def test_a_lifetime_out_of_bounds_is_422(api: Api, ttl: Any) -> None:
    (await api.post("/session/create", {"ttl_seconds": ttl})).problem(422)
    assert await api.events(type="session.created") == []


async def test_validate_tells_whom_a_token_names(api: Api) -> None:
    own = (await api.post("/session/validate", {})).json()
    assert (own["valid"], own["agent_id"], own["kind"]) == (True, "ann", "agent")
    other = (await api.post("/session/validate", {"token": api.token("bob", Role.EXPERT)})).json()
    assert (other["valid"], other["agent_id"], other["role"]) == (True, "bob", "expert")


async def test_validate_does_not_tell_why_a_token_is_bad(api: Api) -> None:
    forged = mint_agent_token(KeyRing(b"x" * 32), "bob", Role.ADMIN, 60)
    bodies = [
        (await api.post("/session/validate", {"token": token})).json() for token in (forged, "nonsense")
    ]
    assert bodies[0] == bodies[1]
    assert bodies[0]["valid"] is False


async def test_revoking_ends_a_token_at_once(api: Api) -> None:
    session = (await api.post("/session/create", {})).json()
    revoked = await api.post("/session/revoke", {}, token=session["token"])
    assert revoked.json()["token_id"] == session["token_id"]
    (await api.get("/status", token=session["token"])).problem(401)
    assert (await api.get("/status")).status == 200


async def test_an_agent_token_takes_its_sessions_along(api: Api) -> None:
    session = (await api.post("/session/create", {})).json()
    assert (await api.post("/session/revoke", {"token": api.ann}, token=session["token"])).status == 200
    for token in (session["token"], api.ann):
        (await api.get("/status", token=token)).problem(401)


async def test_anothers_token_is_for_operators_to_revoke(api: Api) -> None:
    session = (await api.post("/session/create", {})).json()
    for named in ({"token": session["token"]}, {"token_id": session["token_id"]}):
        (await api.post("/session/revoke", named, token=api.token("eve"))).problem(403)
    assert (await api.get("/status", token=session["token"])).status == 200
    by = api.token("olga", Role.OPERATOR)
    revoked = await api.post("/session/revoke", {"token_id": session["token_id"], "reason": "lost"}, token=by)
    assert revoked.status == 200
    [event] = await api.events(type="session.revoked")
    assert (event.agent_id, event.value["agent_id"], event.value["reason"]) == ("olga", "ann", "lost")
    (await api.get("/status", token=session["token"])).problem(401)


async def test_a_token_of_another_bridge_cannot_be_revoked(api: Api) -> None:
    foreign = mint_agent_token(KeyRing(b"x" * 32), "ann", Role.AGENT, 60)
    (await api.post("/session/revoke", {"token": foreign})).problem(422)
    (await api.post("/session/revoke", {"token": api.ann, "token_id": "0" * 32})).problem(422)


async def test_status_lists_the_sessions_that_live(api: Api) -> None:
    session = (await api.post("/session/create", {})).json()
    [listed] = (await api.get("/status")).json()["sessions"]
    assert (listed["token_id"], listed["agent_id"]) == (session["token_id"], "ann")
    assert session["token"] not in (await api.get("/status")).body.decode()
