"""`POST /shadow/update`: the answer's version holds what was there at the call."""

import asyncio
from pathlib import Path

import pytest

from lighthouse.sessions import Role
from tests.bridge.conftest import Api, Start


@pytest.fixture
async def deaf(start: Start, monkeypatch: pytest.MonkeyPatch) -> Api:
    """A bridge that notices nothing by itself."""
    monkeypatch.setattr("lighthouse.shadow.watches.Watches.add", lambda *_: None)
    return await start(reconcile_seconds=3600)


async def test_everything(deaf: Api, project: Path) -> None:
    before = deaf.bridge.shadow.current.seq  # type: ignore[union-attr]
    (project / "src" / "new.py").write_text("new")
    (project / "README.md").unlink()
    told = (await deaf.post("/shadow/update", {})).json()
    assert told["seq"] > before
    assert (await deaf.get(f"/shadow/read/src/new.py?at={told['seq']}")).body == b"new"
    (await deaf.get("/shadow/read/README.md")).problem(404)
    assert (await deaf.post("/shadow/update", {})).json() == told


async def test_only_beneath_paths(deaf: Api, project: Path) -> None:
    for name in ("a/deep/file", "b/file", "c"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(name)
    await deaf.post("/shadow/update", {"paths": ["a", "c", "none/such"]})
    assert (await deaf.get("/shadow/read/a/deep/file")).body == b"a/deep/file"
    assert (await deaf.get("/shadow/read/c")).body == b"c"
    (await deaf.get("/shadow/read/b/file")).problem(404)
    await deaf.post("/shadow/update", {"paths": ["."]})
    assert (await deaf.get("/shadow/read/b/file")).body == b"b/file"


async def test_many_calls_share_looks(deaf: Api, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shadow = deaf.bridge.shadow
    assert shadow is not None
    scans: list[bool] = []
    scan = shadow._capture.scan

    def counted(*arguments: object) -> object:
        scans.append(True)
        return scan(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(shadow._capture, "scan", counted)
    (project / "new").touch()
    answers = await asyncio.gather(*(deaf.post("/shadow/update", {}) for _ in range(30)))
    assert len({answer.body for answer in answers}) == 1
    assert len(scans) < 30


@pytest.mark.parametrize("path", ["../x", "/etc", "a\0b", "x" * 256])
async def test_a_path_that_cannot_be(api: Api, path: str) -> None:
    (await api.post("/shadow/update", {"paths": ["src", path]})).problem(400)


async def test_who_may(api: Api) -> None:
    (await api.post("/shadow/update", {}, token=api.token("wanda", Role.OBSERVER))).problem(403)


async def test_a_project_that_is_away_is_told(start: Start, project: Path) -> None:
    api = await start()
    project.rename(project.with_name("elsewhere"))
    (await api.post("/shadow/update", {})).problem(503)
    (await api.post("/shadow/update", {"paths": ["src"]})).problem(503)
