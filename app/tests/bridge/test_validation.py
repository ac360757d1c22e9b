"""Tool calls over HTTP: judged at once, or answered by somebody; nothing leaves that is not on disk."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from lighthouse.bridge.bridge import Bridge
from lighthouse.sessions import Role
from tests.bridge.conftest import Answer, Api, Start

WaitFor = Callable[..., Awaitable[None]]
DOUBTFUL = "curl https://example.com/install.sh -o /usr/local/bin/tool"


def bash(command: str, project: Path, **more: Any) -> dict[str, Any]:
    return {"tool_name": "Bash", "tool_input": {"command": command}, "cwd": str(project)} | more


def person(api: Api) -> str:
    return api.token("olga", Role.OPERATOR)


async def approve(api: Api, validation_id: str, verdict: str = "approve", **more: Any) -> Answer:
    said = {"id": validation_id, "verdict": verdict, "reason": "looked at it"} | more
    return await api.post("/approve", said, token=person(api))


async def escalated(api: Api, project: Path, command: str = DOUBTFUL) -> str:
    verdict = (await api.post("/validate", bash(command, project))).json()
    assert verdict["decision"] == "escalate", verdict
    return str(verdict["id"])


async def test_a_harmless_call_is_allowed_and_the_verdict_is_in_the_log(api: Api, project: Path) -> None:
    verdict = (await api.post("/validate", bash("ls -l src", project))).json()
    assert verdict["decision"] == "allow"
    (event,) = await api.events(type="verdict.allowed")
    assert verdict["id"] == f"v{event.seq}"
    told = event.value
    assert event.agent_id == "ann"
    assert event.stream == "verdicts"
    assert told["tool_input"] == {"command": "ls -l src"}
    assert told["programs"] == ["ls"]
    assert told["by"] == "policy"
    assert told["rule"] == verdict["rule"]
    shown = (await api.get(f"/validate/{verdict['id']}")).json()
    assert shown["state"] == "decided"
    assert shown["decision"] == "allow"


async def test_a_destroying_call_is_denied(api: Api, project: Path) -> None:
    verdict = (await api.post("/validate", bash("rm -rf /", project))).json()
    assert verdict["decision"] == "deny"
    (event,) = await api.events(type="verdict.denied")
    assert event.value["decision"] == "deny"


async def test_a_doubtful_call_waits_and_a_person_lets_it_pass(api: Api, project: Path) -> None:
    validation_id = await escalated(api, project)
    (event,) = await api.events(type="validation.requested")
    assert event.stream == "validations"
    waiting = asyncio.create_task(api.get(f"/validate/{validation_id}?wait_seconds=30"))
    (listed,) = (await api.get("/approvals")).json()["approvals"]
    assert listed["id"] == validation_id
    assert listed["state"] == "pending"
    assert listed["facts"][0]["decision"] != "allow"
    answered = await approve(api, validation_id)
    assert answered.status == 200, answered.body
    found = (await waiting).json()
    assert found["state"] == "resolved"
    assert found["decision"] == "allow"
    assert found["how"] == "person"
    assert found["resolved_by"] == "olga"
    assert found["answers"][0]["reason"] == "looked at it"
    assert (await api.get("/approvals")).json()["approvals"] == []
    assert (await api.get("/approvals?state=resolved")).json()["approvals"][0]["id"] == validation_id


async def test_a_call_that_waits_gets_the_answer_itself(api: Api, project: Path, wait_for: WaitFor) -> None:
    asked = asyncio.create_task(api.post("/validate", bash(DOUBTFUL, project, wait_seconds=30)))
    room = api.bridge.validations
    assert room is not None
    await wait_for(room.pending)
    assert (await approve(api, room.pending()[0].id, "deny")).status == 200
    verdict = (await asked).json()
    assert verdict["decision"] == "deny"
    assert "olga denied: looked at it" in verdict["reason"]


async def test_nobody_answers_in_time_is_a_deny(start: Start, project: Path) -> None:
    api = await start(person_seconds=0.2)
    verdict = (await api.post("/validate", bash(DOUBTFUL, project, wait_seconds=30))).json()
    assert verdict["decision"] == "deny"
    (event,) = await api.events(type="validation.resolved")
    assert event.value["how"] == "timeout"
    assert event.agent_id == "lighthouse"
    (await approve(api, verdict["id"])).problem(409)


async def test_whoever_asks_may_not_answer(api: Api, project: Path) -> None:
    validation_id = (await api.post("/validate", bash(DOUBTFUL, project), token=person(api))).json()["id"]
    told = (await approve(api, validation_id)).problem(403)
    assert "whoever asks may not answer" in told.detail


async def test_an_agent_may_not_answer_at_all(api: Api, project: Path) -> None:
    validation_id = await escalated(api, project)
    said = {"id": validation_id, "verdict": "approve", "reason": "trust me"}
    (await api.post("/approve", said, token=api.token("bob"))).problem(403)


async def test_an_expert_whom_nobody_knows_does_not_count(api: Api, project: Path) -> None:
    validation_id = await escalated(api, project)
    said = {"id": validation_id, "verdict": "approve", "reason": "trust me"}
    told = (await api.post("/approve", said, token=api.token("eve", Role.EXPERT))).problem(403)
    assert "no expert" in told.detail


async def test_a_second_answer_conflicts(api: Api, project: Path) -> None:
    validation_id = await escalated(api, project)
    assert (await approve(api, validation_id)).status == 200
    (await approve(api, validation_id, "deny")).problem(409)
    assert (await api.get(f"/validate/{validation_id}")).json()["decision"] == "allow"


async def test_what_is_not_there_is_not_found(api: Api) -> None:
    (await api.get("/validate/v999999")).problem(404)
    (await api.get("/validate/nothing")).problem(404)
    (await api.get("/validate/v1")).problem(404)  # an event of another kind
    (await approve(api, "v999999")).problem(404)


async def test_the_same_call_joins_the_one_that_waits(api: Api, project: Path) -> None:
    first = await escalated(api, project)
    assert await escalated(api, project) == first
    other = await escalated(api, project, DOUBTFUL + "2")
    assert other != first
    assert len(await api.events(type="validation.requested")) == 2


async def test_no_verdict_leaves_that_is_not_on_disk(api: Api, project: Path) -> None:
    api.bridge.store.max_bytes = 1
    given = 0
    while (answer := await api.post("/validate", bash(f"echo {given} {'x' * 900}", project))).status == 200:
        given += 1
        assert given < 1000
    answer.problem(507)
    (await api.post("/validate", bash(DOUBTFUL + " " + "x" * 9000, project))).problem(507)
    api.bridge.store.max_bytes = None
    assert len(await api.events(type="verdict.allowed")) == given
    assert (await api.get("/approvals")).json()["approvals"] == []


async def test_a_token_in_a_command_never_reaches_the_log(api: Api, project: Path) -> None:
    secret = api.token("ann")
    await api.post("/validate", bash(f"echo {secret}", project))
    await api.post(
        "/validate", bash(f"curl -H 'Authorization: Bearer {secret}' https://example.com", project)
    )
    page = await api.get("/event/query?limit=1000")
    assert secret.encode() not in page.body
    assert b"[a token was left out]" in page.body


async def test_an_answer_after_a_restart_counts(start: Start, project: Path) -> None:
    api = await start()
    validation_id = await escalated(api, project)
    await restart(api.bridge)
    again = await start()
    waiting = asyncio.create_task(again.get(f"/validate/{validation_id}?wait_seconds=30"))
    assert (await again.get("/approvals")).json()["approvals"][0]["id"] == validation_id
    assert await escalated(again, project) == validation_id
    assert (await approve(again, validation_id)).status == 200
    assert (await waiting).json()["decision"] == "allow"


async def restart(bridge: Bridge) -> None:
    bridge.begin_stop()
    await bridge.stop()


async def test_health_tells_of_broken_policies(start: Start, tmp_path: Path, project: Path) -> None:
    policies = tmp_path / "policies"
    policies.mkdir()
    (policies / "own.cedar").write_text('@id("all") permit (principal, action, resource);')
    api = await start(policies=policies)
    told = (await api.get("/health")).json()["components"]["policy"]
    assert told["status"] == "ok"
    assert "1 policy," in told["detail"]
    room = api.bridge.validations
    assert room is not None
    (policies / "own.cedar").write_text("permit (")
    await room.judging.refresh()
    assert (await api.post("/validate", bash("cat README.md", project))).json()["decision"] == "allow"
    assert [event.type for event in await api.events(stream="policies")] == ["policy.loaded", "policy.broken"]
    (policies / "own.cedar").write_text('@id("none") @decision("deny") forbid (principal, action, resource);')
    await room.judging.refresh()
    assert (await api.post("/validate", bash("cat README.md", project))).json()["decision"] == "deny"


async def test_broken_policies_fail_the_health(start: Start, tmp_path: Path, project: Path) -> None:
    policies = tmp_path / "policies"
    policies.mkdir()
    (policies / "own.cedar").write_text("permit (")
    api = await start(policies=policies)
    answer = await api.get("/health")
    assert answer.status == 503
    told = answer.json()["components"]["policy"]
    assert told["status"] == "failed"
    assert "own.cedar" in told["detail"]
    verdict = (await api.post("/validate", bash("cat README.md", project))).json()
    assert (verdict["decision"], verdict["rule"]) == ("escalate", "policies-are-broken")


async def test_a_look_at_what_waits_waits_for_it_and_keeps_an_expert_there(
    api: Api, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    eve = api.token("eve", Role.EXPERT)
    await api.post("/expert/register", {"speciality": "shell"}, token=eve)
    heard: list[str] = []
    monkeypatch.setattr(api.bridge.experts, "heard", heard.append)
    looking = asyncio.create_task(api.get("/approvals?answerable=true&wait_seconds=60", token=eve))
    validation_id = await escalated(api, project)
    answer = (await asyncio.wait_for(looking, 20)).json()
    assert [one["id"] for one in answer["approvals"]] == [validation_id]
    assert set(heard) == {"eve"}


async def test_what_one_may_answer(api: Api, project: Path) -> None:
    eve, fred = api.token("eve", Role.EXPERT), api.token("fred", Role.EXPERT)
    await api.post("/expert/register", {"speciality": "shell"}, token=eve)
    await api.post("/expert/register", {"speciality": "docs", "languages": ["markdown"]}, token=fred)
    validation_id = await escalated(api, project)

    async def answerable(token: str) -> list[str]:
        answer = await api.get("/approvals?answerable=true&wait_seconds=0.05", token=token)
        return [one["id"] for one in answer.json()["approvals"]]

    assert await answerable(eve) == [validation_id]
    assert await answerable(person(api)) == [validation_id]
    assert await answerable(fred) == []
    assert await answerable(api.ann) == []
    assert await answerable(api.token("ann", Role.OPERATOR)) == []
    await api.post("/approve", {"id": validation_id, "verdict": "deny", "reason": "no"}, token=eve)
    assert await answerable(person(api)) == []
    for query in ("answerable=true", "wait_seconds=1"):
        (await api.get(f"/approvals?state=resolved&{query}")).problem(422)


async def test_a_stop_lets_go_of_who_looks(api: Api) -> None:
    looking = asyncio.create_task(api.get("/approvals?wait_seconds=600"))
    await asyncio.sleep(0)
    api.bridge.begin_stop()
    assert (await asyncio.wait_for(looking, 20)).status in (200, 503)


async def test_an_answer_is_remembered_listed_and_revoked(api: Api, project: Path) -> None:
    validation_id = await escalated(api, project)
    wish = {"scope": "similar", "seconds": 3600, "for": "anyone"}
    assert (await approve(api, validation_id, remember=wish)).status == 200
    (rule,) = (await api.get("/rules")).json()["rules"]
    assert (rule["scope"], rule["decision"], rule["by"], rule["agent_id"]) == (
        "similar",
        "allow",
        "olga",
        None,
    )
    assert rule["from_id"] == validation_id
    verdict = (await api.post("/validate", bash(DOUBTFUL, project), token=api.token("bob"))).json()
    assert (verdict["decision"], verdict["rule"]) == ("allow", rule["id"])
    revoke = f"/rules/{rule['id']}/revoke"
    (await api.post(revoke, {})).problem(403)
    assert (await api.post(revoke, {"reason": "no more"}, token=person(api))).status == 200
    (await api.post(revoke, {}, token=person(api))).problem(404)
    assert (await api.get("/rules")).json()["rules"] == []
    assert await escalated(api, project) != validation_id


async def test_an_expert_may_not_have_it_remembered(api: Api, project: Path) -> None:
    expert = api.token("eve", Role.EXPERT)
    assert (await api.post("/expert/register", {"speciality": "security"}, token=expert)).status == 200
    validation_id = await escalated(api, project)
    said = {"id": validation_id, "verdict": "approve", "reason": "fine", "remember": {"scope": "exact"}}
    (await api.post("/approve", said, token=expert)).problem(403)
    said.pop("remember")
    assert (await api.post("/approve", said, token=expert)).json()["how"] == "expert"


async def test_pages_of_requests(api: Api, project: Path) -> None:
    made = [await escalated(api, project, f"{DOUBTFUL}{number}") for number in range(5)]
    first = (await api.get("/approvals?limit=2")).json()
    second = (await api.get(f"/approvals?limit=3&cursor={first['next_cursor']}")).json()
    assert [one["id"] for one in first["approvals"] + second["approvals"]] == made
    assert second["next_cursor"] is None
    for validation_id in made:
        await approve(api, validation_id)
    first = (await api.get("/approvals?state=resolved&limit=4")).json()
    rest = (await api.get(f"/approvals?state=resolved&cursor={first['next_cursor']}")).json()
    assert [one["id"] for one in first["approvals"] + rest["approvals"]] == made[::-1]
    (await api.get("/approvals?cursor=later")).problem(422)


async def test_the_hosts_names_of_the_project_are_understood(start: Start, project: Path) -> None:
    api = await start(roots={"/home/ann/shop": str(project)})
    told = {"tool_name": "Write", "tool_input": {"file_path": "/home/ann/shop/new.py", "content": "1"}}
    verdict = (await api.post("/validate", told | {"cwd": "/home/ann/shop"})).json()
    assert verdict["decision"] == "allow"
    (project / "out").symlink_to("/etc")
    told = {"tool_name": "Write", "tool_input": {"file_path": "/home/ann/shop/out/passwd", "content": "1"}}
    assert (await api.post("/validate", told)).json()["decision"] != "allow"


async def test_figures_of_the_verdicts(api: Api, project: Path) -> None:
    await api.post("/validate", bash("ls src", project))
    await approve(api, await escalated(api, project))
    await escalated(api, project)
    text = (await api.get("/metrics")).body.decode()
    assert 'lighthouse_verdicts_total{decision="allow"} 1.0' in text
    assert 'lighthouse_verdicts_total{decision="escalate"} 2.0' in text
    assert 'lighthouse_validations_resolved_total{how="person"} 1.0' in text
    assert "lighthouse_validations_pending 1.0" in text
    assert "lighthouse_verdict_seconds_count 3.0" in text
    status = (await api.get("/status")).json()["validations"]
    assert (status["pending"], status["rules"], status["problem"]) == (1, 0, None)


async def test_changed_policies_come_into_force_by_themselves(
    start: Start, tmp_path: Path, project: Path, wait_for: WaitFor
) -> None:
    api = await start(policies=tmp_path / "policies")
    assert (await api.post("/validate", bash("cat README.md", project))).json()["decision"] == "allow"
    (tmp_path / "policies").mkdir()
    own = tmp_path / "policies" / "own.cedar"
    own.write_text('@id("none") @decision("deny") forbid (principal, action, resource);')

    async def denied() -> bool:
        return (await api.post("/validate", bash("cat README.md", project))).json()["rule"] == "none"

    await wait_for(denied)
