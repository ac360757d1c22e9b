"""Proposals over the API: made, listed, shown, as a patch, rebased, ended, and who may."""

import asyncio
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lighthouse.sessions import Role
from tests.bridge.conftest import Api, Start

needs_fuse = pytest.mark.skipif(not Path("/dev/fuse").exists(), reason="this machine has no /dev/fuse")


async def create(api: Api, name: str, **body: Any) -> dict[str, Any]:
    answer = await api.post("/proposal/create", {"name": name, **body})
    assert answer.status == 200, answer.body
    made: dict[str, Any] = answer.json()
    return made


async def edit(api: Api, name: str, path: str, text: str) -> None:
    """What the mount does when somebody writes a file."""
    room = api.bridge.proposals
    assert room is not None
    proposal = room.get(name)
    leaf = proposal.tree.find(tuple(path.encode().split(b"/")))
    if leaf is None:
        *folders, last = path.encode().split(b"/")
        leaf = await room.editor.create(proposal, proposal.tree.find(tuple(folders)), last, 0o644, 1000)
    else:
        await room.editor.open(leaf, proposal, write=True, empty=True)
    await room.editor.write(proposal, leaf, 0, text.encode())
    await room.editor.save(proposal, leaf, 1000)
    assert await room.editor.release(proposal, leaf, 1000)


async def test_create_list_and_show(api: Api) -> None:
    made = await create(api, "review-1", title="Better greeting", uid=1000)
    assert (made["name"], made["state"], made["agent_id"], made["uid"]) == ("review-1", "open", "ann", 1000)
    assert made["base"] == api.bridge.shadow.current.seq
    await edit(api, "review-1", "src/main.py", "print('hello')\n")
    await edit(api, "review-1", "src/new.py", "pass\n")
    shown = (await api.get("/proposal/review-1")).json()
    assert [(file["path"], file["op"]) for file in shown["files"]] == [
        ("src/main.py", "modified"),
        ("src/new.py", "created"),
    ]
    assert shown["total"] == 2
    assert {file["uid"] for file in shown["files"]} == {1000}
    assert shown["proposal"]["writers"] == {"1000": 2}
    listed = (await api.get("/proposals")).json()["proposals"]
    assert [one["name"] for one in listed] == ["review-1"]
    assert (await api.get("/proposals?state=withdrawn")).json()["proposals"] == []
    (created,) = await api.events(type="proposal.created")
    assert created.agent_id == "ann"
    for event in await api.events(type="proposal.changed"):
        assert (event.agent_id, event.value["uid"]) == ("ann", 1000)


async def test_the_patch_applies(api: Api, project: Path) -> None:
    await create(api, "p")
    await edit(api, "p", "src/main.py", "print('hello')\n")
    answer = await api.get("/proposal/p/diff")
    assert answer.headers["Content-Type"] == "text/x-diff"
    subprocess.run(["git", "apply", "-"], input=answer.body, cwd=project, check=True)
    assert (project / "src/main.py").read_text() == "print('hello')\n"


async def test_a_base_in_the_past(api: Api, project: Path) -> None:
    base = api.bridge.shadow.current.seq
    (project / "README.md").write_text("# Port\n")
    await api.bridge.shadow.scan()
    made = await create(api, "old", base=str(base))
    assert (made["base"], made["behind"]) == (base, 1)
    (await api.post("/proposal/create", {"name": "never", "base": "no-such"})).problem(404)


async def test_rebase_merges_and_tells_conflicts(api: Api, project: Path) -> None:
    (project / "README.md").write_text("one\n2\n3\n4\nfive\n")
    await api.bridge.shadow.scan()
    await create(api, "p")
    await edit(api, "p", "README.md", "ONE\n2\n3\n4\nfive\n")
    (project / "README.md").write_text("one\n2\n3\n4\nFIVE\n")
    await api.bridge.shadow.scan()
    assert (await api.get("/proposal/p")).json()["proposal"]["behind"] == 1
    moved = (await api.post("/proposal/p/rebase", {})).json()
    assert (moved["base"], moved["state"]) == (api.bridge.shadow.current.seq, "open")
    assert (await api.get("/proposal/p")).json()["proposal"]["behind"] == 0
    patch = (await api.get("/proposal/p/diff")).body.decode()
    assert "-one\n+ONE\n" in patch
    assert "five" not in patch
    (project / "README.md").write_text("uno\n")
    await api.bridge.shadow.scan()
    problem = (await api.post("/proposal/p/rebase", {})).problem(409)
    assert "README.md" in problem.detail
    assert (await api.get("/proposal/p/diff")).body.decode() == patch


async def test_withdrawn_and_applied_are_kept(api: Api) -> None:
    for name, action in (("a", "withdraw"), ("b", "applied")):
        await create(api, name)
        await edit(api, name, "x", "x\n")
        before = (await api.get(f"/proposal/{name}/diff")).body
        ended = await api.post(f"/proposal/{name}/{action}", {"reason": "no"} if action == "withdraw" else {})
        assert ended.json()["state"] == {"withdraw": "withdrawn"}.get(action, action)
        assert (await api.get(f"/proposal/{name}/diff")).body == before
        assert [file["path"] for file in (await api.get(f"/proposal/{name}")).json()["files"]] == ["x"]
        (await api.post(f"/proposal/{name}/{action}", {})).problem(404)
        await create(api, name)


async def test_who_may(api: Api) -> None:
    await create(api, "anns")
    bob, olga = api.token("bob"), api.token("olga", Role.OPERATOR)
    watcher = api.token("eve", Role.OBSERVER)
    for action in ("rebase", "withdraw", "applied"):
        (await api.post(f"/proposal/anns/{action}", {}, token=bob)).problem(403)
        (await api.post(f"/proposal/anns/{action}", {}, token=watcher)).problem(403)
    (await api.post("/proposal/create", {"name": "x"}, token=watcher)).problem(403)
    assert (await api.get("/proposal/anns", token=watcher)).status == 200
    assert (await api.post("/proposal/anns/withdraw", {}, token=olga)).status == 200


async def test_what_is_refused(api: Api) -> None:
    await create(api, "taken")
    (await api.post("/proposal/create", {"name": "taken"})).problem(409)
    (await api.post("/proposal/create", {"name": "../x"})).problem(422)
    (await api.post("/proposal/create", {"name": "x.patch"})).problem(422)
    (await api.post("/proposal/create", {"name": "x", "uid": -1})).problem(422)
    (await api.post("/proposal/create", {"name": "x", "title": "a\nb"})).problem(422)
    (await api.get("/proposal/none")).problem(404)
    (await api.get("/proposal/none/diff")).problem(404)


@needs_fuse
async def test_it_is_in_the_mount(start: Start, tmp_path: Path) -> None:
    place = tmp_path / "mount.proposals"
    api = await start(mount=True, mount_point=tmp_path / "mount", proposals_mount_point=place)
    made = await create(api, "p")
    assert made["path"] == str(place / "p")
    await asyncio.to_thread((place / "p/README.md").write_text, "# Quay\n")
    assert "+# Quay" in (await api.get("/proposal/p/diff")).body.decode()
    (await api.post("/proposal/p/withdraw", {})).json()
    await api.bridge.proposals_mount.settle()
    assert not await asyncio.to_thread((place / "p").exists)
