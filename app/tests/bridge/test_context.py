"""The routes of contexts: made, listed, shown, removed by who may."""

from typing import Any

import pytest

from lighthouse.sessions import Role
from tests.bridge.conftest import Api

REVIEW = {
    "name": "review",
    "files": ["src", "*.md"],
    "notes": [{"title": "Why", "text": "Look here."}],
    "purpose": "a second pair of eyes",
}


async def test_from_making_to_removing(api: Api) -> None:
    made = (await api.post("/context/create", REVIEW)).json()
    assert (made["name"], made["files"], made["notes"], made["agent_id"]) == ("review", 2, 1, "ann")
    assert (await api.get("/contexts", token=api.token("otto", Role.OBSERVER))).json() == {"contexts": [made]}
    found = (await api.get("/context/review")).json()
    assert [file["path"] for file in found["files"]] == ["README.md", "src/main.py"]
    assert found["notes"] == [{"path": "notes/01-Why.md", "title": "Why", "text": "Look here.\n"}]
    assert {name: found[name] for name in ("seq", "root", "bytes", "created_at")} == {
        name: made[name] for name in ("seq", "root", "bytes", "created_at")
    }
    gone = (await api.post("/context/review/remove", {})).json()
    assert gone["name"] == "review"
    (created, removed) = await api.events(stream="contexts")
    assert (created.type, created.agent_id, created.value["root"]) == ("context.created", "ann", made["root"])
    assert (removed.type, removed.seq) == ("context.removed", gone["seq"])
    (await api.get("/context/review")).problem(404)
    assert (await api.get("/contexts")).json() == {"contexts": []}


async def test_others_contexts_are_removed_by_operators_only(api: Api) -> None:
    await api.post("/context/create", REVIEW)
    refused = await api.post("/context/review/remove", {}, token=api.token("bob"))
    assert "the context review is ann's" in refused.problem(403).detail
    (await api.post("/context/review/remove", {}, token=api.token("otto", Role.OBSERVER))).problem(403)
    assert (await api.get("/context/review")).status == 200
    olga = api.token("olga", Role.OPERATOR)
    assert (await api.post("/context/review/remove", {}, token=olga)).status == 200


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        ({"name": "a/b"}, 422, "cannot be a context's name"),
        ({"files": ["gone.py"]}, 404, "'gone.py' takes no file"),
        ({"files": ["{a"]}, 422, "without its"),
        ({"files": [], "notes": []}, 422, "of nothing"),
        ({"at": "999999"}, 404, "no event"),
        ({"colour": "red"}, 422, "colour"),
        ({"agent_id": "bob"}, 403, "another agent"),
    ],
)
async def test_refusals(api: Api, change: dict[str, Any], status: int, reason: str) -> None:
    assert reason in (await api.post("/context/create", REVIEW | change)).problem(status).detail
    assert (await api.get("/contexts")).json() == {"contexts": []}


async def test_a_taken_name_and_one_that_is_not_there(api: Api) -> None:
    await api.post("/context/create", REVIEW)
    (await api.post("/context/create", REVIEW)).problem(409)
    (await api.post("/context/other/remove", {})).problem(404)
    (await api.get("/context/other")).problem(404)
    (await api.get("/context/%2e%2e%2fx")).problem(404)
