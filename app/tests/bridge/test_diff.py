"""`GET /diff`: changes as JSON, bounded; and as a patch, whole."""

import asyncio
import os
import subprocess
import threading
from functools import partial
from pathlib import Path

import pytest

from tests.bridge.conftest import Api, Start


@pytest.fixture
async def two(api: Api, project: Path) -> Api:
    """`then` and `now` are snapshots; the second differs by one of each kind of change."""
    text = "".join(f"line {n}\n" for n in range(50))
    (project / "moved").write_text(text)
    (project / "gone").write_text("gone\n")
    (project / "kept").write_text("kept\n")
    (project / "run").write_text("run\n")
    await api.post("/snapshot/then", {})
    (project / "moved").unlink()
    (project / "sub").mkdir()
    (project / "sub" / "there").write_text(text + "more\n")
    (project / "gone").unlink()
    (project / "run").chmod(0o755)
    (project / os.fsdecode(b"caf\xe9")).write_bytes(b"\0\1")
    await api.post("/snapshot/now", {})
    return api


async def test_a_list(two: Api) -> None:
    told = (await two.get("/diff?from=then&to=now")).json()
    assert told["from_seq"] < told["to_seq"]
    assert told["truncated"] == 0
    assert [(change["op"], change["path"]) for change in told["changes"]] == [
        ("created", "caf\ufffd"),
        ("deleted", "gone"),
        ("mode", "run"),
        ("renamed", "sub/there"),
    ]
    created, deleted, mode, renamed = told["changes"]
    assert created["path_b64"]
    assert "old" not in created
    assert created["new"]["size"] == 2
    assert "new" not in deleted
    assert (mode["old"]["mode"][-3:], mode["new"]["mode"]) == ("644", "0755")
    assert renamed["old_path"] == "moved"
    assert 90 < renamed["similarity"] < 100


async def test_a_limit_and_a_path(two: Api) -> None:
    told = (await two.get("/diff?from=then&to=now&limit=1")).json()
    assert (len(told["changes"]), told["truncated"]) == (1, 3)
    told = (await two.get("/diff?from=then&to=now&path=sub")).json()
    assert [(change["op"], change["path"]) for change in told["changes"]] == [("created", "sub/there")]


async def test_to_the_present_and_back(two: Api, project: Path) -> None:
    (project / "latest").touch()
    await two.post("/shadow/update", {})
    ops = [(change["op"], change["path"]) for change in (await two.get("/diff?from=now")).json()["changes"]]
    assert ops == [("created", "latest")]
    back = (await two.get("/diff?from=current&to=now")).json()["changes"]
    assert [(change["op"], change["path"]) for change in back] == [("deleted", "latest")]
    assert (await two.get("/diff?from=now&to=now")).json()["changes"] == []


@pytest.mark.parametrize("way", ["format", "accept"])
async def test_a_patch_that_git_applies(two: Api, tmp_path: Path, way: str) -> None:
    if way == "format":
        answer = await two.get("/diff?from=then&to=now&format=patch")
    else:
        answer = await two.get("/diff?from=then&to=now", headers={"Accept": "text/x-diff"})
    assert answer.headers["Content-Type"] == "text/x-diff"
    assert int(answer.headers["X-Lighthouse-From"]) < int(answer.headers["X-Lighthouse-To"])
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("moved", "gone", "kept", "run"):
        (copy / name).write_bytes((await two.get(f"/shadow/read/{name}?at=then")).body)
    env = {"PATH": os.environ["PATH"], "GIT_DIR": "/nonexistent"}
    subprocess.run(["git", "apply", "-"], cwd=copy, env=env, input=answer.body, check=True, timeout=30)
    assert sorted(os.fsencode(path.name) for path in copy.iterdir()) == [b"caf\xe9", b"kept", b"run", b"sub"]
    assert (copy / "sub" / "there").read_text().endswith("line 49\nmore\n")
    assert (copy / "run").stat().st_mode & 0o100


async def test_format_json_wins_over_accept(two: Api) -> None:
    answer = await two.get("/diff?from=then&to=now&format=json", headers={"Accept": "text/x-diff"})
    assert answer.json()["changes"]


async def test_no_difference_is_an_empty_patch(two: Api) -> None:
    answer = await two.get("/diff?from=now&to=now&format=patch")
    assert (answer.status, answer.body) == (200, b"")


async def test_a_large_patch_arrives_whole(start: Start, project: Path) -> None:
    api = await start()
    (await api.post("/snapshot/then", {})).json()
    content = os.urandom(3 * 1024 * 1024)
    (project / "large").write_bytes(content)
    await api.post("/shadow/update", {})
    patch = (await api.get("/diff?from=then&format=patch")).body
    copy = project.with_name("copy")
    copy.mkdir()
    env = {"PATH": os.environ["PATH"], "GIT_DIR": "/nonexistent"}
    subprocess.run(["git", "apply", "-"], cwd=copy, env=env, input=patch, check=True, timeout=30)
    assert (copy / "large").read_bytes() == content


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 422),
        ("from=", 422),
        ("from=1-2", 422),
        ("from=nobody", 404),
        ("from=99999", 404),
        ("from=then&to=2999-01-01T00:00:00Z", 404),
        ("from=then&path=../x", 400),
        ("from=then&limit=0", 422),
        ("from=then&format=html", 422),
        ("from=then&else=1", 422),
    ],
)
async def test_what_is_refused(two: Api, query: str, status: int) -> None:
    (await two.get(f"/diff?{query}")).problem(status)


async def test_a_content_that_is_lost_cuts_the_patch(two: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    import aiohttp

    from lighthouse.shadow import ContentMissing, Shadow

    def lost(*_: object) -> bytes:
        raise ContentMissing("gone")

    monkeypatch.setattr("lighthouse.bridge.diff.unified", lambda *_: (lost() for _ in "x"))
    assert isinstance(two.bridge.shadow, Shadow)
    with pytest.raises(aiohttp.ClientError):
        await two.get("/diff?from=then&to=now&format=patch")


async def test_many_at_once_keep_nobody_else_waiting(two: Api) -> None:
    going_on = threading.Event()
    comparing = two.bridge.comparing
    # As many as may be under way, none of which comes to its end.
    slow = [asyncio.create_task(comparing.run(partial(going_on.wait, 60))) for _ in range(18)]
    try:
        await asyncio.sleep(0)
        refused = await two.get("/diff?from=then")
        assert "too many requests for a diff wait already" in refused.problem(503).detail
        assert refused.headers["Retry-After"]
        assert (await two.get("/shadow/read/README.md?at=then")).status == 200
    finally:
        going_on.set()
        await asyncio.gather(*slow)
    patch = await two.get("/diff?from=then&format=patch")
    assert patch.body.startswith(b"diff --git")
