"""The log: one JSON object per line on stdout, for journald, with the request's id where there is one."""

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TextIO

import msgspec
from aiohttp.http_exceptions import HttpProcessingError

from lighthouse.events.event import timestamp

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """`{"ts", "level", "logger", "msg", "request_id"?, "exception"?, …extra}`; never more than one line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "ts": timestamp(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "msg": record.getMessage(),
        }
        if (request_id := REQUEST_ID.get()) is not None:
            line["request_id"] = request_id
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        try:
            return msgspec.json.encode(line, enc_hook=str).decode()
        except UnicodeEncodeError:
            # A name that is not UTF-8 came in as lone surrogates; escaped, it is at least told.
            return json.dumps(line, default=str)


class Brief(logging.Filter):
    """What a client sent that is not HTTP is told in a line: a traceback would let it fill the journal."""

    def filter(self, record: logging.LogRecord) -> bool:
        kind, error = record.exc_info[:2] if record.exc_info else (None, None)
        if kind is not None and issubclass(kind, HttpProcessingError):
            record.levelno, record.levelname, record.exc_info = logging.INFO, "INFO", None
            record.msg, record.args = "not HTTP: %s", (" ".join(str(error).split())[:200],)
        return True


def configure(level: str, stream: TextIO = sys.stdout) -> None:
    """Send the log of the whole process to `stream`, from `level` ("info") on."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(True)
    server = logging.getLogger("aiohttp.server")
    server.filters[:] = [Brief()]
