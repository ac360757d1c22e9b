"""Leases over HTTP, enforced at the hook, and told over the socket."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from lighthouse.sessions import Role
from tests.bridge.conftest import Answer, Api, Start
from tests.bridge.test_hooks import ROUTE, before, decision

WaitFor = Callable[..., Awaitable[None]]


async def take(api: Api, agent: str, *paths: str, role: Role = Role.AGENT, **more: Any) -> Answer:
    return await api.post("/lease/take", {"paths": list(paths)} | more, token=api.token(agent, role))


async def taken(api: Api, agent: str, *paths: str, **more: Any) -> dict[str, Any]:
    answer = await take(api, agent, *paths, **more)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json()
    return found


async def test_taken_listed_renewed_and_released(api: Api) -> None:
    lease = await taken(api, "ann", "src/", reason="the parser", seconds=60)
    assert (lease["state"], lease["paths"], lease["reason"]) == ("held", ["src"], "the parser")
    assert (await api.get("/leases")).json() == {"leases": [lease], "next_cursor": None}
    renewed = (await api.post(f"/lease/{lease['id']}/renew", {"seconds": 600})).json()
    assert renewed["expires_at"] > lease["expires_at"]
    ended = (await api.post(f"/lease/{lease['id']}/release", {"reason": "done"})).json()
    assert (ended["state"], ended["ended_by"], ended["ended_reason"]) == ("released", "ann", "done")
    assert (await api.get(f"/lease/{lease['id']}")).json() == ended
    assert (await api.get("/leases")).json()["leases"] == []
    assert [event.type for event in await api.events(stream="leases")] == [
        "lease.granted",
        "lease.renewed",
        "lease.released",
    ]


async def test_pages_and_filters(api: Api) -> None:
    ids = [(await taken(api, "ann", f"a{number}"))["id"] for number in range(3)]
    ids.append((await taken(api, "bob", "b"))["id"])
    page = (await api.get("/leases?limit=3")).json()
    assert [one["id"] for one in page["leases"]] == ids[:3]
    rest = (await api.get(f"/leases?limit=3&cursor={page['next_cursor']}")).json()
    assert ([one["id"] for one in rest["leases"]], rest["next_cursor"]) == (ids[3:], None)
    assert [one["id"] for one in (await api.get("/leases?agent_id=bob")).json()["leases"]] == ids[3:]
    assert [one["id"] for one in (await api.get("/leases?path=a1/x.py")).json()["leases"]] == [ids[1]]
    (await api.get("/leases?cursor=x")).problem(422)
    (await api.get("/leases?path=../x")).problem(422)


async def test_what_is_held_is_409_and_says_by_whom(api: Api) -> None:
    lease = await taken(api, "ann", "src")
    told = (await take(api, "bob", "src/main.py")).problem(409).detail
    assert told.startswith(f"src/main.py is leased by ann ({lease['id']}) until 20")
    assert "wait with wait_seconds" in told


async def test_who_waits_gets_it_when_it_is_free(api: Api, wait_for: WaitFor) -> None:
    lease = await taken(api, "ann", "src")
    waiting = asyncio.create_task(taken(api, "bob", "src", wait_seconds=60))

    async def there() -> bool:
        return len((await api.get("/leases")).json()["leases"]) == 2

    await wait_for(there)
    asked = (await api.get("/leases?agent_id=bob")).json()["leases"][0]
    looking = asyncio.create_task(api.get(f"/lease/{asked['id']}?wait_seconds=60"))
    await api.post(f"/lease/{lease['id']}/release", {})
    granted = await waiting
    assert (granted["state"], granted["id"]) == ("held", asked["id"])
    assert (await looking).json() == granted


@pytest.mark.parametrize(
    "wrong",
    [
        {"paths": []},
        {"paths": ["a"] * 51},
        {"paths": ["../a"]},
        {"paths": ["/etc"]},
        {"paths": ["a"], "seconds": 9},
        {"paths": ["a"], "seconds": 86401},
        {"paths": ["a"], "wait_seconds": 601},
        {"paths": ["a"], "reason": "x" * 501},
        {"paths": ["a"], "more": 1},
        {},
    ],
)
async def test_a_wrong_wish_is_422_and_changes_nothing(api: Api, wrong: dict[str, Any]) -> None:
    (await api.post("/lease/take", wrong)).problem(422)
    assert await api.events(stream="leases") == []


async def test_who_may(api: Api) -> None:
    lease = await taken(api, "ann", "src")
    (await take(api, "obi", "x", role=Role.OBSERVER)).problem(403)
    (await take(api, "bob", "x", stays=True)).problem(403)
    bob, olga = api.token("bob"), api.token("olga", Role.OPERATOR)
    (await api.post(f"/lease/{lease['id']}/release", {}, token=bob)).problem(403)
    (await api.post(f"/lease/{lease['id']}/renew", {}, token=olga)).problem(403)
    (await api.post(f"/lease/{lease['id']}/revoke", {}, token=bob)).problem(403)
    (await api.post("/lease/l999/release", {})).problem(404)
    revoked = await api.post(f"/lease/{lease['id']}/revoke", {"reason": "now"}, token=olga)
    assert revoked.json()["state"] == "revoked"
    (await api.post(f"/lease/{lease['id']}/release", {})).problem(409)
    assert (await taken(api, "olga", "src", role=Role.OPERATOR, stays=True))["stays"] is True


async def test_the_same_key_again_is_the_same_lease(api: Api) -> None:
    first = await taken(api, "ann", "src", idempotency_key="k")
    assert await taken(api, "ann", "src", idempotency_key="k") == first
    (await take(api, "ann", "docs", idempotency_key="k")).problem(409)


async def test_the_hook_denies_what_another_holds(api: Api, project: Path) -> None:
    """As the client asks before each call: the holder goes on, others are told what to do."""
    lease = await taken(api, "bob", "src/main.py", reason="the greeting")
    file = str(project / "src/main.py")
    bob = api.token("bob")
    calls: list[tuple[str, dict[str, Any]]] = [
        ("Write", {"file_path": file, "content": "x"}),
        ("Edit", {"file_path": file, "old_string": "ahoy", "new_string": "hello", "replace_all": False}),
        ("Bash", {"command": "echo x > src/main.py", "description": "Write"}),
        ("Bash", {"command": "git checkout main", "description": "Switch"}),
        ("Bash", {"command": "rm -r src", "description": "Tidy"}),
    ]
    for tool, fields in calls:
        word, reason = decision(await api.post(ROUTE, before(project, tool, fields)))
        assert word == "deny", (tool, fields)
        assert "rule leased" in reason
        assert f"bob has leased src/main.py ({lease['id']}) until 20" in reason
        assert f"ask bob to release {lease['id']}" in reason
    for tool, fields in calls[:3]:
        assert decision(await api.post(ROUTE, before(project, tool, fields), token=bob))[0] == ""
    other = {"file_path": str(project / "README.md"), "content": "x"}
    assert decision(await api.post(ROUTE, before(project, "Write", other)))[0] == ""
    await api.post(f"/lease/{lease['id']}/release", {}, token=bob)
    assert decision(await api.post(ROUTE, before(project, *calls[0])))[0] == ""


async def test_a_hook_that_waits_is_told_of_a_lease_taken_meanwhile(
    api: Api, project: Path, wait_for: WaitFor
) -> None:
    asked = before(project, "Bash", {"command": "rm -r src", "description": "Tidy"})
    hook = asyncio.create_task(api.post(ROUTE, asked))

    async def there() -> bool:
        return bool((await api.get("/approvals")).json()["approvals"])

    await wait_for(there)
    (waiting,) = (await api.get("/approvals")).json()["approvals"]
    await taken(api, "bob", "src/main.py")
    said = {"id": waiting["id"], "verdict": "approve", "reason": "go on"}
    shown = (await api.post("/approve", said, token=api.token("olga", Role.OPERATOR))).json()
    assert (shown["decision"], shown["how"], shown["rule"]) == ("deny", "lease", "leased")
    word, reason = decision(await hook)
    assert word == "deny"
    assert "olga approved, but it may change all of src, and bob has leased src/main.py" in reason


async def test_a_restart_keeps_leases(start: Start, project: Path) -> None:
    api = await start()
    lease = await taken(api, "bob", "src")
    await api.bridge.stop()
    api = await start()
    assert [one["id"] for one in (await api.get("/leases")).json()["leases"]] == [lease["id"]]
    asked = before(project, "Write", {"file_path": "src/main.py", "content": "x"})
    assert decision(await api.post(ROUTE, asked))[0] == "deny"


async def test_letters_come_over_the_socket(api: Api, wait_for: WaitFor) -> None:
    lease = await taken(api, "ann", "src", seconds=30)
    async with api.http.ws_connect(api.url("/ws/ann"), headers=api.headers()) as socket:
        message = await socket.receive_json(timeout=10)
        assert (message["type"], message["data"]["id"]) == ("lease.ending", lease["id"])
        olga = api.token("olga", Role.OPERATOR)
        await api.post(f"/lease/{lease['id']}/revoke", {"reason": "now"}, token=olga)
        message = await socket.receive_json(timeout=10)
        assert message["type"] == "lease.ended"
        assert (message["data"]["state"], message["data"]["ended_reason"]) == ("revoked", "now")


async def test_figures(api: Api) -> None:
    lease = await taken(api, "ann", "src")
    assert (await api.get("/status")).json()["leases"] == {"held": 1, "waiting": 0, "ended": {}}
    await api.post(f"/lease/{lease['id']}/release", {})
    text = (await api.get("/metrics")).body.decode()
    assert "lighthouse_leases_held 0.0" in text
    assert 'lighthouse_leases_ended_total{how="released"} 1.0' in text
