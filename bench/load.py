"""Clients that send requests over HTTP, each on a connection of its own that is kept alive, all in one light process.

Plain sockets: on a small machine the clients share its cores with what is measured, and every contender is asked by
the same ones. Started by a case with a JSON object on standard input; answers one on standard output.
"""

import itertools
import select
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator

import msgspec

PATIENCE = 30.0


class Task(msgspec.Struct):
    """What to do: a client for each token, all taking the next of the `bodies`, again and again.

    Without a `rate` each sends its next request once it has the answer to the last one. With one, so many requests a
    second fall due, whatever became of those before: one that finds no client free waits for it, and its time counts.
    """

    address: str
    path: str
    tokens: list[str]
    bodies: list[str]
    seconds: float
    rate: float | None = None


class Done(msgspec.Struct):
    """How long each request took that was answered within the time, in seconds; `answered` counts all of them."""

    latencies: list[float]
    answered: int


class Refused(RuntimeError):
    """An answer other than 200."""


class Client:
    """One connection, and the request that is on its way."""

    def __init__(self, task: Task, token: str) -> None:
        self.socket = socket.create_connection(_host_port(task.address))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due = 0.0
        self._head = (
            f"POST {task.path} HTTP/1.1\r\nHost: {task.address}\r\nAuthorization: Bearer {token}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        ).encode()
        self._answer = b""
        self.answers = 0

    def send(self, body: bytes, due: float) -> None:
        """Send a request that was to be sent at `due`."""
        self.due = due
        self.socket.sendall(b"%b%d\r\n\r\n%b" % (self._head, len(body), body))

    def answered(self) -> bool:
        """Take what has come; whether the answer is whole. Raises Refused for one that is not 200."""
        data = self.socket.recv(65536)
        if not data:
            raise Refused("the connection was closed")
        self._answer += data
        length = _length(self._answer)
        if length is None or len(self._answer) < length:
            return False
        if not self._answer.startswith(b"HTTP/1.1 200 "):
            raise Refused(f"refused: {self._answer.decode(errors='replace')}")
        self._answer = b""
        self.answers += 1
        return True


def run(task: Task) -> Done:
    """Have a process of its own do the task."""
    command = [sys.executable, "-m", "bench.load"]
    done = subprocess.run(command, input=msgspec.json.encode(task), stdout=subprocess.PIPE, check=True)
    return msgspec.json.decode(done.stdout, type=Done)


def _host_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host, int(port)


def _length(answer: bytes) -> int | None:
    """Bytes of the whole answer; None while its head is not there."""
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return None
    at = answer.find(b"Content-Length: ", 0, end)
    if at < 0:
        raise RuntimeError("an answer without its length")
    return end + 4 + int(answer[at + 16 : answer.index(b"\r\n", at)])


def _closed(task: Task, clients: dict[int, Client], bodies: Iterator[bytes]) -> Iterator[float]:
    """The times of a closed loop: what is answered after the end does not count."""
    until = time.perf_counter() + task.seconds
    for client in clients.values():
        client.send(next(bodies), time.perf_counter())
    busy = set(clients)
    while busy:
        for number in _ready(busy, PATIENCE):
            client = clients[number]
            if not client.answered():
                continue
            now = time.perf_counter()
            if now > until:
                busy.remove(number)
            else:
                yield now - client.due
                client.send(next(bodies), now)


def _open(task: Task, rate: float, clients: dict[int, Client], bodies: Iterator[bytes]) -> Iterator[float]:
    """The times of an open loop, each from the moment when the request fell due; all are waited for."""
    began = time.perf_counter()
    dues = deque(began + number / rate for number in range(int(rate * task.seconds)))
    free, busy = deque(clients), set[int]()
    while dues or busy:
        now = time.perf_counter()
        while dues and free and dues[0] <= now:
            number = free.popleft()
            busy.add(number)
            clients[number].send(next(bodies), dues.popleft())
        # `select`, for `epoll` sleeps whole milliseconds only.
        for number in _ready(busy, max(0.0, dues[0] - now) if dues and free else PATIENCE):
            if clients[number].answered():
                yield time.perf_counter() - clients[number].due
                busy.remove(number)
                free.append(number)


def _ready(numbers: set[int], seconds: float) -> list[int]:
    ready: list[int] = select.select(numbers, (), (), seconds)[0]
    if not ready and seconds == PATIENCE:
        raise Refused(f"no answer for {PATIENCE:g} s")
    return ready


def main() -> None:
    """Read the task, do it, tell what was done."""
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    clients = {client.socket.fileno(): client for client in (Client(task, token) for token in task.tokens)}
    bodies = itertools.cycle([body.encode() for body in task.bodies])
    loop = _closed(task, clients, bodies) if task.rate is None else _open(task, task.rate, clients, bodies)
    done = Done(list(loop), sum(client.answers for client in clients.values()))
    sys.stdout.buffer.write(msgspec.json.encode(done))


if __name__ == "__main__":
    main()
