"""The health check's program: asks /health over the bridge's Unix socket, with the standard library alone.

Exit 0 and one line when the bridge keeps its promises, exit 1 and one line with the reason when not.
"""

import json
import os
import socket
import sys

TIMEOUT_SECONDS = 8.0
MAX_ANSWER = 256 * 1024


def ask(path: str, timeout: float = TIMEOUT_SECONDS) -> tuple[int, bytes]:
    """Status and body of GET /health over the Unix socket at `path`; raises OSError or ValueError."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout)
        connection.connect(path)
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: lighthouse\r\nConnection: close\r\n\r\n")
        answer = bytearray()
        while len(answer) <= MAX_ANSWER and (part := connection.recv(65536)):
            answer += part
    head, _, body = bytes(answer).partition(b"\r\n\r\n")
    words = head.split(b" ", 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
        raise ValueError("it does not speak HTTP")
    return int(words[1]), body


def describe(status: int, body: bytes) -> str:
    """One line for a person: the overall state, and each component that is not well."""
    try:
        health = json.loads(body)
        wrong = [
            f"{name} {part['status']} ({part['detail']})"
            for name, part in health["components"].items()
            if part["status"] in ("failed", "starting")
        ]
        return " ".join("; ".join([f"{health['status']} ({status})", *wrong]).split())
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"answered {status} with something that is not a health report"


def main() -> None:
    """The program `lighthouse-probe [SOCKET]`; without an argument LIGHTHOUSE_HEALTH_SOCKET says where."""
    path = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("LIGHTHOUSE_HEALTH_SOCKET", "")
    if not path:
        print("no socket to ask: set LIGHTHOUSE_HEALTH_SOCKET or give its path")
        sys.exit(1)
    try:
        status, body = ask(path)
    except (OSError, ValueError) as error:
        print(f"no answer from {path}: {error}")
        sys.exit(1)
    print(describe(status, body))
    sys.exit(0 if status == 200 else 1)


if __name__ == "__main__":
    main()
