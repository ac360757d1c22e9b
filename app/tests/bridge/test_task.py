"""Tasks over HTTP and over sockets: who may do what, waiting, pages, a restart in the middle."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import msgspec
import pytest

from lighthouse.bridge import task as task_routes
from lighthouse.mailbox import presence
from lighthouse.sessions import Role
from lighthouse.tasks import tasks as room
from tests.bridge.conftest import Api, Start

TESTS = {"title": "run the tests", "to": "tom"}


@pytest.fixture
def tom(api: Api) -> str:
    return api.token("tom")


async def dispatched(api: Api, **more: Any) -> dict[str, Any]:
    answer = await api.post("/task/dispatch", TESTS | more)
    assert answer.status == 200, answer.body
    made: dict[str, Any] = answer.json()
    return made


@asynccontextmanager
async def socket(api: Api, agent: str, rooms: str = "task") -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    headers = api.headers(api.token(agent, Role.EXPERT))
    async with api.http.ws_connect(api.url(f"/ws/{agent}?rooms={rooms}"), headers=headers) as opened:
        yield opened


async def take(opened: aiohttp.ClientWebSocketResponse) -> tuple[str, str]:
    """The next letter, acknowledged: its kind and the task's state."""
    message = await asyncio.wait_for(opened.receive_json(), 10)
    await opened.send_json({"type": "ack", "n": message["n"]})
    return message["type"], message["data"]["state"]


async def test_a_task_and_its_end(api: Api, tom: str) -> None:
    async with socket(api, "tom") as toms, socket(api, "ann") as anns:
        made = await dispatched(api, body="all of them")
        assert (made["state"], made["agent_id"], made["to"], made["attempt"]) == ("pending", "ann", "tom", 1)
        assert await take(toms) == ("task.offered", "pending")
        where = f"/task/{made['id']}"
        waiting = asyncio.ensure_future(api.get(f"{where}?wait_seconds=30"))
        claimed = (await api.post(f"{where}/claim", {}, token=tom)).json()
        assert (claimed["state"], claimed["holder"]) == ("claimed", "tom")
        told = (await api.post(f"{where}/progress", {"note": "half", "percent": 50}, token=tom)).json()
        assert (told["percent"], told["notes"][0]["note"]) == (50, "half")
        done = (await api.post(f"{where}/complete", {"result": {"passed": 3}}, token=tom)).json()
        assert (await asyncio.wait_for(waiting, 10)).json() == done
        assert (done["state"], done["result"], done["ended_by"]) == ("completed", {"passed": 3}, "tom")
        assert await take(anns) == ("task.ended", "completed")
    assert (await api.get("/status")).json()["tasks"]["ended"] == {"completed": 1}
    metrics = (await api.get("/metrics")).body.decode()
    assert 'lighthouse_tasks_ended_total{state="completed"} 1.0' in metrics


async def test_who_may(api: Api, tom: str) -> None:
    observer = api.token("obs", Role.OBSERVER)
    (await api.post("/task/dispatch", TESTS, token=observer)).problem(403)
    made = await dispatched(api)
    where = f"/task/{made['id']}"
    assert (await api.get(where, token=observer)).status == 200
    (await api.post(f"{where}/claim", {}, token=observer)).problem(403)
    (await api.post(f"{where}/claim", {}, token=api.token("eve"))).problem(403)
    (await api.post(f"{where}/complete", {"result": 1}, token=tom)).problem(409)
    (await api.post(f"{where}/cancel", {}, token=tom)).problem(403)
    await api.post(f"{where}/claim", {}, token=tom)
    (await api.post(f"{where}/claim", {}, token=tom)).problem(409)
    for verb in ("complete", "progress", "fail"):
        body = {"reason": "no"} if verb == "fail" else {}
        (await api.post(f"{where}/{verb}", body)).problem(409)
    gone = await api.post(f"{where}/cancel", {"reason": "late"}, token=api.token("olga", Role.OPERATOR))
    assert gone.json()["state"] == "cancelled"
    (await api.post(f"{where}/cancel", {})).problem(409)
    for path in ("/task/t999", "/task/x"):
        (await api.get(path)).problem(404)
        (await api.post(f"{path}/claim", {})).problem(404)


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": ""},
        {"title": "x" * 201},
        {"body": "x" * 32769},
        {"to": "no agent"},
        {"to": {}},
        {"to": {"capability": {"languages": ["klingon"]}}},
        {"to": {"capability": {"risks": ["high"]}}},
        {"to": {"capability": {"paths": ["/etc"]}}},
        {"to": {"capability": {"skill": "much"}}},
        {"lease_seconds": 59},
        {"retries": 11},
        {"deadline_seconds": 59},
        {"wait_seconds": 601},
        {"idempotency_key": ""},
    ],
)
async def test_what_makes_no_sense_is_422_and_changes_nothing(api: Api, wrong: dict[str, Any]) -> None:
    (await api.post("/task/dispatch", TESTS | wrong)).problem(422)
    assert (await api.get("/tasks")).json() == {"tasks": [], "next_cursor": None}


async def test_the_same_key_is_the_same_task(api: Api) -> None:
    made = await dispatched(api, idempotency_key="k")
    assert (await dispatched(api, idempotency_key="k"))["id"] == made["id"]
    (await api.post("/task/dispatch", TESTS | {"idempotency_key": "k", "retries": 5})).problem(409)


async def test_pages(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [(await dispatched(api, title=f"task {number}"))["id"] for number in range(5)]
    await dispatched(api, to="eve")
    for path, wanted in (
        ("/tasks?agent=tom&state=open", made[::-1]),
        ("/task/pending?mine=true", made),
    ):
        found: list[str] = []
        cursor = ""
        while True:
            page = (await api.get(f"{path}&limit=2{cursor}", token=api.token("tom"))).json()
            found += [one["id"] for one in page["tasks"]]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        assert found == wanted
    assert len((await api.get("/task/pending")).json()["tasks"]) == 6
    monkeypatch.setattr(task_routes, "PAGE_BYTES", 400)
    assert len((await api.get("/tasks")).json()["tasks"]) == 1
    assert (await api.get("/tasks?state=completed")).json()["tasks"] == []
    for path in ("/tasks?cursor=7", "/task/pending?cursor=after-x", "/tasks?state=done", "/task/t1?after=x"):
        (await api.get(path)).problem(422)


async def test_who_looks_for_work_waits_for_it(api: Api, tom: str) -> None:
    waiting = asyncio.ensure_future(api.get("/task/pending?mine=true&wait_seconds=30", token=tom))
    await dispatched(api, to="eve")
    made = await dispatched(api)
    found = (await asyncio.wait_for(waiting, 10)).json()
    assert [one["id"] for one in found["tasks"]] == [made["id"]]
    news = asyncio.ensure_future(
        api.get(f"/task/{made['id']}?wait_seconds=30&after={made['changed_seq']}", token=tom)
    )
    await api.post(f"/task/{made['id']}/claim", {}, token=tom)
    assert (await asyncio.wait_for(news, 10)).json()["state"] == "claimed"


async def test_delegating_goes_to_the_expert_who_fits_best(api: Api) -> None:
    for name, languages in (("abe", []), ("bea", ["python"]), ("cid", ["rust"])):
        token = api.token(name, Role.EXPERT)
        body = {"speciality": "builder", "languages": languages}
        assert (await api.post("/expert/register", body, token=token)).status == 200
    needs = {"languages": ["python"], "paths": ["src/main.py"]}
    async with socket(api, "bea") as beas:
        made = (await api.post("/expert/delegate", {"title": "look", "needs": needs})).json()
        assert (made["offered"], made["capability"]) == (["bea"], needs)
        assert await take(beas) == ("task.offered", "pending")
        bea, abe = api.token("bea", Role.EXPERT), api.token("abe", Role.EXPERT)
        (await api.post(f"/task/{made['id']}/claim", {}, token=api.token("cid", Role.EXPERT))).problem(403)
        await api.post(f"/task/{made['id']}/claim", {}, token=bea)
        experts = {one["agent_id"]: one for one in (await api.get("/experts")).json()["experts"]}
        assert (experts["bea"]["load"], experts["abe"]["load"]) == (1, 0)
        gave = await api.post(f"/task/{made['id']}/fail", {"reason": "busy", "retry": True}, token=bea)
        assert gave.json()["attempt"] == 2
        assert await take(beas) == ("task.lost", "pending")
    pending = await api.get("/task/pending?mine=true&wait_seconds=10", token=abe)
    assert [one["id"] for one in pending.json()["tasks"]] == [made["id"]]


async def test_a_dispatch_waits_for_the_end(api: Api, tom: str) -> None:
    async def work() -> None:
        [one] = (await api.get("/task/pending?mine=true&wait_seconds=30", token=tom)).json()["tasks"]
        await api.post(f"/task/{one['id']}/claim", {}, token=tom)
        await api.post(f"/task/{one['id']}/complete", {"result": None}, token=tom)

    made, _ = await asyncio.gather(dispatched(api, wait_seconds=30), work())
    assert (made["state"], made["result"]) == ("completed", None)


async def test_a_restart_in_the_middle_loses_and_doubles_nothing(start: Start) -> None:
    api = await start()
    made, other = await dispatched(api), await dispatched(api, title="another")
    tom = api.token("tom")
    await api.post(f"/task/{made['id']}/claim", {}, token=tom)
    before = (await api.get("/tasks")).json()
    await api.bridge.stop()
    api = await start()
    assert (await api.get("/tasks")).json() == before
    async with socket(api, "tom") as toms:
        message = await asyncio.wait_for(toms.receive_json(), 10)
        assert (message["type"], message["data"]["id"]) == ("task.offered", other["id"])
        await api.post(f"/task/{made['id']}/complete", {"result": "ok"}, token=tom)
        await api.post(f"/task/{other['id']}/cancel", {})
        assert await take(toms) == ("task.withdrawn", "cancelled")
    events = await api.events(stream="tasks")
    kinds = [event.type for event in events if event.type != "task.seen"]
    assert kinds == [
        "task.dispatched",
        "task.dispatched",
        "task.claimed",
        "task.completed",
        "task.cancelled",
    ]


async def test_the_work_of_an_expert_who_goes_away_is_given_to_another(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name in ((presence, "HEARD_SECONDS"), (presence, "GRACE_SECONDS"), (room, "LOOK_SECONDS")):
        monkeypatch.setattr(module, name, 0.1)
    api = await start()
    async with AsyncExitStack() as beas, socket(api, "abe") as abes:
        bea = await beas.enter_async_context(socket(api, "bea"))
        for name, languages in (("abe", []), ("bea", ["python"])):
            body = {"speciality": "builder", "languages": languages}
            await api.post("/expert/register", body, token=api.token(name, Role.EXPERT))
        made = (await api.post("/expert/delegate", {"title": "x", "needs": {"languages": ["python"]}})).json()
        where = f"/task/{made['id']}"
        assert await take(bea) == ("task.offered", "pending")
        await api.post(f"{where}/claim", {}, token=api.token("bea", Role.EXPERT))
        await beas.aclose()
        assert await take(abes) == ("task.offered", "pending")
        await api.post(f"{where}/claim", {}, token=api.token("abe", Role.EXPERT))
        (await api.post(f"{where}/complete", {}, token=api.token("bea", Role.EXPERT))).problem(409)
        done = (await api.post(f"{where}/complete", {}, token=api.token("abe", Role.EXPERT))).json()
    assert (done["holder"], done["attempt"], done["tried"]) == ("abe", 2, ["bea"])


async def test_a_result_may_be_any_json_of_some_size(api: Api, tom: str) -> None:
    made = await dispatched(api)
    where = f"/task/{made['id']}"
    await api.post(f"{where}/claim", {}, token=tom)
    (await api.post(f"{where}/complete", {"result": "x" * 65536}, token=tom)).problem(422)
    deep = msgspec.json.decode(b"[" * 60 + b"]" * 60)
    (await api.post(f"{where}/complete", {"result": deep}, token=tom)).problem(422)
    assert (await api.get(where)).json()["state"] == "claimed"
    done = await api.post(f"{where}/complete", {"result": [1, {"a": None}]}, token=tom)
    assert done.json()["result"] == [1, {"a": None}]
