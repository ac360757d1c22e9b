"""The sockets the bridge answers on: inherited or its own for the API, a Unix one for the health probe."""

import os
import socket
import stat
from collections.abc import Sequence
from pathlib import Path

from lighthouse.errors import LighthouseError

BACKLOG = 1024
# What a client does not read lies in the kernel, for each connection up to this; it would take megabytes.
UNREAD_BYTES = 128 * 1024
# And what lies there for so long ends the connection, whatever it was asked for.
UNREAD_SECONDS = 120


def take_over(descriptors: Sequence[int]) -> list[socket.socket]:
    """Sockets made of inherited descriptors; raises LighthouseError for one that does not listen."""
    sockets: list[socket.socket] = []
    for descriptor in descriptors:
        try:
            sockets.append(socket.socket(fileno=descriptor))
            listens = sockets[-1].getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            _limit(sockets[-1])
        except OSError:
            listens = 0
        if not listens:
            for inherited in sockets:
                inherited.close()
            raise LighthouseError(
                f"descriptor {descriptor} (http) is no listening socket", "see the socket unit"
            )
    return sockets


def listen(host: str, port: int) -> list[socket.socket]:
    """Sockets listening on every address of `host`; raises LighthouseError, as when the port is taken."""
    sockets: list[socket.socket] = []
    try:
        for family, kind, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            own = socket.socket(family, kind)
            sockets.append(own)
            own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                own.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            _limit(own)
            own.bind(address)
            own.listen(BACKLOG)
    except OSError as error:
        for own in sockets:
            own.close()
        raise LighthouseError(
            f"cannot listen on {host}:{port} ({error.strerror})",
            "stop what uses it or choose another --listen",
        ) from error
    return sockets


def _limit(listening: socket.socket) -> None:
    # Connections have this from the socket that takes them.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNREAD_BYTES)
    if listening.family != socket.AF_UNIX:
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_SECONDS * 1000)


class HealthSocket:
    """A Unix socket at `path` that only the bridge's own user may connect to; gone again after `close`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            if path.exists() and stat.S_ISSOCK(path.lstat().st_mode):
                # Left behind by a bridge that was killed; one that lives holds the store's lock.
                path.unlink()
            self.socket = _bound(path)
        except OSError as error:
            raise LighthouseError(
                f"cannot make the health socket {path} ({error.strerror})", "set LIGHTHOUSE_HEALTH_SOCKET"
            ) from error

    def close(self) -> None:
        """Remove the socket's file; the server that serves it closes the socket."""
        self.path.unlink(missing_ok=True)


def _bound(path: Path) -> socket.socket:
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        bound.bind(str(path))
        bound.listen(BACKLOG)
    except OSError:
        bound.close()
        raise
    finally:
        os.umask(before)
    return bound
