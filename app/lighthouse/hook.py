"""`lighthouse hook`: asks the bridge about one tool call, for hosts that start a program for each.

It is started for every call, so it loads next to nothing: `socket` or `json` would each double Python's own
start. Exit 0 with the bridge's answer on standard output, or exit 2 and a line that says why it is blocked.
"""

import _signal  # type: ignore[import-not-found]
import _socket
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

DEFAULT_URL = "http://localhost:8765"
PATH = "/hooks/claude-code"
# The bridge puts it on every answer of that route. Whatever else answers 200 at its address is not believed.
HEADER = b"x-lighthouse-hook"
CONNECT_SECONDS = 5.0
DEFAULT_SECONDS = 320
MOST_INPUT = 16 * 1024 * 1024
MOST_HEAD = 64 * 1024
MOST_ANSWER = 1024 * 1024
MOST_TOKEN = 16 * 1024
OVERRIDE = "LIGHTHOUSE_HOOK_AWAY"
UNJUDGED = b'{"systemMessage": "Lighthouse is away: calls are not judged (LIGHTHOUSE_HOOK_AWAY=allow)"}'
USAGE = "usage: lighthouse hook [--seconds N] <hook.json"


class NoVerdict(Exception):
    """Why there is none. `away`: the bridge is not there, or not well; nothing is wrong with the asker."""

    def __init__(self, reason: str, *, away: bool = False) -> None:
        super().__init__(reason)
        self.away = away


def main(arguments: list[str] | None = None) -> None:
    """The program; does not return."""
    code = 2
    try:
        code = run(sys.argv[2:] if arguments is None else arguments)
    except BaseException as error:
        # Every other exit code than 2 lets the call through, so nothing may end this by itself.
        _blocked(f"{type(error).__name__}: {error}")
    finally:
        # What Python does at an exit takes longer than all the rest, and nothing here waits for it.
        os._exit(code)


def run(arguments: list[str]) -> int:
    """Ask, and print what came of it; the exit code."""
    try:
        seconds = _seconds(arguments)
        _signal.signal(_signal.SIGALRM, _too_late)
        _signal.alarm(seconds)
        answer = ask(_input(), os.environ)
        _signal.alarm(0)
    except NoVerdict as error:
        if error.away and os.environ.get(OVERRIDE) == "allow":
            _write(
                1,
                b'{"systemMessage": "Lighthouse is away: this call is not judged ('
                + OVERRIDE.encode()
                + b')"}',
            )
            return 0
        _blocked(str(error))
        return 2
    _write(1, answer)
    return 0


def ask(body: bytes, env: "Mapping[str, str]") -> bytes:
    """The bridge's answer to a hook's JSON, which is JSON itself. Raises NoVerdict."""
    target, host, prefix = _address(env.get("LIGHTHOUSE_BRIDGE_URL") or DEFAULT_URL)
    head = (
        f"POST {prefix}{PATH} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {_token(env)}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    try:
        connection = _connected(target)
    except OSError as error:
        raise NoVerdict(f"no bridge answers at {host} ({error.strerror or error})", away=True) from error
    try:
        connection.sendall(head.encode("latin-1") + body)
        status, headers, content = receive(connection)
    except OSError as error:
        raise NoVerdict(f"the bridge at {host} broke off ({error.strerror or error})", away=True) from error
    finally:
        connection.close()
    if status != 200:
        raise NoVerdict(_problem(status, content), away=status >= 500)
    if HEADER not in headers or not (content.startswith(b"{") and content.endswith(b"}")):
        raise NoVerdict(f"what answers at {host} is not the bridge")
    return content


def receive(connection: "_socket.socket") -> tuple[int, dict[bytes, bytes], bytes]:
    """Status, headers (names in lower case) and content of one HTTP/1.1 answer. Raises NoVerdict, OSError."""
    data = b""
    while True:
        while b"\r\n\r\n" not in data:
            data = _more(connection, data, MOST_HEAD)
        head, _, data = data.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        version, _, rest = first.partition(b" ")
        number = rest[:3]
        if not version.startswith(b"HTTP/1.") or not number.isdigit() or rest[3:4] not in (b"", b" "):
            raise NoVerdict("what answers does not speak HTTP")
        status = int(number)
        if status >= 200:
            break
    headers: dict[bytes, bytes] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        name = name.lower()
        if not colon or (name in headers and name in (b"content-length", b"transfer-encoding")):
            raise NoVerdict("the answer's head is malformed")
        headers[name] = value.strip()
    if b"transfer-encoding" in headers:
        return status, headers, _chunks(connection, data, headers)
    length = headers.get(b"content-length", b"")
    if not length.isdigit() or len(length) > 9 or int(length) > MOST_ANSWER:
        # Without a length a cut answer would look like a whole one.
        raise NoVerdict("the answer's length is not told, or too large")
    while len(data) < int(length):
        data = _more(connection, data, MOST_ANSWER)
    return status, headers, data[: int(length)]


def _chunks(connection: "_socket.socket", data: bytes, headers: dict[bytes, bytes]) -> bytes:
    if headers[b"transfer-encoding"].lower() != b"chunked" or b"content-length" in headers:
        raise NoVerdict("the answer is encoded in an unknown way")
    content = b""
    while True:
        while b"\r\n" not in data:
            data = _more(connection, data, MOST_ANSWER)
        line, _, data = data.partition(b"\r\n")
        digits = line.partition(b";")[0].strip()
        if not digits or len(digits) > 6 or digits.strip(b"0123456789abcdefABCDEF"):
            raise NoVerdict("the answer's chunks are malformed")
        size = int(digits, 16)
        if size == 0:
            return content
        while len(data) < size + 2:
            data = _more(connection, data, MOST_ANSWER + MOST_HEAD)
        if data[size : size + 2] != b"\r\n" or len(content) + size > MOST_ANSWER:
            raise NoVerdict("the answer's chunks are malformed, or too large")
        content += data[:size]
        data = data[size + 2 :]


def _more(connection: "_socket.socket", data: bytes, most: int) -> bytes:
    part = connection.recv(65536)
    if not part:
        raise NoVerdict("the bridge broke off in the middle of its answer", away=True)
    if len(data) + len(part) > most + 65536:
        raise NoVerdict("the answer is too large")
    return data + part


def _address(url: str) -> "tuple[str | tuple[str, int], str, str]":
    """Where to connect (a Unix socket, or host and port), what to call it, and what the path begins with."""
    if url.startswith("unix:"):
        return "/" + url.removeprefix("unix:").lstrip("/"), "lighthouse", ""
    scheme, _, rest = url.partition("://")
    place, slash, prefix = rest.rstrip("/").partition("/")
    host, port = place, "80"
    if not place.endswith("]") and ":" in place:
        host, _, port = place.rpartition(":")
    plain = url.isascii() and url.isprintable() and not set(" @?#") & set(url)
    if scheme != "http" or not host or not port.isdigit() or int(port) > 65535 or not plain:
        raise NoVerdict(f"LIGHTHOUSE_BRIDGE_URL is no address: write {DEFAULT_URL} or unix:/path/of/a/socket")
    return (host.strip("[]"), int(port)), place, slash + prefix


def _connected(target: "str | tuple[str, int]") -> "_socket.socket":
    """A connection to the first address that takes one. Raises OSError."""
    if isinstance(target, str):
        places: list[tuple[int, Any]] = [(_socket.AF_UNIX, target)]
    else:
        # As bytes: for text it would load the tables of international names, which takes as long as all else.
        found = _socket.getaddrinfo(target[0].encode(), target[1], 0, _socket.SOCK_STREAM)
        places = [(family, address) for family, _, _, _, address in found]
    last = OSError("it has no address")
    for family, address in places:
        connection = _socket.socket(family, _socket.SOCK_STREAM)
        try:
            connection.settimeout(CONNECT_SECONDS)
            connection.connect(address)
            # From here on the alarm bounds it: a person may take minutes to answer.
            connection.settimeout(None)
        except OSError as error:
            connection.close()
            last = error
        else:
            return connection
    raise last


def _token(env: "Mapping[str, str]") -> str:
    token, path = env.get("LIGHTHOUSE_TOKEN", "").strip(), env.get("LIGHTHOUSE_TOKEN_FILE", "")
    if not token and not path:
        raise NoVerdict("no token: set LIGHTHOUSE_TOKEN_FILE to the file of this agent's token")
    if not token:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            status = os.fstat(descriptor)
            raw = os.read(descriptor, MOST_TOKEN)
        except OSError as error:
            raise NoVerdict(f"token file {path} cannot be read ({error.strerror})") from error
        if status.st_mode & 0o170077 != 0o100000:
            raise NoVerdict(f"token file {path} is open to others or no regular file: chmod 600 {path}")
        token = raw.decode("ascii", "replace").strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise NoVerdict("there is no token in LIGHTHOUSE_TOKEN or in the file of LIGHTHOUSE_TOKEN_FILE")
    return token


def _input() -> bytes:
    parts, size = [], 0
    while part := os.read(0, 1 << 20):
        parts.append(part)
        size += len(part)
        if size > MOST_INPUT:
            raise NoVerdict(f"the call is larger than {MOST_INPUT >> 20} MiB")
    if not size:
        raise NoVerdict(f"nothing came on standard input: {USAGE}")
    return b"".join(parts)


def _seconds(arguments: list[str]) -> int:
    match arguments:
        case []:
            return DEFAULT_SECONDS
        case ["--seconds", text] if text.isdigit() and 0 < int(text) <= 86400:
            return int(text)
    raise NoVerdict(USAGE)


def _too_late(number: int, frame: object) -> None:
    # It may be a person who takes longer: then it is no bridge that is away.
    raise NoVerdict("there was no answer in time")


def _problem(status: int, content: bytes) -> str:
    """What the bridge says about an error; here nothing hurries."""
    import json

    try:
        detail = str(json.loads(content)["detail"])
    except (ValueError, KeyError, TypeError):
        detail = "without saying why"
    return f"the bridge answers {status}: {detail}"


def _blocked(reason: str) -> None:
    reason = "".join(char if char.isprintable() else " " for char in reason)
    text = (
        f"Lighthouse blocks this call, as there is no verdict on it: {reason}. For the person here: see "
        "`systemctl status lighthouse` or `lighthouse doctor`; to work while the bridge is away, start the "
        f"agent's program with {OVERRIDE}=allow; `lighthouse agent remove` takes the hook away.\n"
    )
    _write(2, text.encode("utf-8", "replace"))


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
