"""Snapshots over HTTP: made, listed, read at, and refused where they cannot be."""

import asyncio
from pathlib import Path

import pytest

from lighthouse.sessions import Role
from tests.bridge.conftest import Api, Start


async def test_made_listed_and_read_at(api: Api, project: Path) -> None:
    (project / "README.md").write_text("then")  # not waited for: making a snapshot looks first
    answer = await api.post("/snapshot/before", {"note": "as it was"})
    assert answer.status == 200, answer.body
    made = answer.json()
    assert (made["name"], made["agent_id"], made["note"]) == ("before", "ann", "as it was")
    (project / "README.md").write_text("now")
    await api.post("/shadow/update", {})
    for at in ("before", made["seq"], made["created_at"]):
        read = await api.get(f"/shadow/read/README.md?at={at}")
        assert (read.body, read.headers["X-Lighthouse-Seq"]) == (b"then", str(made["seq"]))
    assert (await api.get("/shadow/read/README.md?at=current")).body == b"now"
    assert (await api.get("/snapshots")).json() == {"snapshots": [made], "total": 1}
    (event,) = await api.events(type="snapshot.created")
    assert event.value == {"name": "before", "seq": made["seq"], "root": made["root"], "note": "as it was"}


async def test_no_body_is_an_empty_one(api: Api) -> None:
    async with api.http.post(api.url("/snapshot/plain"), headers=api.headers()) as answer:
        assert answer.status == 200, await answer.read()
        assert (await answer.json())["note"] == ""


async def test_again_and_another(api: Api, project: Path) -> None:
    first = (await api.post("/snapshot/one", {})).json()
    assert (await api.post("/snapshot/one", {"note": "other"})).json() == first
    assert (await api.post("/snapshot/two", {"at": "one"})).json()["seq"] == first["seq"]
    (project / "more").touch()
    assert f"version {first['seq']}" in (await api.post("/snapshot/one", {})).problem(409).detail


async def test_many_at_once_are_one(api: Api) -> None:
    answers = await asyncio.gather(*(api.post("/snapshot/one", {}) for _ in range(20)))
    assert len({answer.body for answer in answers}) == 1
    assert len(await api.events(type="snapshot.created")) == 1


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("12", {}, 422),
        ("current", {}, 422),
        ("2026-11-23T10:00:00Z", {}, 422),
        ("a%2Fb", {}, 422),
        ("a%0A", {}, 422),
        ("%FF", {}, 422),
        ("a" * 101, {}, 422),
        ("good", {"at": "nobody"}, 404),
        ("good", {"at": "99999"}, 404),
        ("good", {"at": "yesterday evening"}, 422),
        ("good", {"at": ""}, 422),
        ("good", {"note": "n" * 2001}, 422),
        ("good", {"else": 1}, 422),
        ("good", {"agent_id": "ben"}, 403),
    ],
)
async def test_what_is_refused_leaves_nothing(api: Api, name: str, body: dict[str, str], status: int) -> None:
    (await api.post(f"/snapshot/{name}", body)).problem(status)
    assert (await api.get("/snapshots")).json() == {"snapshots": [], "total": 0}


async def test_pages(api: Api) -> None:
    for number in range(5):
        await api.post(f"/snapshot/s{number}", {})
    page = (await api.get("/snapshots?offset=3&limit=1")).json()
    assert [one["name"] for one in page["snapshots"]] == ["s3"]
    assert page["total"] == 5
    (await api.get("/snapshots?limit=0")).problem(422)


async def test_who_may(api: Api) -> None:
    watcher = api.token("wanda", Role.OBSERVER)
    (await api.post("/snapshot/x", {}, token=watcher)).problem(403)
    assert (await api.get("/snapshots", token=watcher)).status == 200
    assert (await api.post("/snapshot/x", {}, token=api.token("olga", Role.OPERATOR))).status == 200


async def test_a_project_that_is_away_is_told(start: Start, project: Path) -> None:
    api = await start()
    project.rename(project.with_name("elsewhere"))
    (await api.post("/snapshot/x", {})).problem(503)
    assert (await api.get("/snapshots")).json()["total"] == 0
    # the version that is there can have a name all the same
    assert (await api.post("/snapshot/x", {"at": "current"})).status == 200
