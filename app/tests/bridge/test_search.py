"""POST /shadow/search: its answers, its refusals, and that the bridge answers others meanwhile."""

import asyncio
import base64
import os
from pathlib import Path
from typing import Any

import pytest

from lighthouse.sessions import Role
from tests.bridge.conftest import Api, Start


async def test_lines_files_and_counts(api: Api) -> None:
    answer = (await api.post("/shadow/search", {"pattern": "AHOY", "ignore_case": True, "before": 2})).json()
    assert answer["files"] == [
        {
            "path": "src/main.py",
            "count": 1,
            "lines": [{"number": 1, "text": "print('ahoy')", "match": True, "spans": [[7, 11]]}],
        }
    ]
    shadow = api.bridge.shadow
    assert shadow is not None
    assert (answer["seq"], answer["searched"], answer["cursor"]) == (shadow.current.seq, 2, None)
    for mode in ("files", "count"):
        answer = (await api.post("/shadow/search", {"pattern": "a", "mode": mode})).json()
        assert answer["files"] == [
            {"path": "README.md", "count": 1, "lines": []},
            {"path": "src/main.py", "count": 1, "lines": []},
        ]


async def test_bytes_that_are_not_utf8_are_told_besides(start: Start, project: Path) -> None:
    (project / os.fsdecode(b"n\xff.txt")).write_bytes(b"caf\xe9 ahoy\n")
    api = await start()
    (file,) = (await api.post("/shadow/search", {"pattern": "ahoy", "globs": ["*.txt"]})).json()["files"]
    assert (file["path"], base64.b64decode(file["path_b64"])) == ("n\ufffd.txt", b"n\xff.txt")
    (line,) = file["lines"]
    assert (line["text"], base64.b64decode(line["text_b64"])) == ("caf\ufffd ahoy", b"caf\xe9 ahoy")


async def test_pages(api: Api) -> None:
    first = (await api.post("/shadow/search", {"pattern": ".", "max_matches": 1})).json()
    assert first["truncated"]
    again = {"pattern": ".", "max_matches": 5, "cursor": first["cursor"]}
    second = (await api.post("/shadow/search", again)).json()
    found = [file["path"] for page in (first, second) for file in page["files"]]
    assert found == ["README.md", "src/main.py"]


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"pattern": "("}, 422, "missing )"),
        ({"pattern": ""}, 422, "wrong shape"),
        ({}, 422, "pattern"),
        ({"pattern": "a", "multiline": True}, 422, "multiline"),
        ({"pattern": "a", "globs": ["{a"]}, 422, "without its"),
        ({"pattern": "a", "types": ["cobol"]}, 422, "no file type"),
        ({"pattern": "a", "cursor": "x"}, 422, "cursor"),
        ({"pattern": "a", "timeout_seconds": 31}, 422, "timeout_seconds"),
        ({"pattern": "a", "path": "/etc"}, 400, "absolute"),
        ({"pattern": "a", "path": "gone"}, 404, "holds no 'gone'"),
        ({"pattern": "a", "at": "999999"}, 404, "no event"),
        ({"pattern": "a", "at": "2020-13-01"}, 422, "2020-13-01"),
    ],
)
async def test_refusals(api: Api, body: dict[str, Any], status: int, reason: str) -> None:
    assert reason in (await api.post("/shadow/search", body)).problem(status).detail


async def test_everybody_who_reads_may_search(api: Api) -> None:
    observer = api.token("otto", Role.OBSERVER)
    assert (await api.post("/shadow/search", {"pattern": "ahoy"}, token=observer)).status == 200
    (await api.post("/shadow/search", {"pattern": "ahoy"}, token=None)).problem(401)


async def test_others_are_answered_while_searches_run(start: Start, project: Path) -> None:
    (project / "large.txt").write_bytes(b"some line of text\n" * 500_000)
    api = await start()
    slow = {"pattern": "(s|o|m|e)+ .*q", "mode": "count", "timeout_seconds": 20}
    searches = [asyncio.create_task(api.post("/shadow/search", slow)) for _ in range(4)]
    answered = 0
    while not all(task.done() for task in searches):
        assert (await api.get("/shadow/read/README.md")).status == 200
        answered += 1
    assert [(await task).json()["files"] for task in searches] == [[]] * 4
    assert answered > 10


async def test_a_bridge_that_stops_ends_its_searches(start: Start, project: Path) -> None:
    (project / "large.txt").write_bytes(b"line\n" * 2_000_000)
    api = await start()
    every = {"pattern": "line", "mode": "count", "timeout_seconds": 30}
    running = asyncio.create_task(api.post("/shadow/search", every))
    while not api.bridge.search._running:  # type: ignore[union-attr]
        await asyncio.sleep(0.001)
    await asyncio.wait_for(api.bridge.search.close(), 10)  # type: ignore[union-attr]
    assert (await running).json()["timed_out"]
