"""The probe as a program, against real Unix sockets that answer well, badly, nonsense or nothing."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lighthouse.bridge.probe import describe

Serve = Callable[[bytes], Path]

WELL = {"status": "ok", "components": {"mount": {"status": "ok", "detail": "serving"}}}
ILL = {
    "status": "failed",
    "components": {
        "event_store": {"status": "failed", "detail": "no\nroom"},
        "mount": {"status": "ok", "detail": "serving"},
        "policy": {"status": "absent", "detail": ""},
    },
}


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Answers one connection on a Unix socket with the given bytes."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(tmp_path / "health"))
    listener.listen()
    threads: list[threading.Thread] = []

    def start(answer: bytes) -> Path:
        def work() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        threads.append(threading.Thread(target=work))
        threads[-1].start()
        return tmp_path / "health"

    yield start
    for thread in threads:
        thread.join(10)
    listener.close()


def http(status: str, body: object) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n\r\n{json.dumps(body)}".encode()


def probe(*arguments: str, **env: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "lighthouse.bridge.probe", *arguments]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=30, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_a_bridge_that_is_well_is_exit_0(serve: Serve) -> None:
    path = serve(http("200 OK", WELL))
    assert probe(LIGHTHOUSE_HEALTH_SOCKET=str(path)) == (0, "ok (200)\n")


def test_a_bridge_that_is_not_is_exit_1_with_the_reason_in_one_line(serve: Serve) -> None:
    path = serve(http("503 Service Unavailable", ILL))
    assert probe(str(path)) == (1, "failed (503); event_store failed (no room)\n")


@pytest.mark.parametrize("answer", [b"", b"hello\r\n\r\n", b"HTTP/1.1 what\r\n\r\n"])
def test_what_is_no_bridge_is_exit_1(serve: Serve, answer: bytes) -> None:
    code, said = probe(str(serve(answer)))
    assert code == 1
    assert said.startswith("no answer from")
    assert said.count("\n") == 1


def test_no_socket_is_exit_1(tmp_path: Path) -> None:
    for arguments in ([], [str(tmp_path / "none")]):
        code, said = probe(*arguments)
        assert code == 1
        assert said.count("\n") == 1


@pytest.mark.parametrize("body", [b"", b"[]", b'"x"', b"{}", b'{"status": "ok", "components": []}', b"\xff"])
def test_a_body_that_is_no_report_is_told_as_such(body: bytes) -> None:
    assert describe(200, body) == "answered 200 with something that is not a health report"


def test_it_needs_nothing_but_the_standard_library() -> None:
    code = (
        "import sys; before = set(sys.modules); import lighthouse.bridge.probe;"
        "new = set(sys.modules) - before;"
        "print(sorted(name for name in new if name.split('.')[0] not in sys.stdlib_module_names))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    ).stdout
    assert said.strip() == "['lighthouse', 'lighthouse.bridge', 'lighthouse.bridge.probe']"
