"""The FUSE hand-over for real: fusermount3 mounts, a socket plays the service manager and takes the descriptor."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

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


class Places(NamedTuple):
    """Where the two mounts are to be."""

    project: Path
    proposals: Path


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Places]:
    """Folders to mount on; whatever a test leaves mounted there is detached without asking its server."""
    found = Places(tmp_path / "a folder", tmp_path / "proposals")
    for path in found:
        path.mkdir()
    yield found
    for path in found:
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


def options(path: Path) -> set[str]:
    """The options of the mount at `path`, the kernel's and FUSE's own."""
    lines = Path("/proc/self/mountinfo").read_text(errors="surrogateescape").split("\n")
    at = str(path).replace(" ", "\\040")
    line = next(line for line in lines if f" {at} " in line)
    return set(line.split(" ")[5].split(",")) | set(line.split(" ")[-1].split(","))


def asks_to_begin(descriptor: int) -> bool:
    """Whether it is a fresh connection: the kernel's first request, INIT (operation 26), waits for an answer."""
    return int.from_bytes(os.read(descriptor, 1 << 20)[4:8], sys.byteorder) == 26


def blocked(process: subprocess.Popen[str]) -> bool:
    """Whether it waits inside the kernel's FUSE client."""
    return "fuse" in Path(f"/proc/{process.pid}/wchan").read_text()


@mounts_for_real
def test_up_mounts_both_and_leaves_open_fuse_descriptors_with_the_manager(
    manager: ServiceManager, places: Places
) -> None:
    done = run("up", *places, notify=manager.address)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [len(connections(place)) for place in places] == [1, 1]
    for name in ("fuse", "fuse-proposals"):
        (descriptor,) = manager.stored[name]
        assert os.fstat(descriptor).st_rdev == Path("/dev/fuse").stat().st_rdev
        assert asks_to_begin(descriptor)
    said = [message.split("\n")[0] for message in manager.messages]
    assert said == ["FDSTOREREMOVE=1", "FDSTOREREMOVE=1", "FDSTORE=1", "FDSTORE=1", "BARRIER=1"]
    assert all("FDPOLL=0" in message for message in manager.messages if "FDSTORE=1" in message)


@mounts_for_real
def test_the_shadow_is_read_only_and_nothing_in_a_proposal_is_executed(manager: ServiceManager, places: Places) -> None:
    assert run("up", *places, notify=manager.address).returncode == 0
    project, proposals = (options(place) for place in places)
    assert {"ro", "nosuid", "nodev", "default_permissions", "allow_other"} <= project
    assert {"rw", "nosuid", "nodev", "noexec", "allow_other"} <= proposals
    assert "default_permissions" not in proposals


@mounts_for_real
@pytest.mark.parametrize("which", Places._fields)
def test_down_frees_a_blocked_reader_and_leaves_nothing(
    manager: ServiceManager, places: Places, wait_for: Callable[..., None], which: str
) -> None:
    place = getattr(places, which)
    assert run("up", *places, notify=manager.address).returncode == 0
    with subprocess.Popen(["cat", place / "file"], stderr=subprocess.PIPE, text=True) as reader:
        wait_for(lambda: blocked(reader), "a reader blocked by a server that is not there")
        done = run("down", *places, notify=manager.address)
        assert (done.returncode, done.stderr) == (0, "")
        _, complaint = reader.communicate(timeout=SECONDS)
    assert reader.returncode == 1
    assert "cat:" in complaint
    assert [connections(place) for place in places] == [[], []]
    assert manager.stored == {}
    assert [list(place.iterdir()) for place in places] == [[], []]


@mounts_for_real
def test_up_replaces_what_a_dead_server_left(manager: ServiceManager, places: Places) -> None:
    assert run("up", *places, notify=manager.address).returncode == 0
    manager.forget()
    assert run("up", *places, notify=manager.address).returncode == 0
    assert [len(connections(place)) for place in places] == [1, 1]
    assert [asks_to_begin(descriptor) for stored in manager.stored.values() for descriptor in stored] == [True, True]


@mounts_for_real
def test_up_replaces_a_connection_whose_descriptor_is_still_stored(
    manager: ServiceManager, places: Places, wait_for: Callable[..., None]
) -> None:
    assert run("up", *places, notify=manager.address).returncode == 0
    with subprocess.Popen(["cat", places.project / "file"], stderr=subprocess.PIPE, text=True) as reader:
        wait_for(lambda: blocked(reader), "a reader blocked by a server that is not there")
        assert run("up", *places, notify=manager.address).returncode == 0
        reader.communicate(timeout=SECONDS)
    assert reader.returncode == 1
    assert [len(connections(place)) for place in places] == [1, 1]
    assert [asks_to_begin(descriptor) for stored in manager.stored.values() for descriptor in stored] == [True, True]


def test_down_where_nothing_is_mounted_is_fine_and_forgets_all_the_same(
    manager: ServiceManager, places: Places
) -> None:
    assert run("down", *places, notify=manager.address).returncode == 0
    removed = [f"FDSTOREREMOVE=1\nFDNAME={name}" for name in ("fuse", "fuse-proposals")]
    assert manager.messages == [*removed, "BARRIER=1"]


@as_root
def test_somebody_s_mount_whose_name_is_no_text_is_no_obstacle(
    manager: ServiceManager, places: Places, tmp_path: Path
) -> None:
    odd = tmp_path / os.fsdecode(b"caf\xe9\x0c\xe2\x80\xa8")
    odd.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "none", odd], check=True)
    try:
        done = run("down", *places, notify=manager.address)
        assert (done.returncode, done.stderr) == (0, "")
    finally:
        subprocess.run(["umount", odd], check=True)


@mounts_for_real
def test_what_fusermount3_refuses_is_told_in_one_line_and_neither_mount_is_left(
    manager: ServiceManager, places: Places
) -> None:
    done = run("up", places.project, places.proposals / "missing", notify=manager.address)
    assert done.returncode == 1
    assert done.stderr.startswith("lighthouse-mount: cannot mount ")
    assert done.stderr.count("\n") == 1
    assert manager.stored == {}
    assert connections(places.project) == []


def test_outside_a_unit_it_says_so(places: Places) -> None:
    done = run("down", *places)
    assert done.returncode == 1
    assert (
        done.stderr == "lighthouse-mount: NOTIFY_SOCKET is not set: this program runs inside lighthouse.service only\n"
    )


def test_a_manager_that_is_away_is_told_in_one_line(places: Places, tmp_path: Path) -> None:
    done = run("down", *places, notify=tmp_path / "nobody")
    assert done.returncode == 1
    assert done.stderr.startswith("lighthouse-mount: ")
    assert done.stderr.count("\n") == 1


def test_a_manager_that_does_not_read_is_not_waited_for_forever(
    program: ModuleType,
    tmp_path: Path,
    places: Places,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    monkeypatch.setattr(program, "WAIT_SECONDS", 0.05)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "deaf"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(tmp_path / "deaf"))
        assert program.main(["down", *map(str, places)]) == 1
    assert capsys.readouterr().err == "lighthouse-mount: the service manager did not answer within 0.05 s\n"


@pytest.mark.parametrize(
    "arguments",
    [(), ("up",), ("up", "/a"), ("sideways", "/a", "/b"), ("up", "/a", "relative"), ("up", "/a", "/b", "/c")],
)
def test_wrong_usage_exits_2(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stderr == "usage: lighthouse-mount up|down PROJECT PROPOSALS\n"


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
