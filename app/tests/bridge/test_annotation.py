"""Notes over HTTP: made, listed by path and moment, closed by who may."""

import base64
import os
from pathlib import Path
from typing import Any

import pytest

from lighthouse.sessions import Role
from tests.bridge.conftest import Api, Start


async def made(api: Api, **more: Any) -> dict[str, Any]:
    """A note of ann's."""
    body = {"path": "src/main.py", "line": 1, "text": "ahoy?"} | more
    answer = await api.post("/shadow/annotate", body)
    assert answer.status == 200, answer.body
    note: dict[str, Any] = answer.json()["annotation"]
    return note


async def test_a_note_is_made_listed_followed_and_resolved(api: Api, project: Path) -> None:
    note = await made(api, severity="warning", category="style")
    assert (note["status"], note["path"], note["lines"]) == ("same", "src/main.py", [1, 1])
    (project / "src" / "main.py").rename(project / "src" / "start.py")
    assert api.bridge.shadow is not None
    seq = await api.bridge.shadow.scan()
    for path, count in (("", 1), ("src", 1), ("src/start.py", 1), ("src/main.py", 0), ("sr", 0)):
        found = (await api.get(f"/shadow/annotations/{path}")).json()
        assert (found["seq"], found["total"], len(found["annotations"])) == (seq, count, count), path
    [moved] = (await api.get("/shadow/annotations/")).json()["annotations"]
    assert (moved["status"], moved["path"], moved["made"]["path"]) == ("moved", "src/start.py", "src/main.py")
    [then] = (await api.get(f"/shadow/annotations/?at={note['seq']}")).json()["annotations"]
    assert (then["status"], then["path"]) == ("same", "src/main.py")
    ended = (await api.post(f"/annotation/{note['id']}/resolve", {"reason": "renamed"})).json()
    assert (ended["id"], ended["ending"], ended["agent_id"]) == (note["id"], "resolved", "ann")
    assert (await api.get("/shadow/annotations/")).json()["annotations"] == []


async def test_only_who_made_it_and_operators_withdraw(api: Api) -> None:
    bob, boss = api.token("bob"), api.token("boss", Role.OPERATOR)
    first, second = await made(api), await made(api, text="another")
    where = f"/annotation/{first['id']}/withdraw"
    told = (await api.post(where, {}, token=bob)).problem(403)
    assert "ann's" in told.detail
    assert (await api.post(where, {"reason": "oops"})).json()["ending"] == "withdrawn"
    assert (await api.post(where, {})).json()["reason"] == "oops"
    (await api.post(f"/annotation/{first['id']}/resolve", {})).problem(409)
    assert (await api.post(f"/annotation/{second['id']}/withdraw", {}, token=boss)).status == 200
    third = await made(api, text="a third")
    assert (await api.post(f"/annotation/{third['id']}/resolve", {}, token=bob)).status == 200


async def test_observers_only_look(api: Api) -> None:
    observer = api.token("eve", Role.OBSERVER)
    body = {"path": "src/main.py", "line": 1, "text": "x"}
    (await api.post("/shadow/annotate", body, token=observer)).problem(403)
    assert (await api.get("/shadow/annotations/", token=observer)).status == 200


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"line": 0}, 422),
        ({"line": 9}, 422),
        ({"symbol": "none", "line": None}, 422),
        ({"text": ""}, 422),
        ({"text": "x" * 8193}, 422),
        ({"severity": "bad"}, 422),
        ({"category": "No Good"}, 422),
        ({"path": "none"}, 404),
        ({"path": "src"}, 422),
        ({"path": "../x"}, 400),
        ({"path_b64": "!"}, 400),
        ({"at": "99999"}, 404),
        ({"at": "2026"}, 404),
        ({"agent_id": "bob"}, 403),
    ],
)
async def test_what_is_no_note(api: Api, change: dict[str, Any], status: int) -> None:
    body = {"path": "src/main.py", "line": 1, "text": "x"} | change
    answer = await api.post(
        "/shadow/annotate", {name: value for name, value in body.items() if value is not None}
    )
    answer.problem(status)
    assert (await api.get("/shadow/annotations/")).json()["total"] == 0


async def test_what_is_not_there(api: Api) -> None:
    (await api.post("/annotation/abc/withdraw", {})).problem(404)
    (await api.post("/annotation/abc/resolve", {})).problem(404)
    (await api.get("/shadow/annotations/../x")).problem(400)
    (await api.get("/shadow/annotations/?at=99999")).problem(404)
    assert (await api.get("/shadow/annotations/none")).json()["total"] == 0


async def test_a_name_that_is_not_text(start: Start, project: Path) -> None:
    name = b"caf\xe9.py"
    Path(os.fsdecode(os.fsencode(project) + b"/" + name)).write_bytes(b"x = 1\n")
    api = await start()
    raw = base64.b64encode(name).decode()
    assert (await made(api, path="caf?.py", path_b64=raw))["path_b64"] == raw
    found = (await api.get("/shadow/annotations/caf%E9.py")).json()
    assert found["total"] == 1


async def test_pages(api: Api) -> None:
    for number in range(5):
        await made(api, text=f"note {number}")
    page = (await api.get("/shadow/annotations/?limit=2&offset=3")).json()
    assert [note["text"] for note in page["annotations"]] == ["note 3", "note 4"]
    assert page["total"] == 5
