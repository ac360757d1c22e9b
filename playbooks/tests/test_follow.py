"""What the follower says of the user unit. The whole of it is proved in the virtual machine."""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def follower(load: Callable[[str], ModuleType]) -> ModuleType:
    return load("roles/bridge/files/lighthouse-follow")


def state(**known: object) -> dict[str, object]:
    return {"ActiveState": "active", "SubState": "running", "Result": "success", "StatusText": "", **known}


def test_a_running_bridge_s_own_words_are_passed_on(follower: ModuleType) -> None:
    assert follower.describe(state(StatusText="serving 4,512 files, version 12\n")) == "serving 4,512 files, version 12"
    assert follower.describe(state()) == "running"


@pytest.mark.parametrize(
    ("active", "sub", "result"),
    [("activating", "auto-restart", "signal"), ("failed", "failed", "exit-code"), ("inactive", "dead", "success")],
)
def test_any_other_state_is_told_with_its_result_and_where_to_look(
    follower: ModuleType, active: str, sub: str, result: str
) -> None:
    said = follower.describe(state(ActiveState=active, SubState=sub, Result=result))
    assert said == f"{active} ({sub}, {result}); see: journalctl _SYSTEMD_USER_UNIT=lighthouse.service"


def test_last_words_are_kept(follower: ModuleType) -> None:
    said = follower.describe(state(ActiveState="failed", SubState="failed", StatusText="the log is damaged at 17"))
    assert said.endswith("; last words: the log is damaged at 17")
    assert "\n" not in said


@pytest.mark.parametrize("abstract", [False, True])
def test_the_manager_is_told(
    follower: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, abstract: bool
) -> None:
    address = f"@lighthouse-follow-{os.getpid()}" if abstract else str(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + address[1:] if abstract else address)
        manager.settimeout(10)
        follower.notify("READY=1")
        assert manager.recv(100) == b"READY=1"


def test_without_a_manager_there_is_nobody_to_tell(follower: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    follower.notify("READY=1")
