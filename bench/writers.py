"""Clients that store events over HTTP: a connection for each, kept alive, the next request after each answer.

They run in processes of their own and are light, for on a small machine they share its cores with what is measured.
Started by the case http with a JSON object on standard input; answers one on standard output.
"""

import asyncio
import json
import sys
import time
from functools import partial
from typing import cast

import msgspec


class Task(msgspec.Struct):
    """What one process is to do: a client for each token, each event with `data`, `batch` of them in a request."""

    host: str
    port: int
    tokens: list[str]
    begin_at: float
    seconds: float
    batch: int
    data: dict[str, object]


class Done(msgspec.Struct):
    """What it did within the time; `slowest` request in seconds."""

    events: int
    requests: int
    slowest: float


class Writer(asyncio.Protocol):
    """One client. Its future `ended` is done when its time is over, or failed with what went wrong."""

    def __init__(self, task: Task, token: str, done: Done) -> None:
        event = {"type": "tool.used", "data": task.data}
        body = json.dumps(event if task.batch == 1 else {"events": [event] * task.batch}).encode()
        head = (
            f"POST /event/store HTTP/1.1\r\nHost: {task.host}:{task.port}\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._request = head.encode() + body
        self._task = task
        self._done = done
        self._answer = bytearray()
        self._sent = 0.0
        self._until = 0.0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def begin(self) -> None:
        """Send requests from now on, for the task's time."""
        self._until = time.perf_counter() + self._task.seconds
        self._send()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        length = _length(self._answer)
        if length is None or len(self._answer) < length:
            return
        now = time.perf_counter()
        if not self._answer.startswith(b"HTTP/1.1 200 "):
            self._fail(RuntimeError(f"refused: {self._answer.decode(errors='replace')}"))
            return
        del self._answer[:length]
        self._done.slowest = max(self._done.slowest, now - self._sent)
        if now > self._until:
            self._transport.close()
            return
        # What is answered after the time does not count.
        self._done.requests += 1
        self._done.events += self._task.batch
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(self._request)

    def _fail(self, error: Exception) -> None:
        if not self.ended.done():
            self.ended.set_exception(error)
        self._transport.abort()


def _length(answer: bytearray) -> int | None:
    """Bytes of the whole answer; None while its head is not there."""
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return None
    for line in answer[:end].split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return end + 4 + int(value)
    raise RuntimeError("an answer without its length")


def _itself(writer: Writer) -> Writer:
    return writer


async def _write(task: Task) -> Done:
    done = Done(0, 0, 0.0)
    loop = asyncio.get_running_loop()
    writers = [Writer(task, token, done) for token in task.tokens]
    for writer in writers:
        await loop.create_connection(partial(_itself, writer), task.host, task.port)
    await asyncio.sleep(max(0.0, task.begin_at - time.time()))
    for writer in writers:
        writer.begin()
    await asyncio.gather(*(writer.ended for writer in writers))
    return done


def main() -> None:
    """Read the task, do it, tell what was done."""
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(_write(task))))


if __name__ == "__main__":
    main()
