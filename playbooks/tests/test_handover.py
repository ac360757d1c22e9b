"""The FUSE hand-over for real: fusermount3 mounts, a socket plays the service manager and takes the descriptor."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

PROGRAM = Path(__file__).resolve().parents[2] / "roles/bridge/files/lighthouse-mount"
SECONDS = 30


def can_mount() -> bool:
    allowed = os.getuid() == 0 or "\nuser_allow_other" in Path("/etc/fuse.conf").read_text()
    return Path("/dev/fuse").exists() and Path("/usr/bin/fusermount3").exists() and allowed


mounts_for_real = pytest.mark.skipif(
    not can_mount(), reason="no /dev/fuse and fusermount3, or neither root nor user_allow_other"
)
as_root = pytest.mark.skipif(os.getuid() != 0, reason="mounting anything but FUSE takes root")


class ServiceManager:
    """What systemd does with a unit's notifications: keeps descriptors by name, answers barriers in order."""

    def __init__(self, address: Path) -> None:
        self.address = address
        self.messages: list[str] = []
        self.stored: dict[str, list[int]] = {}
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(address))
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self) -> None:
        while True:
            data, descriptors, _, _ = socket.recv_fds(self.socket, 4096, 4)
            message = data.decode()
            if message == "end":
                return
            self.messages.append(message)
            fields = dict(line.split("=", 1) for line in message.splitlines())
            if fields.get("FDSTORE") == "1":
                self.stored.setdefault(fields["FDNAME"], []).extend(descriptors)
                continue
            if fields.get("FDSTOREREMOVE") == "1":
                descriptors += self.stored.pop(fields["FDNAME"], [])
            for descriptor in descriptors:
                os.close(descriptor)

    def forget(self) -> None:
        """Close what is stored: all that a dead server leaves behind."""
        for descriptors in self.stored.values():
            for descriptor in descriptors:
                os.close(descriptor)
        self.stored.clear()

    def end(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"end", str(self.address))
        self.thread.join(SECONDS)
        self.socket.close()
        self.forget()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[ServiceManager]:
    running = ServiceManager(tmp_path / "notify")
    yield running
    running.end()


@pytest.fixture
def mountpoint(tmp_path: Path) -> Iterator[Path]:
    """A folder to mount on; whatever a test leaves mounted there is detached without asking its server."""
    path = tmp_path / "a folder"
    path.mkdir()
    yield path
    while connections(path):
        subprocess.run(["/usr/bin/fusermount3", "-u", "-z", "--", path], check=True, timeout=SECONDS)


@pytest.fixture
def program(load: Callable[[str], ModuleType]) -> ModuleType:
    return load("roles/bridge/files/lighthouse-mount")


def run(*arguments: object, notify: object = None, **options: object) -> subprocess.CompletedProcess[str]:
    """The program as systemd starts it, in a process of its own."""
    environment = {"PATH": "/usr/bin:/bin"} | ({"NOTIFY_SOCKET": str(notify)} if notify else {})
    return subprocess.run(
        [sys.executable, "-I", str(PROGRAM), *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def connections(path: Path) -> list[str]:
    """The FUSE connections mounted at `path`, found without touching it."""
    lines = Path("/proc/self/mountinfo").read_text(errors="surrogateescape").split("\n")
    at = str(path).replace(" ", "\\040")
    return [line.split(" ")[2].split(":")[1] for line in lines if f" {at} " in line and " - fuse" in line]


def asks_to_begin(descriptor: int) -> bool:
    """Whether it is a fresh connection: the kernel's first request, INIT (operation 26), waits for an answer."""
    return int.from_bytes(os.read(descriptor, 1 << 20)[4:8], sys.byteorder) == 26


def blocked(process: subprocess.Popen[str]) -> bool:
    """Whether it waits inside the kernel's FUSE client."""
    return "fuse" in Path(f"/proc/{process.pid}/wchan").read_text()


@mounts_for_real
def test_up_mounts_and_leaves_an_open_fuse_descriptor_with_the_manager(
    manager: ServiceManager, mountpoint: Path
) -> None:
    done = run("up", mountpoint, notify=manager.address)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(connections(mountpoint)) == 1
    (descriptor,) = manager.stored["fuse"]
    assert os.fstat(descriptor).st_rdev == Path("/dev/fuse").stat().st_rdev
    assert asks_to_begin(descriptor)
    assert [message.split("\n")[0] for message in manager.messages] == ["FDSTOREREMOVE=1", "FDSTORE=1", "BARRIER=1"]
    assert "FDPOLL=0" in manager.messages[1]


@mounts_for_real
def test_the_mount_is_read_only_and_without_set_id_and_devices(manager: ServiceManager, mountpoint: Path) -> None:
    assert run("up", mountpoint, notify=manager.address).returncode == 0
    line = next(line for line in Path("/proc/self/mountinfo").read_text().split("\n") if "fuse.lighthouse" in line)
    assert {"ro", "nosuid", "nodev"} <= set(line.split(" ")[5].split(","))
    assert "default_permissions" in line
    assert "allow_other" in line


@mounts_for_real
def test_down_frees_a_blocked_reader_and_leaves_nothing(
    manager: ServiceManager, mountpoint: Path, wait_for: Callable[..., None]
) -> None:
    assert run("up", mountpoint, notify=manager.address).returncode == 0
    with subprocess.Popen(["cat", mountpoint / "file"], stderr=subprocess.PIPE, text=True) as reader:
        wait_for(lambda: blocked(reader), "a reader blocked by a server that is not there")
        done = run("down", mountpoint, notify=manager.address)
        assert (done.returncode, done.stderr) == (0, "")
        _, complaint = reader.communicate(timeout=SECONDS)
    assert reader.returncode == 1
    assert "cat:" in complaint
    assert connections(mountpoint) == []
    assert manager.stored == {}
    assert list(mountpoint.iterdir()) == []


@mounts_for_real
def test_up_replaces_what_a_dead_server_left(manager: ServiceManager, mountpoint: Path) -> None:
    assert run("up", mountpoint, notify=manager.address).returncode == 0
    manager.forget()
    assert run("up", mountpoint, notify=manager.address).returncode == 0
    assert len(connections(mountpoint)) == 1
    (descriptor,) = manager.stored["fuse"]
    assert asks_to_begin(descriptor)


@mounts_for_real
def test_up_replaces_a_connection_whose_descriptor_is_still_stored(
    manager: ServiceManager, mountpoint: Path, wait_for: Callable[..., None]
) -> None:
    assert run("up", mountpoint, notify=manager.address).returncode == 0
    with subprocess.Popen(["cat", mountpoint / "file"], stderr=subprocess.PIPE, text=True) as reader:
        wait_for(lambda: blocked(reader), "a reader blocked by a server that is not there")
        assert run("up", mountpoint, notify=manager.address).returncode == 0
        reader.communicate(timeout=SECONDS)
    assert reader.returncode == 1
    assert len(connections(mountpoint)) == 1
    (descriptor,) = manager.stored["fuse"]
    assert asks_to_begin(descriptor)


def test_down_where_nothing_is_mounted_is_fine_and_forgets_all_the_same(
    manager: ServiceManager, mountpoint: Path
) -> None:
    assert run("down", mountpoint, notify=manager.address).returncode == 0
    assert manager.messages == ["FDSTOREREMOVE=1\nFDNAME=fuse", "BARRIER=1"]


@as_root
def test_somebody_s_mount_whose_name_is_no_text_is_no_obstacle(
    manager: ServiceManager, mountpoint: Path, tmp_path: Path
) -> None:
    odd = tmp_path / os.fsdecode(b"caf\xe9\x0c\xe2\x80\xa8")
    odd.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "none", odd], check=True)
    try:
        done = run("down", mountpoint, notify=manager.address)
        assert (done.returncode, done.stderr) == (0, "")
    finally:
        subprocess.run(["umount", odd], check=True)


@mounts_for_real
def test_what_fusermount3_refuses_is_told_in_one_line(manager: ServiceManager, mountpoint: Path) -> None:
    done = run("up", mountpoint / "missing", notify=manager.address)
    assert done.returncode == 1
    assert done.stderr.startswith("lighthouse-mount: cannot mount ")
    assert done.stderr.count("\n") == 1
    assert manager.stored == {}


def test_outside_a_unit_it_says_so(mountpoint: Path) -> None:
    done = run("down", mountpoint)
    assert done.returncode == 1
    assert (
        done.stderr == "lighthouse-mount: NOTIFY_SOCKET is not set: this program runs inside lighthouse.service only\n"
    )


def test_a_manager_that_is_away_is_told_in_one_line(mountpoint: Path, tmp_path: Path) -> None:
    done = run("down", mountpoint, notify=tmp_path / "nobody")
    assert done.returncode == 1
    assert done.stderr.startswith("lighthouse-mount: ")
    assert done.stderr.count("\n") == 1


def test_a_manager_that_does_not_read_is_not_waited_for_forever(
    program: ModuleType,
    tmp_path: Path,
    mountpoint: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    monkeypatch.setattr(program, "WAIT_SECONDS", 0.05)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "deaf"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(tmp_path / "deaf"))
        assert program.main(["down", str(mountpoint)]) == 1
    assert capsys.readouterr().err == "lighthouse-mount: the service manager did not answer within 0.05 s\n"


@pytest.mark.parametrize("arguments", [(), ("up",), ("sideways", "/mnt"), ("up", "relative"), ("up", "/a", "/b")])
def test_wrong_usage_exits_2(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stderr == "usage: lighthouse-mount up|down MOUNTPOINT\n"


def test_an_abstract_notify_socket_is_reached(program: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"lighthouse-test-{os.getpid()}"
    monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0{name}")
        listening.settimeout(SECONDS)
        program.notify("READY=1")
        assert listening.recv(100) == b"READY=1"


MOUNTINFO = r"""24 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw
30 24 0:41 / /mnt/a\040folder ro,nosuid,nodev shared:7 master:2 - fuse.lighthouse lighthouse ro
31 30 0:57 / /mnt/a\040folder ro,nosuid,nodev - fuse other rw
32 24 0:58 / /mnt/a\134040folder rw - fuse.sshfs other rw
33 24 0:59 / /mnt/tab\011newline\012 rw - fuse.sshfs - rw
34 24 0:60 / /mnt/plain rw - fuseblk /dev/sdb1 rw
35 24 0:61 / /mnt/plain rw - tmpfs none rw
"""


@pytest.mark.parametrize(
    ("mountpoint", "minors"),
    [
        ("/mnt/a folder", [57, 41]),
        ("/mnt/a\\040folder", [58]),
        ("/mnt/tab\tnewline\n", [59]),
        ("/mnt/plain", []),
        ("/", []),
        ("/mnt", []),
    ],
)
def test_connections_are_read_from_mountinfo(program: ModuleType, mountpoint: str, minors: list[int]) -> None:
    assert program.fuse_minors(mountpoint, MOUNTINFO) == minors
