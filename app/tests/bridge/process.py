"""The bridge as a real process, for tests: with real descriptors, over real sockets, stopped or killed."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from lighthouse.keys import KeyRing, load_secret
from lighthouse.sessions import Role, mint_agent_token

WAIT_SECONDS = 30.0


class Place:
    """The folders of one installation; `arguments` are the options of `serve`."""

    def __init__(self, folder: Path, *, mount: bool = False) -> None:
        self.project = folder / "project"
        self.state = folder / "state"
        self.mount = folder / "mount"
        self.project.mkdir(exist_ok=True)
        (self.project / "README.md").write_text("# Harbour\n")
        self.arguments = ["--project", str(self.project), "--state", str(self.state)]
        self.arguments += ["--mount", str(self.mount)] if mount else ["--no-mount"]

    @property
    def keyring(self) -> KeyRing:
        return KeyRing(load_secret({}, create_at=self.state / "secret"))

    def token(self, agent: str = "ann", role: Role = Role.AGENT) -> str:
        return mint_agent_token(self.keyring, agent, role, 3600)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


class Process:
    """One run of the program. `descriptors` are inherited from number 3 on, by name, as from systemd."""

    def __init__(
        self,
        arguments: list[str],
        env: dict[str, str] | None = None,
        descriptors: dict[str, int] | None = None,
        listen_pid: str = "1",
    ) -> None:
        handed = descriptors or {}
        self.port = free_port()
        told = {"PATH": os.environ["PATH"], "PYTHONFAULTHANDLER": "1"}
        told |= {"LIGHTHOUSE_LISTEN": f"127.0.0.1:{self.port}"} | (env or {})
        if handed:
            told |= {
                "LISTEN_FDS": str(len(handed)),
                "LISTEN_FDNAMES": ":".join(handed),
                "LISTEN_PID": listen_pid,
            }
        numbers = list(handed.values())

        def place_descriptors() -> None:
            # First out of the way, so that none is overwritten before it is copied.
            high = [os.dup2(number, 100 + at) for at, number in enumerate(numbers)]
            for at, number in enumerate(high):
                os.dup2(number, 3 + at)

        self.popen = subprocess.Popen(
            [sys.executable, "-m", "lighthouse.bridge.main_bridge", *arguments],
            env=told,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            pass_fds=range(3, 3 + len(numbers)),
            preexec_fn=place_descriptors if handed else None,
        )
        self._mount = arguments[arguments.index("--mount") + 1] if "--mount" in arguments else None
        self._output: str | None = None

    @property
    def pid(self) -> int:
        return self.popen.pid

    def get(self, path: str, token: str | None = None, body: Any = None) -> tuple[int, Any]:
        """Status and decoded JSON; a body makes it a POST."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def wait_for_health(self, status: int = 200) -> Any:
        """Until /health answers with `status`; its report."""
        end = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < end:
            assert self.popen.poll() is None, f"ended early: {self.output()}"
            with contextlib.suppress(OSError):
                told, report = self.get("/health")
                if told == status:
                    return report
            time.sleep(0.02)
        raise AssertionError(f"/health never answered {status}")

    def wait(self) -> int:
        """The exit code."""
        self.output()
        return self.popen.returncode

    def output(self) -> str:
        """All it wrote; waits for its end."""
        if self._output is None:
            try:
                self._output = self.popen.communicate(timeout=WAIT_SECONDS)[0]
            except subprocess.TimeoutExpired:
                self.popen.send_signal(signal.SIGABRT)  # makes it say where each thread is
                self._output = self.popen.communicate(timeout=WAIT_SECONDS)[0]
                raise AssertionError(f"it did not end: {self._output}") from None
        return self._output

    def lines(self) -> list[dict[str, Any]]:
        """All it wrote, each line decoded: whatever is not JSON fails the test."""
        return [json.loads(line) for line in self.output().splitlines()]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and give the exit code."""
        self.popen.send_signal(number)
        return self.wait()

    def discard(self) -> None:
        """Whatever state it is in, be rid of it."""
        if self.popen.poll() is None:
            self.popen.kill()
        self.output()
        for place in (self._mount, f"{self._mount}.proposals"):
            if self._mount and f" {place} fuse" in Path("/proc/mounts").read_text():
                subprocess.run(["fusermount3", "-u", "-z", place], check=True)
