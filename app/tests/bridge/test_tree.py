"""`GET /shadow/tree/{path}`: all of a version, in order, in pages that belong together."""

import base64
import os
from pathlib import Path

import pytest

from tests.bridge.conftest import Api


@pytest.fixture
async def wooded(api: Api, project: Path) -> Api:
    for name in ("a/b/c", "a/b.c", "a-b", "z"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(name)
    (project / "a" / "link").symlink_to("b.c")
    (project / os.fsdecode(b"\xff")).mkdir()
    await api.post("/shadow/update", {})
    return api


async def every(api: Api, query: str, limit: int) -> list[dict[str, str]]:
    entries: list[dict[str, str]] = []
    more = ""
    while True:
        page = (
            await api.get(f"/shadow/tree/{query}{'&' if '?' in query else '?'}limit={limit}{more}")
        ).json()
        assert 0 < len(page["entries"]) <= limit
        entries += page["entries"]
        if page["next_cursor"] is None:
            return entries
        more = f"&cursor={page['next_cursor']}"


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 1000])
async def test_pages_of_any_size_make_the_whole(wooded: Api, limit: int) -> None:
    found = await every(wooded, "", limit)
    names = [base64.b64decode(e["path_b64"]) if "path_b64" in e else e["path"].encode() for e in found]
    assert names == sorted(names, key=lambda name: name.split(b"/"))
    assert [name for name in names if not name.startswith((b"README", b"src"))] == [
        b"a", b"a/b", b"a/b/c", b"a/b.c", b"a/link", b"a-b", b"z", b"\xff",
    ]  # fmt: skip
    link = next(entry for entry in found if entry["path"] == "a/link")
    assert (link["kind"], link["target"]) == ("symlink", "b.c")


async def test_beneath_a_folder_and_a_file_alone(wooded: Api) -> None:
    assert [entry["path"] for entry in await every(wooded, "a/b", 1)] == ["a/b", "a/b/c"]
    assert [entry["path"] for entry in await every(wooded, "z", 1)] == ["z"]


async def test_a_version_stays_while_pages_are_taken(wooded: Api, project: Path) -> None:
    first = (await wooded.get("/shadow/tree/?limit=3")).json()
    (project / "z").unlink()
    await wooded.post("/shadow/update", {})
    rest = (await wooded.get(f"/shadow/tree/?at={first['seq']}&cursor={first['next_cursor']}")).json()
    assert "z" in [entry["path"] for entry in rest["entries"]]
    assert rest["root"] == first["root"]


@pytest.mark.parametrize(
    ("query", "status"),
    [("none", 404), ("..", 400), ("?cursor=!", 422), ("?at=nobody", 404), ("?limit=0", 422)],
)
async def test_what_is_refused(wooded: Api, query: str, status: int) -> None:
    (await wooded.get(f"/shadow/tree/{query.replace('..', '%2e%2e')}")).problem(status)
