"""Reading the project as captured: bytes, folders, links, the past, ranges, and paths that lead astray."""

import asyncio
import base64
import hashlib
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.bridge.conftest import Api, Start
from tests.conftest import WaitFor


async def raw_get(api: Api, target: str | bytes) -> tuple[int, bytes]:
    """GET with the request target exactly as given, which no client library would send."""
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    line = target.encode() if isinstance(target, str) else target
    writer.write(b"GET %b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" % line)
    writer.write(f"Authorization: Bearer {api.ann}\r\n\r\n".encode())
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), body


async def test_a_file_is_its_bytes_with_version_and_hash(api: Api) -> None:
    answer = await api.get("/shadow/read/src/main.py")
    assert (answer.status, answer.body) == (200, b"print('ahoy')\n")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["ETag"] == f'"{hashlib.sha256(answer.body).hexdigest()}"'
    assert int(answer.headers["X-Lighthouse-Seq"]) == api.bridge.shadow.current.seq  # type: ignore[union-attr]
    assert "X-Lighthouse-Mark" not in answer.headers


@pytest.mark.parametrize("path", ["", ".", "./"])
async def test_the_root_is_a_folder(api: Api, path: str) -> None:
    folder = (await api.get(f"/shadow/read/{path}")).json()
    assert (folder["kind"], folder["path"]) == ("folder", "")
    assert [(entry["name"], entry["kind"]) for entry in folder["entries"]] == [
        ("README.md", "file"),
        ("src", "folder"),
    ]
    assert folder["entries"][0] | {"mtime": ""} == {
        "name": "README.md",
        "kind": "file",
        "size": 10,
        "mode": "0644",
        "mtime": "",
        "hash": hashlib.sha256(b"# Harbour\n").hexdigest(),
    }


async def test_links_are_told_and_not_followed(start: Start, project: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret")
    (project / "in").symlink_to("src/main.py")
    (project / "out").symlink_to("../outside")
    (project / "abs").symlink_to("/etc/passwd")
    api = await start()
    for name, target in (("in", "src/main.py"), ("out", "../outside"), ("abs", "/etc/passwd")):
        link = (await api.get(f"/shadow/read/{name}")).json()
        assert (link["kind"], link["path"], link["target"]) == ("symlink", name, target)
    (await api.get("/shadow/read/out/secret")).problem(404)


async def test_the_past_is_read_by_sequence_number(api: Api, project: Path, wait_for: WaitFor) -> None:
    before = int((await api.get("/shadow/read/README.md")).headers["X-Lighthouse-Seq"])
    (project / "README.md").write_text("# Lighthouse\n")

    async def changed() -> bool:
        return (await api.get("/shadow/read/README.md")).body == b"# Lighthouse\n"

    await wait_for(changed)
    past = await api.get(f"/shadow/read/README.md?at={before}")
    assert (past.body, past.headers["X-Lighthouse-Seq"]) == (b"# Harbour\n", str(before))
    assert (await api.get(f"/shadow/read/?at={before}")).json()["seq"] == before


@pytest.mark.parametrize(
    ("at", "status"),
    [
        ("0", 404),
        ("99999", 404),
        ("2001-01-01T00:00:00Z", 404),
        ("2999-01-01T00:00:00Z", 404),
        ("nobody", 404),
        ("2026-11-23", 422),
        ("-1", 422),
        ("", 422),
    ],
)
async def test_a_version_that_is_none(api: Api, at: str, status: int) -> None:
    (await api.get(f"/shadow/read/README.md?at={at}")).problem(status)


@pytest.mark.parametrize(
    "target",
    [
        "/shadow/read/../../etc/passwd",
        "/shadow/read/src/../README.md",
        "/shadow/read/%2e%2e/%2e%2e/etc/passwd",
        "/shadow/read/src/%2e%2e",
        "/shadow/read/..%2fetc%2fpasswd",
        "/shadow/read//etc/passwd",
        "/shadow/read/%2Fetc/passwd",
        "/shadow/read/a%00b",
        "/shadow/read/" + "a" * 256,
        "/shadow/read/" + "a/" * 2100,
    ],
)
async def test_a_path_that_leaves_the_project_or_cannot_be_is_400(api: Api, target: str) -> None:
    status, body = await raw_get(api, target)
    assert status == 400
    assert b"root:" not in body


@pytest.mark.parametrize(
    "target",
    ["/shadow/read/none", "/shadow/read/src/none/x", "/shadow/read/README.md/x", "/shadow/read/%252e%252e"],
)
async def test_what_is_not_there_is_404(api: Api, target: str) -> None:
    assert (await raw_get(api, target))[0] == 404


@pytest.mark.parametrize(
    "name", [b"caf\xe9", b"\xff\xfe", "café".encode(), b"a b", b"100%", b"a+b", b"q?#&=", b"\\x\n"]
)
async def test_names_of_any_bytes_are_found_and_listed(start: Start, project: Path, name: bytes) -> None:
    (Path(os.fsdecode(os.fsencode(project) + b"/" + name))).write_bytes(b"found")
    api = await start()
    assert (await api.get(f"/shadow/read/{quote(name)}")).body == b"found"
    entries = (await api.get("/shadow/read/")).json()["entries"]
    names = [base64.b64decode(e["name_b64"]) if "name_b64" in e else e["name"].encode() for e in entries]
    assert name in names


async def test_bytes_that_no_url_may_hold_are_400(api: Api) -> None:
    for target in (b"/shadow/read/caf\xe9", b"/shadow/read/a\0b"):
        assert (await raw_get(api, target))[0] == 400


async def test_a_file_over_the_limit_says_so(start: Start, project: Path) -> None:
    (project / "big").write_bytes(b"x" * 2000)
    api = await start(max_file_bytes=1000)
    answer = await api.get("/shadow/read/big")
    assert answer.headers["X-Lighthouse-Mark"] == "too_large"
    assert answer.body == b"lighthouse: not captured: 2000 bytes, over the limit of 1000\n"
    assert "1 problem" in (await api.get("/status")).json()["summary"]


async def test_a_large_file_arrives_whole_and_in_parts(start: Start, project: Path) -> None:
    content = os.urandom(3 * 1024 * 1024 + 17)
    (project / "large").write_bytes(content)
    api = await start()
    assert (await api.get("/shadow/read/large")).body == content
    answer = await api.get("/shadow/read/large", headers={"Range": "bytes=1000000-2999999"})
    assert (answer.status, answer.body) == (206, content[1_000_000:3_000_000])
    assert answer.headers["Content-Range"] == f"bytes 1000000-2999999/{len(content)}"


@pytest.mark.parametrize(
    ("asked", "status", "got"),
    [
        ("bytes=0-3", 206, b"0123"),
        ("bytes=4-", 206, b"456789"),
        ("bytes=-3", 206, b"789"),
        ("bytes=-99", 206, b"0123456789"),
        ("bytes=8-99", 206, b"89"),
        ("bytes=0-0,2-3", 200, b"0123456789"),
        ("bytes=5-2", 200, b"0123456789"),
        ("bytes=-", 200, b"0123456789"),
        ("lines=1-2", 200, b"0123456789"),
    ],
)
async def test_ranges(start: Start, project: Path, asked: str, status: int, got: bytes) -> None:
    (project / "digits").write_bytes(b"0123456789")
    api = await start()
    answer = await api.get("/shadow/read/digits", headers={"Range": asked})
    assert (answer.status, answer.body) == (status, got)


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=11-12", "bytes=-0"])
async def test_a_range_past_the_end_is_416(start: Start, project: Path, asked: str) -> None:
    (project / "digits").write_bytes(b"0123456789")
    api = await start()
    answer = await api.get("/shadow/read/digits", headers={"Range": asked})
    answer.problem(416)
    assert answer.headers["Content-Range"] == "bytes */10"
    assert "X-Lighthouse-Seq" in answer.headers


async def test_an_empty_file_is_empty(start: Start, project: Path) -> None:
    (project / "empty").touch()
    api = await start()
    assert (await api.get("/shadow/read/empty")).body == b""


async def test_what_the_caller_has_already_is_not_sent_again(api: Api) -> None:
    etag = (await api.get("/shadow/read/README.md")).headers["ETag"]
    again = await api.get("/shadow/read/README.md", headers={"If-None-Match": etag})
    assert (again.status, again.body) == (304, b"")
    other: dict[str, Any] = {"If-Range": '"other"', "Range": "bytes=0-1"}
    assert (await api.get("/shadow/read/README.md", headers=other)).status == 200
