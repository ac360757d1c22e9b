"""The answer of nearly every route, 200 with JSON, put on the wire by a single write.

For each answer aiohttp looks for cookies, compression, chunks and ranges, none of which is ever in these.
That took longer than to judge a call again.
"""

from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.helpers import rfc822_formatted_time
from aiohttp.http import SERVER_SOFTWARE
from aiohttp.web_request import BaseRequest

HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
"""What every answer says, where it says nothing else there; and X-Request-Id."""

_TYPE = "application/json"
_FIXED = {"Content-Type": _TYPE, "Server": SERVER_SOFTWARE, **HEADERS}
_HEAD = b"HTTP/1.1 200 OK\r\n" + "".join(f"{name}: {value}\r\n" for name, value in _FIXED.items()).encode()


class Encoded(web.Response):
    """`encoded` as an answer to the request `request_id`."""

    def __init__(self, encoded: bytes, request_id: str) -> None:
        super().__init__(body=encoded, content_type=_TYPE)
        self._encoded = encoded
        self._request_id = request_id
        self._sent = False

    @property
    def prepared(self) -> bool:
        return self._sent or super().prepared

    @property
    def keep_alive(self) -> bool | None:
        return True if self._sent else super().keep_alive

    async def prepare(self, request: BaseRequest) -> AbstractStreamWriter | None:
        if request.version != HttpVersion11 or not request.keep_alive:
            return await super().prepare(request)
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client went away")
        self._sent = True
        own = f"Date: {rfc822_formatted_time()}\r\nX-Request-Id: {self._request_id}\r\nContent-Length: "
        transport.write(b"%b%b%d\r\n\r\n%b" % (_HEAD, own.encode(), len(self._encoded), self._encoded))
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        if not self._sent:
            await super().write_eof(data)
