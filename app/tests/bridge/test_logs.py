"""The log: one JSON object a line, whatever is logged."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp.http_exceptions import BadStatusLine

from lighthouse.bridge import logs


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    root.handlers.clear()
    logs.configure("info", stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_holds_time_level_logger_message_and_extras(written: io.StringIO) -> None:
    logging.getLogger("lighthouse.x").info("it is %s", "so", extra={"status": 200})
    [line] = lines(written)
    assert line["ts"].endswith("Z")
    assert {**line, "ts": ""} == {
        "ts": "",
        "level": "info",
        "logger": "lighthouse.x",
        "msg": "it is so",
        "status": 200,
    }


def test_a_request_is_named(written: io.StringIO) -> None:
    token = logs.REQUEST_ID.set("r-1")
    logging.getLogger("x").warning("w")
    logs.REQUEST_ID.reset(token)
    logging.getLogger("x").warning("w")
    assert [line.get("request_id") for line in lines(written)] == ["r-1", None]


def test_exceptions_and_strange_values_stay_on_one_line(written: io.StringIO) -> None:
    try:
        int("two\nlines")
    except ValueError:
        logging.getLogger("x").exception("bad \x00 \ud800 text", extra={"thing": object(), "raw": b"\xff"})
    [line] = lines(written)
    assert "two\\nlines" in line["exception"]


def test_what_is_not_http_is_told_in_a_line(written: io.StringIO) -> None:
    try:
        raise BadStatusLine("GET \xff")  # noqa: TRY301
    except BadStatusLine:
        logging.getLogger("aiohttp.server").exception("Error handling request")
    [line] = lines(written)
    assert line["level"] == "info"
    assert line["msg"].startswith("not HTTP: 400")
    assert "exception" not in line


def test_below_the_level_nothing_is_written(written: io.StringIO) -> None:
    logging.getLogger("x").debug("quiet")
    assert lines(written) == []
