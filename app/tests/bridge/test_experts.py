"""Registering over HTTP: who may, as whom, what is refused, what a restart brings back."""

from typing import Any

import pytest

from lighthouse.sessions import Role
from tests.bridge.conftest import Api, Start

DATABASE = {
    "speciality": "database",
    "languages": ["python"],
    "paths": ["db/"],
    "risks": ["destroy"],
    "ttl_seconds": 20,
}


async def register(api: Api, agent: str, role: Role = Role.EXPERT, **body: Any) -> Any:
    return await api.post("/expert/register", body or DATABASE, token=api.token(agent, role))


async def test_an_expert_is_listed_as_it_registered(api: Api) -> None:
    told = (await register(api, "eve")).json()
    listed = {"agent_id": "eve", "alive": True, "sockets": 0, "load": 0, "answered": 0, "missed": 0}
    assert told == told | DATABASE | listed
    assert (await api.get("/experts")).json() == {"experts": [told]}
    [event] = await api.events(stream="experts")
    assert (event.type, event.agent_id, event.seq) == ("expert.registered", "eve", told["seq"])
    assert event.value == DATABASE


async def test_what_is_left_out_is_no_limit(api: Api) -> None:
    told = (await register(api, "eve", speciality="security")).json()
    assert (told["languages"], told["paths"], told["risks"], told["ttl_seconds"]) == ([], [], [], 60)


@pytest.mark.parametrize(("role", "status"), [(Role.OBSERVER, 403), (Role.AGENT, 403), (Role.OPERATOR, 200)])
async def test_who_may_be_an_expert(api: Api, role: Role, status: int) -> None:
    assert (await register(api, "eve", role)).status == status


async def test_nobody_registers_somebody_else(api: Api) -> None:
    (await register(api, "eve", speciality="security", agent_id="fred")).problem(403)
    assert (await api.get("/experts")).json() == {"experts": []}


@pytest.mark.parametrize(
    "wrong",
    [
        {"speciality": "Two Words"},
        {"languages": ["cobol"]},
        {"risks": ["fire"]},
        {"paths": ["[a"]},
        {"ttl_seconds": 5},
        {"ttl_seconds": 4000},
        {"skill": "much"},
        {"languages": "python"},
    ],
)
async def test_what_makes_no_sense_is_422_and_changes_nothing(api: Api, wrong: dict[str, Any]) -> None:
    (await register(api, "eve", **(DATABASE | wrong))).problem(422)
    assert (await api.get("/experts")).json() == {"experts": []}


async def test_a_restart_knows_the_experts_and_that_they_are_not_there(start: Start) -> None:
    api = await start()
    told = (await register(api, "eve")).json()
    await api.bridge.stop()
    again = await start()
    assert (await again.get("/experts")).json() == {"experts": [told | {"alive": False}]}
    back = (await register(again, "eve")).json()
    assert back == told
