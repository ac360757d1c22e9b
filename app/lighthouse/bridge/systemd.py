"""What systemd hands over and wants to hear: inherited descriptors, readiness, status text and watchdog."""

import os
import socket
from collections.abc import Mapping

from lighthouse.errors import LighthouseError

FIRST_DESCRIPTOR = 3


def inherited(env: Mapping[str, str]) -> dict[str, list[int]]:
    """Descriptors passed by socket activation, by name; those without a name are under "".

    LISTEN_PID has to be this process, or 1: inside a container the number given is another name space's.
    Raises LighthouseError when the variables contradict themselves.
    """
    if "LISTEN_FDS" not in env or env.get("LISTEN_PID", "1") not in ("1", str(os.getpid())):
        return {}
    try:
        count = int(env["LISTEN_FDS"])
    except ValueError:
        count = -1
    names = env["LISTEN_FDNAMES"].split(":") if env.get("LISTEN_FDNAMES") else [""] * max(count, 0)
    if count < 0 or len(names) != count:
        raise LighthouseError("LISTEN_FDS and LISTEN_FDNAMES do not agree", "start the bridge from its unit")
    found: dict[str, list[int]] = {}
    for descriptor, name in enumerate(names, FIRST_DESCRIPTOR):
        try:
            os.set_inheritable(descriptor, False)
        except OSError as error:
            raise LighthouseError(
                f"descriptor {descriptor} ({name}) was announced and is not open",
                "start the bridge from its unit",
            ) from error
        found.setdefault(name, []).append(descriptor)
    return found


class Notifier:
    """Speaks to the service manager's notification socket; silent where there is none."""

    def __init__(self, env: Mapping[str, str], watchdog_seconds: float = 0.0) -> None:
        path = env.get("NOTIFY_SOCKET", "")
        self._address = "\0" + path[1:] if path.startswith("@") else path
        self._status = ""
        self.watchdog_interval = watchdog_seconds / 2 if watchdog_seconds else _asked_for(env)

    def send(self, **fields: str) -> None:
        """Send the fields (READY="1", STATUS="…"); a STATUS that was said already is left out."""
        if fields.get("STATUS") == self._status:
            del fields["STATUS"]
        if not fields or not self._address:
            return
        message = "\n".join(f"{name}={' '.join(value.split())}" for name, value in fields.items())
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as connection:
            connection.setblocking(False)
            try:
                connection.sendto(message.encode(), self._address)
            except OSError:
                # The manager is busy or gone: nothing to be done here, and the next tick says it again.
                return
        self._status = fields.get("STATUS", self._status)


def _asked_for(env: Mapping[str, str]) -> float | None:
    """Half of the watchdog's period in seconds, when it is meant for this process."""
    microseconds = env.get("WATCHDOG_USEC", "")
    if not microseconds.isdigit() or env.get("WATCHDOG_PID", "1") not in ("1", str(os.getpid())):
        return None
    return int(microseconds) / 2_000_000
