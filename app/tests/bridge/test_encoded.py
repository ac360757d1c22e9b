"""JSON answers on the wire: whole, with their headers, for clients that stay and for those that do not."""

import asyncio
import json

import pytest

from tests.bridge.conftest import Api

PATIENCE = 10.0


async def said(api: Api, raw: bytes, answers: int) -> list[tuple[bytes, dict[str, str], bytes]]:
    """The answers to what is sent at once: status line, headers, body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    found = []
    try:
        writer.write(raw)
        async with asyncio.timeout(PATIENCE):
            for _ in range(answers):
                status, *lines = (await reader.readuntil(b"\r\n\r\n"))[:-4].split(b"\r\n")
                headers = dict(line.decode().split(": ", 1) for line in lines)
                assert len(headers) == len(lines)
                found.append((status, headers, await reader.readexactly(int(headers["Content-Length"]))))
    finally:
        writer.close()
    return found


def health(version: str = "1.1", *headers: str) -> bytes:
    return "\r\n".join([f"GET /health HTTP/{version}", "Host: localhost", *headers, "", ""]).encode()


async def test_an_answer_is_whole_and_says_what_every_answer_says(api: Api) -> None:
    [(status, headers, body)] = await said(api, health("1.1", "X-Request-Id: mine"), 1)
    assert status == b"HTTP/1.1 200 OK"
    assert json.loads(body)["status"] == "ok"
    assert headers.keys() > {"Date", "Server"}
    assert headers.items() > {
        ("Content-Type", "application/json"),
        ("X-Content-Type-Options", "nosniff"),
        ("Cache-Control", "no-store"),
        ("X-Request-Id", "mine"),
    }


async def test_answers_follow_each_other_on_one_connection(api: Api) -> None:
    asked = [health("1.1", f"X-Request-Id: n{number}") for number in range(20)]
    answers = await said(api, b"".join(asked), 20)
    assert [headers["X-Request-Id"] for _, headers, _ in answers] == [f"n{number}" for number in range(20)]


@pytest.mark.parametrize(
    "request_line", [health("1.1", "Connection: close"), health("1.0")], ids=["asked to close", "HTTP/1.0"]
)
async def test_a_client_that_goes_gets_its_answer_and_the_end(api: Api, request_line: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    try:
        writer.write(request_line)
        async with asyncio.timeout(PATIENCE):
            answer = await reader.read()
    finally:
        writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split(b" ")[1] == b"200"
    assert b"X-Content-Type-Options: nosniff" in head
    assert json.loads(body)["status"] == "ok"
