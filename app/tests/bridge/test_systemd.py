"""systemd's side: descriptors taken over by name, and what is said on a real notification socket."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from lighthouse.bridge import systemd
from lighthouse.bridge.systemd import Notifier, inherited
from lighthouse.errors import LighthouseError


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(5)
        yield manager


@pytest.fixture
def descriptors(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Two open descriptors in a row, where systemd's would begin at 3; gives the first."""
    with socket.socket() as one:
        first = os.dup(one.fileno())
        second = first + 1
        os.dup2(one.fileno(), second)
        monkeypatch.setattr(systemd, "FIRST_DESCRIPTOR", first)
        yield first
        os.close(first)
        os.close(second)


def test_descriptors_are_found_by_name(descriptors: int) -> None:
    env = {"LISTEN_FDS": "2", "LISTEN_PID": str(os.getpid()), "LISTEN_FDNAMES": "http:fuse"}
    assert inherited(env) == {"http": [descriptors], "fuse": [descriptors + 1]}


def test_several_may_have_one_name(descriptors: int) -> None:
    assert inherited({"LISTEN_FDS": "2", "LISTEN_FDNAMES": "http:http"}) == {
        "http": [descriptors, descriptors + 1]
    }


def test_the_pid_of_another_name_space_counts_and_another_process_does_not(descriptors: int) -> None:
    env = {"LISTEN_FDS": "1", "LISTEN_FDNAMES": "http"}
    assert inherited(env | {"LISTEN_PID": "1"}) == {"http": [descriptors]}
    assert inherited(env | {"LISTEN_PID": "999999999"}) == {}


def test_they_are_not_passed_on(descriptors: int) -> None:
    os.set_inheritable(descriptors, True)
    inherited({"LISTEN_FDS": "1", "LISTEN_FDNAMES": "http"})
    assert not os.get_inheritable(descriptors)


@pytest.mark.parametrize(
    "env",
    [
        {"LISTEN_FDS": "2", "LISTEN_FDNAMES": "http"},
        {"LISTEN_FDS": "many"},
        {"LISTEN_FDS": "-1"},
        {"LISTEN_FDS": "3", "LISTEN_FDNAMES": "a:b:c"},
    ],
)
def test_what_contradicts_itself_is_refused(descriptors: int, env: dict[str, str]) -> None:
    with pytest.raises(LighthouseError):
        inherited(env)


def test_without_activation_there_is_nothing() -> None:
    assert inherited({}) == {}


def test_what_is_said_is_heard_and_a_status_only_when_it_changed(listener: socket.socket) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": listener.getsockname()})
    notifier.send(READY="1", STATUS="serving\nwell")
    assert listener.recv(4096) == b"READY=1\nSTATUS=serving well"
    notifier.send(STATUS="serving\nwell", WATCHDOG="1")
    assert listener.recv(4096) == b"WATCHDOG=1"


def test_an_abstract_socket_is_understood() -> None:
    name = f"lighthouse-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{name}")
        manager.settimeout(5)
        Notifier({"NOTIFY_SOCKET": f"@{name}"}).send(READY="1")
        assert manager.recv(100) == b"READY=1"


def test_without_a_manager_or_with_one_that_is_gone_nothing_happens(tmp_path: Path) -> None:
    Notifier({}).send(READY="1")
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).send(READY="1")


def test_the_watchdogs_interval_is_half_of_what_is_asked() -> None:
    assert Notifier({}).watchdog_interval is None
    assert Notifier({"WATCHDOG_USEC": "4000000"}).watchdog_interval == 2
    assert Notifier({"WATCHDOG_USEC": "4000000", "WATCHDOG_PID": "1"}).watchdog_interval == 2
    assert Notifier({"WATCHDOG_USEC": "4000000", "WATCHDOG_PID": "999999999"}).watchdog_interval is None
    assert Notifier({"WATCHDOG_USEC": "soon"}).watchdog_interval is None
    assert Notifier({"WATCHDOG_USEC": "4000000"}, watchdog_seconds=10).watchdog_interval == 5
