"""The program as a process: start, refusal, stop, sudden death, and all that systemd hands over or hears."""

import array
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lighthouse.events import verify_folder
from tests.bridge.process import WAIT_SECONDS, Place, Process

NOTE = {"type": "note.added", "data": {}}
Launch = Callable[..., Process]

needs_fuse = pytest.mark.skipif(
    not os.access("/dev/fuse", os.R_OK | os.W_OK) or shutil.which("fusermount3") is None,
    reason="needs /dev/fuse and fusermount3",
)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def launch() -> Iterator[Launch]:
    """Starts processes, and sees to it that none outlives its test."""
    started: list[Process] = []

    def start(*arguments: Any, **options: Any) -> Process:
        started.append(Process(*arguments, **options))
        return started[-1]

    yield start
    for process in started:
        process.discard()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """The service manager's notification socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(str(tmp_path / "notify"))
        bound.settimeout(WAIT_SECONDS)
        yield bound


def heard(manager: socket.socket) -> dict[str, str]:
    return dict(line.split("=", 1) for line in manager.recv(65536).decode().splitlines())


def hear_until(manager: socket.socket, name: str) -> list[dict[str, str]]:
    """All messages up to the first that holds `name`."""
    messages = [heard(manager)]
    while name not in messages[-1]:
        messages.append(heard(manager))
    return messages


def refusal(process: Process) -> str:
    """The one line of a refused start."""
    assert process.wait() == 1
    [line] = process.lines()
    assert line["level"] == "critical"
    assert line["msg"].startswith("refused: ")
    assert "\n" not in line["msg"]
    return str(line["msg"])


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name in ("events.db", "anchor")}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_told_to_stop_and_leaves_a_log_that_proves_itself(
    launch: Launch, place: Place, number: int
) -> None:
    process = launch(place.arguments)
    process.wait_for_health()
    token = place.token()
    status, receipt = process.get("/event/store", token, NOTE)
    assert status == 200
    assert process.stop(number) == 0
    assert all({"ts", "level", "logger", "msg"} <= line.keys() for line in process.lines())
    report = verify_folder(place.state / "events", place.keyring)
    assert report.ok
    assert report.head_seq > receipt["seq"]
    assert place.token() not in process.output()


def test_stop_does_not_wait_for_streams(launch: Launch, place: Place) -> None:
    process = launch(place.arguments)
    process.wait_for_health()
    with socket.create_connection(("127.0.0.1", process.port)) as reader:
        head = "GET /stream/events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n"
        reader.sendall(f"{head}Authorization: Bearer {place.token()}\r\n\r\n".encode())
        assert reader.recv(15) == b"HTTP/1.1 200 OK"
        assert process.stop() == 0


def test_stopped_while_it_starts_it_stops(launch: Launch, place: Place, manager: socket.socket) -> None:
    for number in range(3000):
        (place.project / f"file-{number}").write_text(str(number))
    process = launch(place.arguments, env={"NOTIFY_SOCKET": manager.getsockname()})
    assert "STATUS" in heard(manager)
    assert process.stop() == 0
    again = launch(place.arguments)
    again.wait_for_health()
    assert again.get("/status", place.token())[1]["shadow"]["files"] == 3001


@pytest.mark.parametrize(
    ("arguments", "env", "said"),
    [
        ([], {"AUTH_SECRET": ""}, "there is no secret"),
        ([], {"AUTH_SECRET": "short"}, "at least 32"),
        ([], {"AUTH_SECRET": "", "AUTH_SECRET_FILE": "{open}"}, "others may read"),
        (["--project", "{none}"], {}, "not a folder"),
        (["--listen", "nowhere"], {}, "no address"),
        ([], {"MOUNT_UID": "root"}, "LIGHTHOUSE_MOUNT_UID"),
        ([], {"CONFIG": "{none}"}, "does not exist"),
        ([], {"EVENT_STORE": "{project}/log"}, "inside the project"),
    ],
)
def test_what_is_not_as_it_should_be_is_refused_in_one_line(
    launch: Launch, place: Place, tmp_path: Path, arguments: list[str], env: dict[str, str], said: str
) -> None:
    open_to_all = tmp_path / "secret"
    open_to_all.write_text("x" * 32)
    open_to_all.chmod(0o644)
    paths = {"open": str(open_to_all), "none": str(tmp_path / "none"), "project": str(place.project)}
    given = {"AUTH_SECRET": "x" * 32, "EVENT_STORE": str(tmp_path / "events")} | env
    told = {f"LIGHTHOUSE_{name}": text.format(**paths) for name, text in given.items()}
    options = ["--project", str(place.project), "--no-mount", *(text.format(**paths) for text in arguments)]
    assert said in refusal(launch(options, env=told))
    assert not (tmp_path / "events").exists()
    assert not (place.project / "log").exists()


def test_descriptors_that_contradict_themselves_are_a_refusal(launch: Launch, place: Place) -> None:
    assert "do not agree" in refusal(
        launch(place.arguments, env={"LISTEN_FDS": "2", "LISTEN_FDNAMES": "http"})
    )


def test_confinement_that_is_required_and_missing_is_a_refusal(launch: Launch, place: Place) -> None:
    if Path("/proc/self/attr/current").exists() and "(enforce)" in _label():
        pytest.skip("these tests run confined themselves")
    process = launch(place.arguments, env={"LIGHTHOUSE_REQUIRE_CONFINEMENT": "true"})
    assert "confinement is required and missing" in refusal(process)


def _label() -> str:
    try:
        return Path("/proc/self/attr/current").read_text()
    except OSError:
        return ""


def test_a_taken_port_is_a_refusal(launch: Launch, place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        assert "cannot listen" in refusal(launch([*place.arguments, "--listen", address]))


def test_another_secret_is_a_refusal_that_changes_nothing(launch: Launch, place: Place) -> None:
    process = launch(place.arguments)
    process.wait_for_health()
    process.stop()
    before = contents(place.state / "events")
    env = {"LIGHTHOUSE_AUTH_SECRET": "another secret, of at least 32 bytes"}
    assert "refused" in refusal(launch(place.arguments, env=env))
    assert contents(place.state / "events") == before


def test_a_second_bridge_over_the_same_state_is_refused_and_the_first_goes_on(
    launch: Launch, place: Place
) -> None:
    first = launch(place.arguments)
    first.wait_for_health()
    refusal(launch(place.arguments))
    assert first.get("/health")[0] == 200


def test_a_wrong_option_is_usage(launch: Launch) -> None:
    assert launch(["--colour", "red"]).wait() == 2


def test_the_secret_is_made_once_and_for_its_owner_alone(launch: Launch, place: Place) -> None:
    for _ in range(2):
        process = launch(place.arguments)
        process.wait_for_health()
        process.stop()
    secret = place.state / "secret"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert len(secret.read_text().strip()) == 64


def test_killed_it_comes_back_with_every_event_it_acknowledged(launch: Launch, place: Place) -> None:
    process = launch(place.arguments)
    process.wait_for_health()
    token = place.token()
    session = process.get("/session/create", token, {})[1]
    revoked = process.get("/session/create", token, {})[1]
    process.get("/session/revoke", revoked["token"], {})
    receipts = [process.get("/event/store", token, NOTE)[1] for _ in range(50)]
    process.popen.kill()
    process.wait()
    again = launch(place.arguments)
    again.wait_for_health()
    stored = again.get("/event/query?type=note.added&limit=1000", token)[1]["events"]
    assert [(event["seq"], event["mac"]) for event in stored] == [
        (one["seq"], one["mac"]) for one in receipts
    ]
    assert again.get("/status", session["token"])[0] == 200
    assert again.get("/status", revoked["token"])[0] == 401
    assert again.stop() == 0
    assert verify_folder(place.state / "events", place.keyring).ok


@needs_fuse
def test_a_mount_is_there_while_it_serves_and_gone_after(launch: Launch, tmp_path: Path) -> None:
    place = Place(tmp_path, mount=True)
    process = launch(place.arguments)
    process.wait_for_health()
    assert (place.mount / "current/README.md").read_text() == "# Harbour\n"
    assert process.stop() == 0
    assert not place.mount.is_mount()


@needs_fuse
def test_killed_with_a_mount_it_comes_back_over_the_dead_one(launch: Launch, tmp_path: Path) -> None:
    place = Place(tmp_path, mount=True)
    process = launch(place.arguments)
    process.wait_for_health()
    process.popen.kill()
    process.wait()
    with pytest.raises(OSError, match="not connected"):
        place.mount.stat()
    again = launch(place.arguments)
    again.wait_for_health()
    assert (place.mount / "current/README.md").read_text() == "# Harbour\n"
    assert again.stop() == 0


def test_an_inherited_socket_wins_over_listening(launch: Launch, place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = launch(place.arguments, descriptors={"http": listener.fileno()})
        own, process.port = process.port, listener.getsockname()[1]
        process.wait_for_health()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", own), timeout=5)
        assert process.stop() == 0


def test_descriptors_meant_for_another_process_are_left_alone(launch: Launch, place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = launch(place.arguments, descriptors={"http": listener.fileno()}, listen_pid="999999999")
        process.wait_for_health()


def test_an_inherited_descriptor_that_is_no_listener_is_a_refusal(launch: Launch, place: Place) -> None:
    with socket.socket() as idle:
        said = refusal(launch(place.arguments, descriptors={"http": idle.fileno()}))
    assert "no listening socket" in said


@needs_fuse
def test_an_inherited_fuse_descriptor_is_served(launch: Launch, tmp_path: Path) -> None:
    place = Place(tmp_path, mount=True)
    place.mount.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        fuse = mount_by_helper(place.mount)
        try:
            process = launch(place.arguments, descriptors={"http": listener.fileno(), "fuse": fuse})
        finally:
            os.close(fuse)
        process.port = listener.getsockname()[1]
        report = process.wait_for_health()
        assert report["components"]["mount"]["status"] == "ok"
        assert (place.mount / "current/README.md").read_text() == "# Harbour\n"
        assert process.get("/status", place.token())[1]["mount"]["target"] == "/dev/fd/4"
        assert process.stop() == 0
    subprocess.run(["fusermount3", "-u", "-z", str(place.mount)], check=True)


def mount_by_helper(target: Path) -> int:
    """Mount as the appliance does: fusermount3 makes the mount and hands the descriptor over a socket."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        options = "ro,default_permissions,fsname=lighthouse"
        env = {"PATH": os.environ["PATH"], "_FUSE_COMMFD": str(theirs.fileno())}
        command = ["fusermount3", "-o", options, "--", str(target)]
        subprocess.run(command, env=env, pass_fds=[theirs.fileno()], check=True)
        _, ancillary, _, _ = ours.recvmsg(1, socket.CMSG_SPACE(4))
    return array.array("i", ancillary[0][2])[0]


def test_systemd_hears_of_readiness_once_then_status_and_the_end(
    launch: Launch, place: Place, manager: socket.socket
) -> None:
    process = launch(place.arguments, env={"NOTIFY_SOCKET": manager.getsockname()})
    messages = hear_until(manager, "READY")
    assert messages[-1]["STATUS"] == f"serving 1 file of {place.project}, version 1, 0 sessions, 0 problems"
    assert all(message.get("STATUS", "starting").startswith("starting") for message in messages[:-1])
    assert process.get("/health")[0] == 200
    process.popen.send_signal(signal.SIGTERM)
    rest = hear_until(manager, "STOPPING")
    assert not any("READY" in message for message in rest)
    assert rest[-1]["STATUS"] == "stopping"
    assert process.wait() == 0


@needs_fuse
def test_the_watchdog_is_fed_until_the_mount_dies(
    launch: Launch, tmp_path: Path, manager: socket.socket
) -> None:
    place = Place(tmp_path, mount=True)
    env = {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "100000"}
    process = launch(place.arguments, env=env)
    hear_until(manager, "READY")
    for _ in range(3):
        hear_until(manager, "WATCHDOG")
    subprocess.run(["fusermount3", "-u", "-z", str(place.mount)], check=True)
    while not heard(manager).get("STATUS", "").startswith("failed: mount"):
        pass
    manager.settimeout(1.0)
    with pytest.raises(TimeoutError):
        hear_until(manager, "WATCHDOG")
    assert process.get("/health")[0] == 503


def probe(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lighthouse.bridge.probe", str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_the_probe_asks_over_the_health_socket_which_offers_nothing_else(
    launch: Launch, place: Place, tmp_path: Path
) -> None:
    path = tmp_path / "health.sock"
    process = launch(place.arguments, env={"LIGHTHOUSE_HEALTH_SOCKET": str(path)})
    process.wait_for_health()
    said = probe(path)
    assert (said.returncode, said.stdout, said.stderr) == (0, "ok (200)\n", "")
    with socket.socket(socket.AF_UNIX) as other:
        other.connect(str(path))
        other.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 404 " in other.recv(100)
    assert process.stop() == 0
    assert not path.exists()
    assert probe(path).returncode == 1


def test_a_killed_bridges_health_socket_is_replaced(launch: Launch, place: Place, tmp_path: Path) -> None:
    env = {"LIGHTHOUSE_HEALTH_SOCKET": str(tmp_path / "health.sock")}
    process = launch(place.arguments, env=env)
    process.wait_for_health()
    process.popen.kill()
    process.wait()
    assert probe(tmp_path / "health.sock").returncode == 1
    again = launch(place.arguments, env=env)
    again.wait_for_health()
    assert probe(tmp_path / "health.sock").returncode == 0


def test_a_store_that_cannot_grow_is_503_and_heals(launch: Launch, place: Place, tmp_path: Path) -> None:
    env = {"LIGHTHOUSE_HEALTH_SOCKET": str(tmp_path / "health.sock")}
    process = launch(place.arguments, env=env)
    process.wait_for_health()
    token = place.token()
    _, most = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, most))
    status, problem = process.get("/event/store", token, NOTE)
    assert status in (503, 507), problem
    report = process.wait_for_health(503)
    assert report["components"]["event_store"]["status"] == "failed"
    said = probe(tmp_path / "health.sock")
    assert said.returncode == 1
    assert said.stdout.startswith("failed (503); event_store failed")
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most, most))
    process.wait_for_health(200)
    assert process.get("/event/store", token, NOTE)[0] == 200
    assert process.stop() == 0
    assert verify_folder(place.state / "events", place.keyring).ok


def test_two_thousand_files_idle_in_120_megabytes(launch: Launch, place: Place, tmp_path: Path) -> None:
    if os.access("/dev/fuse", os.R_OK | os.W_OK):
        place = Place(tmp_path, mount=True)
    for number in range(2000):
        folder = place.project / f"package_{number // 40}"
        folder.mkdir(exist_ok=True)
        (folder / f"module_{number}.py").write_text(f"# {number}\n" + "x = 1\n" * 500)
    process = launch(place.arguments)
    process.wait_for_health()
    status = process.get("/status", place.token())[1]
    assert status["shadow"]["files"] == 2001
    assert status["rss_bytes"] <= 120_000_000
