"""A `lighthouse serve` in a process of its own, as a user starts it."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from lighthouse.keys import KeyRing, load_secret
from lighthouse.sessions import Role, mint_agent_token

START_SECONDS = 300.0
PAUSE_SECONDS = 0.01


class Bridge:
    """Serves `project`; its log and secret lie in `state`, its output in a file beside it."""

    def __init__(self, project: Path, state: Path, mount: Path | None = None) -> None:
        self.mount = mount
        self._state = state
        self._arguments = ["--project", str(project), "--state", str(state)]
        self._arguments += ["--mount", str(mount)] if mount else ["--no-mount"]
        self._process: subprocess.Popen[bytes] | None = None
        self.address = ""

    def start(self) -> None:
        """Start it; returns when it says that it serves."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        command = [sys.executable, "-m", "lighthouse.cli.main", "serve", "--listen", self.address, *self._arguments]
        log = self._state.with_name(f"{self._state.name}.log")
        with log.open("ab") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=output, env=_environment())
        end = time.monotonic() + START_SECONDS
        while not self._healthy():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the bridge did not start: {log.read_text()[-2000:]}")
            time.sleep(PAUSE_SECONDS)

    def stop(self) -> None:
        """End it as systemd does. Twice is fine."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGTERM)
            process.wait(START_SECONDS)

    @property
    def pid(self) -> int | None:
        """Its process, while it runs."""
        return None if self._process is None else self._process.pid

    @property
    def keyring(self) -> KeyRing:
        """The keys of its secret."""
        return KeyRing(load_secret({}, create_at=self._state / "secret"))

    def token(self, agent: str, role: Role = Role.AGENT) -> str:
        """A token that it believes for an hour."""
        return mint_agent_token(self.keyring, agent, role, 3600)

    def get(self, path: str, token: str) -> bytes:
        """The body of a good answer."""
        request = urllib.request.Request(f"http://{self.address}{path}", headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return bytes(answer.read())

    def _healthy(self) -> bool:
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"http://{self.address}/health", timeout=60) as answer,
        ):
            return bool(answer.status == 200)
        return False


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LIGHTHOUSE_")}
    # An appliance on this machine has a config file that would ask for its walls.
    return kept | {"LIGHTHOUSE_CONFIG": os.devnull}
