"""`doctor` and a real mount: alive, silent, dead."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(not Path("/dev/fuse").exists(), reason="this machine has no /dev/fuse")

Look = Callable[[], dict[str, Any]]


@pytest.fixture
def mounted(own_bridge, tmp_path):
    own_bridge.mount = tmp_path / "mount"
    own_bridge.mount.mkdir()
    (own_bridge.project / "a.txt").write_text("a")
    own_bridge.start()
    return own_bridge


@pytest.fixture
def look(lighthouse, mounted) -> Look:
    env = mounted.environment()

    def look() -> dict[str, Any]:
        looked = lighthouse("doctor", "--json", "--mount", str(mounted.mount), env=env)
        assert looked.stderr == ""
        return {check["check"]: check for check in json.loads(looked.stdout)["checks"]}

    return look


def test_a_mount_that_answers(lighthouse, mounted, look) -> None:
    told = look()
    assert [told[name]["state"] for name in ("mount", "proposals", "fuse")] == ["ok", "ok", "ok"]
    found_by_itself = lighthouse("doctor", env=mounted.environment())
    assert f"{mounted.mount} answers" in found_by_itself.stdout
    assert f"{mounted.mount}.proposals answers" in found_by_itself.stdout
    status = lighthouse("status", env=mounted.environment())
    assert f"answers, {mounted.mount}" in status.stdout


def test_a_bridge_that_hangs(mounted, look) -> None:
    mounted.send(signal.SIGSTOP)
    try:
        told = look()
    finally:
        mounted.send(signal.SIGCONT)
    assert told["bridge"]["state"] == "fail"
    assert told["mount"]["state"] == told["proposals"]["state"] == "fail"
    assert "does not answer" in told["mount"]["detail"]


def test_a_dead_mount(mounted, look) -> None:
    mounted.stop(signal.SIGKILL)
    told = look()
    for name, place in (("mount", mounted.mount), ("proposals", f"{mounted.mount}.proposals")):
        assert told[name]["state"] == "fail"
        assert "dead" in told[name]["detail"]
        assert f"fusermount3 -u -z {place}" in told[name]["todo"]
