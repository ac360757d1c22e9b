"""What the tests of all rooms share: a key ring, waiting with a bound, and a bridge process."""

import asyncio
import inspect
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from lighthouse.keys import KeyRing, load_secret
from lighthouse.sessions import Role, mint_agent_token

TEST_SECRET = b"only-for-tests-0123456789-abcdef"

WaitFor = Callable[..., Awaitable[None]]


@pytest.fixture
def keyring() -> KeyRing:
    """Keys of a fixed secret of 32 bytes."""
    return KeyRing(TEST_SECRET)


@pytest.fixture
def wait_for() -> WaitFor:
    """`await wait_for(condition, timeout=10)`: until `condition()` (plain or async) is true, or fail."""

    async def wait(condition: Callable[[], object], timeout: float = 10.0) -> None:
        end = time.monotonic() + timeout
        while True:
            outcome = condition()
            if inspect.isawaitable(outcome):
                outcome = await outcome
            if outcome:
                return
            if time.monotonic() > end:
                pytest.fail(f"waited {timeout} s in vain")
            await asyncio.sleep(0.005)

    return wait


class RunningBridge:
    """A real `lighthouse serve` in a process of its own, on a free port of this machine.

    It mounts at `mount` where a test sets that before the start.
    """

    def __init__(self, folder: Path) -> None:
        self.project = folder / "project"
        self.state = folder / "state"
        self.log = folder / "bridge.log"
        self.mount: Path | None = None
        self.project.mkdir()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{probe.getsockname()[1]}"
        self.url = f"http://{self.address}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it says that it keeps its promises."""
        mount = ["--mount", str(self.mount)] if self.mount else ["--no-mount"]
        serve = ["-m", "lighthouse.cli.main", "serve", *mount, "--listen", self.address]
        where = ["--project", str(self.project), "--state", str(self.state)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *serve, *where], stdout=log, stderr=log, env=plain_environment()
            )
        end = time.monotonic() + 30
        while not self._healthy():
            if self._process.poll() is not None or time.monotonic() > end:
                pytest.fail(f"the bridge did not start: {self.log.read_text()[-2000:]}")
            time.sleep(0.02)

    @property
    def pid(self) -> int:
        """The running process."""
        assert self._process is not None
        return self._process.pid

    def send(self, signal_number: int) -> None:
        """Send a signal to the running process."""
        assert self._process is not None
        self._process.send_signal(signal_number)

    def stop(self, signal_number: int = signal.SIGTERM) -> None:
        """End it by a signal and wait for its end; nothing happens when it does not run."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal_number)
            process.wait(30)

    def detach(self) -> None:
        """Take away the mounts that a killed bridge left."""
        for place in (self.mount, f"{self.mount}.proposals") if self.mount is not None else ():
            subprocess.run(["fusermount3", "-u", "-z", str(place)], capture_output=True, check=False)

    def token(self, agent: str = "ann", role: str = "agent", ttl: float = 3600) -> str:
        """A token of this installation."""
        secret = load_secret({}, create_at=self.state / "secret")
        return mint_agent_token(KeyRing(secret), agent, Role(role), ttl)

    def environment(self, agent: str = "ann", role: str = "agent") -> dict[str, str]:
        """The variables of a client of this bridge."""
        return {
            **plain_environment(),
            "LIGHTHOUSE_BRIDGE_URL": self.url,
            "LIGHTHOUSE_TOKEN": self.token(agent, role),
        }

    def _healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def plain_environment() -> dict[str, str]:
    """This process's variables without any of ours, nor those that would change a child's output."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("LIGHTHOUSE_") and name not in ("XDG_CONFIG_HOME", "FORCE_COLOR")
    }


@pytest.fixture
def own_bridge(tmp_path: Path) -> Iterator[RunningBridge]:
    """A bridge of this test's own, not yet started: put files into `project` first."""
    bridge = RunningBridge(tmp_path)
    yield bridge
    bridge.stop()
    bridge.detach()


@pytest.fixture(scope="session")
def bridge_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBridge]:
    """A running bridge for the tests that stop nothing and take its log as they find it."""
    running = RunningBridge(tmp_path_factory.mktemp("bridge"))
    (running.project / "src").mkdir()
    (running.project / "src" / "main.py").write_text("print('grüß dich')\n")
    (running.project / "image.bin").write_bytes(bytes(range(256)))
    (running.project / "link").symlink_to("src/main.py")
    (running.project / "empty.txt").touch()
    running.start()
    yield running
    running.stop()
