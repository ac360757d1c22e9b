"""`doctor`: each check has a state, a meaning and, where something is wrong, what to do; none can hang it."""

import json
import time
from pathlib import Path

import pytest

from lighthouse.cli.checks import client, mount, service, system
from lighthouse.cli.checks.bridge import judge_token
from lighthouse.cli.checks.finding import Outcome, ask
from lighthouse.client.answers import Identity

CHECKS = [
    "bridge",
    "token",
    "fuse",
    "mount",
    "proposals",
    "kernel",
    "group",
    "inotify",
    "disk",
    "systemd",
    "linger",
    "podman",
    "apparmor",
    "client",
]
WHERE = Path("/mnt/lighthouse/project")


def test_a_healthy_plain_serve(lighthouse, bridge_process) -> None:
    env = {**bridge_process.environment(), "LIGHTHOUSE_TOKEN": bridge_process.token(ttl=30 * 86400)}
    looked = lighthouse("doctor", "--json", env=env)
    told = {check["check"]: check for check in json.loads(looked.stdout)["checks"]}
    assert list(told) == CHECKS
    assert told["bridge"]["state"] == told["token"]["state"] == "ok"
    assert told["mount"]["state"] == "not applicable"
    for check in told.values():
        assert check["detail"]
        assert bool(check["todo"]) == (check["state"] in ("warn", "fail"))


def test_no_bridge(lighthouse) -> None:
    looked = lighthouse("doctor", env={"LIGHTHOUSE_BRIDGE_URL": "http://127.0.0.1:1"})
    assert looked.returncode == 1
    assert "no bridge answers at http://127.0.0.1:1" in looked.stdout
    assert looked.stderr == ""


def test_a_token_that_is_not_accepted(lighthouse, bridge_process) -> None:
    env = {**bridge_process.environment(), "LIGHTHOUSE_TOKEN": "a.b.c"}
    looked = lighthouse("doctor", "--json", env=env)
    token = json.loads(looked.stdout)["checks"][1]
    assert (looked.returncode, token["state"]) == (1, "fail")
    assert "token create" in token["todo"]


def test_a_token_file_open_to_others(lighthouse, bridge_process, tmp_path) -> None:
    file = tmp_path / "token"
    file.write_text(bridge_process.token())
    file.chmod(0o644)
    env = {"LIGHTHOUSE_BRIDGE_URL": bridge_process.url, "LIGHTHOUSE_TOKEN_FILE": str(file)}
    token = json.loads(lighthouse("doctor", "--json", env=env).stdout)["checks"][1]
    assert (token["state"], token["todo"]) == ("fail", f"run: chmod 600 {file}")


def test_nothing_mounted_where_a_mount_is_named(lighthouse, bridge_process, tmp_path) -> None:
    env = {"LIGHTHOUSE_BRIDGE_URL": bridge_process.url}
    looked = lighthouse("doctor", "--json", "--mount", str(tmp_path), env=env)
    checks = {check["check"]: check for check in json.loads(looked.stdout)["checks"]}
    assert checks["token"]["state"] == "warn"
    assert checks["mount"]["state"] == checks["proposals"]["state"] == "fail"


def test_a_program_that_hangs_does_not_hang_us() -> None:
    begun = time.monotonic()
    outcome = ask(["sleep", "60"], 0.1)
    assert outcome == Outcome(None, "", "")
    assert time.monotonic() - begun < 30
    assert ask(["no-such-program-anywhere"]) is None


@pytest.mark.parametrize(
    ("answer", "state", "told"),
    [
        (None, "not applicable", "no Claude Code"),
        (Outcome(0, "2.1.295 (Claude Code)\n", ""), "ok", "2.1.295"),
        (Outcome(0, "2.2.0 (Claude Code)\n", ""), "ok", "2.2.0"),
        (Outcome(0, "10.0.1\n", ""), "ok", "10.0.1"),
        (Outcome(0, "2.1.294 (Claude Code)\n", ""), "warn", "lets a call pass"),
        (Outcome(0, "1.9.999\n", ""), "warn", "lets a call pass"),
        (Outcome(1, "", "broken"), "warn", "does not tell"),
        (Outcome(None, "", ""), "warn", "does not tell"),
    ],
)
def test_a_client_that_lets_calls_pass(answer: Outcome | None, state: str, told: str) -> None:
    found = client.judge_client(answer)
    assert (found.state, told in found.detail) == (state, True)
    assert bool(found.todo) == (state == "warn")


def test_the_mount_table() -> None:
    table = (
        "36 25 0:32 / /mnt/lighthouse/project ro,nosuid - fuse lighthouse ro\n"
        r"37 25 0:33 / /mnt/a\040b rw - ext4 /dev/sda rw" + "\n"
    )
    assert mount.fuse_mount_at(WHERE, table) == "fuse"
    assert mount.fuse_mount_at(Path("/mnt/a b"), table) == "ext4"
    assert mount.fuse_mount_at(Path("/mnt"), table) is None


@pytest.mark.parametrize(
    ("mounted", "outcome", "state", "said"),
    [
        (None, None, "fail", "nothing is mounted"),
        ("ext4", None, "fail", "not the bridge's"),
        ("fuse", Outcome(0, "x", ""), "ok", "answers"),
        ("fuse.pyfuse3", Outcome(None, "", ""), "fail", "hangs"),
        ("fuse", Outcome(2, "", "ls: cannot access: Transport endpoint is not connected"), "fail", "dead"),
        ("fuse", Outcome(2, "", "ls: cannot access: Permission denied"), "warn", "may not look"),
    ],
)
def test_judging_the_mount(mounted, outcome, state, said) -> None:
    finding = mount.judge("mount", WHERE, mounted, outcome)
    assert finding.state == state
    assert said in finding.detail


@pytest.mark.parametrize(
    ("release", "state"),
    [("6.12.9-amd64", "ok"), ("4.18.0", "ok"), ("4.17.3", "fail"), ("3.10", "fail"), ("odd", "fail")],
)
def test_kernels(release, state) -> None:
    assert system.judge_kernel(release).state == state


@pytest.mark.parametrize(
    ("watches", "instances", "files", "state"),
    [
        (1048576, 1024, 0, "ok"),
        (8192, 1024, 0, "warn"),
        (65536, 1024, 70000, "warn"),
        (1048576, 64, 0, "warn"),
    ],
)
def test_inotify(watches, instances, files, state) -> None:
    assert system.judge_inotify(watches, instances, files).state == state


@pytest.mark.parametrize(("free", "state"), [(5 << 30, "ok"), (1 << 29, "warn"), (1 << 20, "fail")])
def test_disk(free, state) -> None:
    assert system.judge_disk(Path("/var/lib"), free).state == state


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Outcome(0, "active\n", ""), "ok"),
        (Outcome(3, "activating\n", ""), "warn"),
        (Outcome(3, "failed\n", ""), "fail"),
        (None, "warn"),
    ],
)
def test_units(outcome, state) -> None:
    assert service.judge_unit(outcome).state == state


@pytest.mark.parametrize(
    ("version", "state"), [("podman version 5.4.2\n", "ok"), ("podman version 4.9.3\n", "fail")]
)
def test_podman(version, state) -> None:
    assert service.judge_podman(Outcome(0, version, "")).state == state
    assert service.judge_podman(None).state == "fail"


def test_denials() -> None:
    line = (
        'audit: type=1400 audit(1.2:3): apparmor="DENIED" operation="open" class="file" '
        'profile="lighthouse-bridge" name="/etc/passwd" pid=7 comm="python3" requested_mask="r"\n'
    )
    found = service.judge_denials(Outcome(0, line + line.replace("passwd", "shadow"), ""))
    assert found.state == "warn"
    assert "denied 2 accesses" in found.detail
    assert "/etc/shadow" in found.detail
    assert service.judge_denials(Outcome(1, "", "")).state == "ok"
    hidden = Outcome(1, "", "Hint: You are currently not seeing messages from other users and the system.")
    assert service.judge_denials(hidden).state == "warn"


def test_tokens() -> None:
    def identity(valid: bool, left: float | None, kind: str = "agent") -> Identity:
        return Identity(valid, "ann", "agent", kind, "id", "2026-01-01T00:00:00Z", left)

    assert judge_token(identity(True, 30 * 86400)).state == "ok"
    assert judge_token(identity(True, 3600)).state == "warn"
    assert judge_token(identity(True, 3600, "session")).state == "ok"
    assert judge_token(Identity(False)).state == "fail"
