"""`lighthouse hook` as a host starts it: whatever happens, a call is blocked unless the bridge allows it."""

import contextlib
import itertools
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lighthouse import hook

BEFORE = (
    b'{"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": "ls"}, "cwd": "/"}'
)
PROGRAM = [sys.executable, "-SI", str(Path(hook.__file__).with_name("hook_program.py"))]
OWN = b"X-Lighthouse-Hook: allow\r\n"
Ask = Callable[..., subprocess.CompletedProcess[bytes]]


def ok(body: bytes, head: bytes = OWN) -> bytes:
    return b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s" % (head, len(body), body)


class Server:
    """Says one thing to everybody, and remembers what it was asked last."""

    def __init__(self, listening: socket.socket) -> None:
        self.says = ok(b"{}")
        self.heard = b""
        self._listening = listening
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(10)
                heard = b""
                while b"\r\n\r\n" not in heard or len(heard.partition(b"\r\n\r\n")[2]) < _length(heard):
                    heard += connection.recv(65536)
                self.heard = heard
                connection.sendall(self.says)

    def close(self) -> None:
        # A thread in accept() is woken by this, and not by close alone.
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(15)


def _length(heard: bytes) -> int:
    return int(heard.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])


@pytest.fixture
def server() -> Iterator[Server]:
    listening = socket.create_server(("127.0.0.1", 0))
    made = Server(listening)
    made.url = f"http://127.0.0.1:{listening.getsockname()[1]}"  # type: ignore[attr-defined]
    yield made
    made.close()


@pytest.fixture
def ask(server: Server) -> Ask:
    """`ask(body, LIGHTHOUSE_X=…)`: one run of the program, as the installed hook starts it."""

    def run(body: bytes = BEFORE, *arguments: str, **env: str | None) -> subprocess.CompletedProcess[bytes]:
        told = {"LIGHTHOUSE_BRIDGE_URL": server.url, "LIGHTHOUSE_TOKEN": "a.b.c"} | env  # type: ignore[attr-defined]
        return subprocess.run(
            [*PROGRAM, *arguments],
            input=body,
            env={name: value for name, value in told.items() if value is not None},
            capture_output=True,
            timeout=30,
            check=False,
        )

    return run


def blocked(done: subprocess.CompletedProcess[bytes], why: str) -> None:
    assert done.returncode == 2, done
    assert done.stdout == b""
    told = done.stderr.decode()
    assert why in told
    assert told.count("\n") == 1
    assert "systemctl status lighthouse" in told
    assert "LIGHTHOUSE_HOOK_AWAY" in told


def test_an_answer_is_passed_on(server: Server, ask: Ask) -> None:
    server.says = ok(b'{"hookSpecificOutput":{"permissionDecision":"deny"}}')
    done = ask()
    assert (done.returncode, done.stdout) == (0, b'{"hookSpecificOutput":{"permissionDecision":"deny"}}')
    head, _, body = server.heard.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /hooks/claude-code HTTP/1.1\r\n")
    assert b"\r\nAuthorization: Bearer a.b.c\r\n" in head
    assert body == BEFORE


def test_a_path_before_the_route(server: Server, ask: Ask) -> None:
    assert ask(LIGHTHOUSE_BRIDGE_URL=server.url + "/shop/").returncode == 0  # type: ignore[attr-defined]
    assert server.heard.startswith(b"POST /shop/hooks/claude-code ")


def test_a_unix_socket(tmp_path: Path, ask: Ask) -> None:
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path / "s"))
    listening.listen()
    server = Server(listening)
    try:
        assert ask(LIGHTHOUSE_BRIDGE_URL=f"unix:{tmp_path}/s").stdout == b"{}"
    finally:
        server.close()


CHUNKED = b"HTTP/1.1 200 OK\r\n" + OWN + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "says",
    [
        CHUNKED + b"2\r\n{}\r\n0\r\n\r\n",
        CHUNKED + b'1;x=y\r\n{\r\n00A\r\n"a": "bcd"\r\n1\r\n}\r\n0\r\n\r\n',
        b"HTTP/1.1 100 Continue\r\n\r\n" + ok(b"{}"),
        ok(b"{}") + b"more than was announced",
    ],
)
def test_ways_to_answer(server: Server, ask: Ask, says: bytes) -> None:
    server.says = says
    done = ask()
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"{")
    assert done.stdout.endswith(b"}")


@pytest.mark.parametrize(
    ("says", "why"),
    [
        (b"", "broke off"),
        (b"HTTP/1.1 200 OK\r\n", "broke off"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "does not speak HTTP"),
        (ok(b"{}", b""), "not the bridge"),
        (ok(b"<html>"), "not the bridge"),
        (ok(b"", OWN), "not the bridge"),
        (ok(b"{}")[:-1], "broke off"),
        (b"HTTP/1.1 200 OK\r\n" + OWN + b"\r\n{}", "length"),
        (b"HTTP/1.1 200 OK\r\n" + OWN + b"Content-Length: 2\r\nContent-Length: 1\r\n\r\n{}", "malformed"),
        (b"HTTP/1.1 200 OK\r\n" + OWN + b"Content-Length: 9999999\r\n\r\n{}", "length"),
        (b"HTTP/1.1 200 OK\r\n" + OWN + b"Content-Length: -2\r\n\r\n{}", "length"),
        (CHUNKED + b"2\r\n{}\r\n", "broke off"),
        (CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n", "malformed"),
        (CHUNKED + b"2\r\n{}0\r\n\r\n", "malformed"),
        (CHUNKED.replace(b"chunked", b"gzip") + b"{}", "unknown way"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 40_000, "too large"),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", "answers 204"),
        (ok(b'{"detail": "the token is not accepted"}').replace(b"200 OK", b"401 No"), "is not accepted"),
        (ok(b"{}").replace(b"200 OK", b"302 Found"), "answers 302"),
        (ok(b"{}").replace(b"200 OK", b"503 Away"), "answers 503"),
    ],
)
def test_other_answers_block(server: Server, ask: Ask, says: bytes, why: str) -> None:
    server.says = says
    blocked(ask(), why)


def test_a_bridge_that_is_away_blocks(ask: Ask) -> None:
    blocked(ask(LIGHTHOUSE_BRIDGE_URL="http://127.0.0.1:1"), "no bridge answers at 127.0.0.1:1")
    blocked(ask(LIGHTHOUSE_BRIDGE_URL="unix:/nowhere/at/all"), "no bridge answers")
    blocked(ask(LIGHTHOUSE_BRIDGE_URL="http://no.such.host.invalid"), "no bridge answers")


def test_a_bridge_that_is_silent_blocks(ask: Ask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        blocked(ask(BEFORE, "--seconds", "1", LIGHTHOUSE_BRIDGE_URL=url), "in time")


def test_a_host_that_says_nothing_is_not_waited_for(server: Server) -> None:
    read, write = os.pipe()
    try:
        done = subprocess.run(
            [*PROGRAM, "--seconds", "1"],
            stdin=read,
            env={"LIGHTHOUSE_TOKEN": "x"},
            capture_output=True,
            timeout=30,
            check=False,
        )
    finally:
        os.close(read)
        os.close(write)
    blocked(done, "in time")


@pytest.mark.parametrize(
    "url",
    ["https://x", "localhost:8765", "http://", "http://x:port", "http://a b", "http://u@h", "http://h:99999"],
)
def test_what_is_no_address_blocks(ask: Ask, url: str) -> None:
    blocked(ask(LIGHTHOUSE_BRIDGE_URL=url), "is no address")


@pytest.mark.parametrize("arguments", [("--help",), ("--seconds", "0"), ("--seconds", "x"), ("more",)])
def test_wrong_usage_blocks(ask: Ask, arguments: tuple[str, ...]) -> None:
    blocked(ask(BEFORE, *arguments), "usage")


def test_no_input_and_too_much_block(ask: Ask) -> None:
    blocked(ask(b""), "nothing came")
    blocked(ask(b"x" * (hook.MOST_INPUT + 1)), "16 MiB")


def test_the_token_is_read_from_a_closed_file(server: Server, ask: Ask, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("from.a.file\n")
    file.chmod(0o600)
    told: dict[str, str | None] = {"LIGHTHOUSE_TOKEN": None, "LIGHTHOUSE_TOKEN_FILE": str(file)}
    assert ask(**told).returncode == 0
    assert b"Bearer from.a.file\r\n" in server.heard
    file.chmod(0o640)
    blocked(ask(**told), "chmod 600")
    file.chmod(0o600)
    file.write_text("two words")
    blocked(ask(**told), "no token")
    os.mkfifo(tmp_path / "pipe", 0o600)
    blocked(ask(**told | {"LIGHTHOUSE_TOKEN_FILE": str(tmp_path / "pipe")}), "no regular file")
    blocked(ask(**told | {"LIGHTHOUSE_TOKEN_FILE": str(tmp_path / "none")}), "cannot be read")
    blocked(ask(LIGHTHOUSE_TOKEN=None), "no token")
    blocked(ask(LIGHTHOUSE_TOKEN="x\r\nHost: y"), "no token")


def test_a_person_may_let_calls_pass_while_the_bridge_is_away(server: Server, ask: Ask) -> None:
    away = {"LIGHTHOUSE_HOOK_AWAY": "allow", "LIGHTHOUSE_BRIDGE_URL": "http://127.0.0.1:1"}
    done = ask(**away)
    assert done.returncode == 0
    assert b"systemMessage" in done.stdout
    assert b"not judged" in done.stdout
    blocked(ask(**away | {"LIGHTHOUSE_HOOK_AWAY": "1"}), "no bridge")
    # It is for a bridge that is away, not for a token that is wrong or for something else at its address.
    server.says = ok(b'{"detail": "no"}').replace(b"200 OK", b"401 No")
    blocked(ask(LIGHTHOUSE_HOOK_AWAY="allow"), "answers 401")
    server.says = ok(b"{}", b"")
    blocked(ask(LIGHTHOUSE_HOOK_AWAY="allow"), "not the bridge")
    server.says = ok(b'{"hookSpecificOutput":{"permissionDecision":"deny"}}')
    assert b"deny" in ask(LIGHTHOUSE_HOOK_AWAY="allow").stdout
    # Nor for one that waits for a person longer than the host does.
    with socket.create_server(("127.0.0.1", 0)) as slow:
        url = f"http://127.0.0.1:{slow.getsockname()[1]}"
        late = ask(BEFORE, "--seconds", "1", LIGHTHOUSE_BRIDGE_URL=url, LIGHTHOUSE_HOOK_AWAY="allow")
        blocked(late, "in time")


class Pieces:
    """A connection whose answer comes in pieces."""

    def __init__(self, parts: list[bytes]) -> None:
        self._parts = [part for part in parts if part]

    def recv(self, most: int) -> bytes:
        return self._parts.pop(0) if self._parts else b""


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.lists(st.integers(0, 400), max_size=5), st.booleans())
def test_an_answer_is_read_alike_in_any_pieces(body: bytes, cuts: list[int], chunked: bool) -> None:
    said = ok(body)
    if chunked:
        half = len(body) // 2
        parts = [part for part in (body[:half], body[half:]) if part]
        said = CHUNKED + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    at = [0, *sorted(cut for cut in cuts if cut < len(said)), len(said)]
    pieces = Pieces([said[start:end] for start, end in itertools.pairwise(at)])
    assert hook.receive(pieces)[2] == body  # type: ignore[arg-type]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_garbage_is_never_an_answer(said: bytes) -> None:
    with pytest.raises(hook.NoVerdict):
        hook.receive(Pieces([b"HTTP/1.1 200 OK\r\n" + said]))  # type: ignore[arg-type]


def test_it_loads_next_to_nothing() -> None:
    path = str(Path(hook.__file__).parents[1])
    script = f"import sys; sys.path.insert(0, {path!r}); before = set(sys.modules); import lighthouse.hook\n"
    script += "print(sorted(set(sys.modules) - before))"
    done = subprocess.run(
        [sys.executable, "-SIc", script],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    loaded = set(done.stdout.strip("[]\n").replace("'", "").split(", "))
    assert loaded <= {
        *("lighthouse", "lighthouse.hook", "_socket", "os", "stat", "_stat", "posixpath", "genericpath"),
        *("_collections_abc", "abc", "_abc", "io", "codecs", "os.path"),
    }
