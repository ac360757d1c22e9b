"""The virtual machine's bookkeeping, without booting one: settings, processes, ports, arguments."""

import json
import os
import shlex
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

PROGRAM = Path(__file__).resolve().parents[1] / "vm/machine.py"


@pytest.fixture
def machine(load: Callable[[str], ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The program, with a cache folder of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return load("playbooks/vm/machine.py")


def made(machine: ModuleType, **settings: object) -> object:
    """A machine that was made and is not running."""
    one = machine.Machine("appliance")
    one.folder.mkdir(parents=True)
    defaults = {"base": "/nowhere", "ssh_port": 2230, "forwards": [[8765, 8765]], "memory": 2048, "append": ""}
    one.settings_file.write_text(json.dumps({**defaults, **settings}))
    return one


def run(*arguments: str, cache: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(PROGRAM), *arguments],
        env={**os.environ, "XDG_CACHE_HOME": str(cache)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize(("text", "expected"), [("8765", (8765, 8765)), ("80:8080", (80, 8080)), ("80:", (80, 80))])
def test_forwards_are_parsed(machine: ModuleType, text: str, expected: tuple[int, int]) -> None:
    assert machine.forward(text) == expected


def test_a_machine_that_was_never_made_is_told(tmp_path: Path) -> None:
    done = run("inventory", "appliance", cache=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "machine.py: there is no machine appliance: start it first\n"


def test_stopping_and_destroying_what_is_not_there_changes_nothing(tmp_path: Path) -> None:
    for verb in ("stop", "destroy"):
        done = run(verb, "appliance", cache=tmp_path)
        assert (done.returncode, json.loads(done.stdout)) == (0, {"changed": False})
    assert list(tmp_path.iterdir()) == []


def test_destroying_forgets_the_folder(machine: ModuleType, tmp_path: Path) -> None:
    one = made(machine)
    assert json.loads(run("destroy", "appliance", cache=tmp_path).stdout) == {"changed": True}
    assert not one.folder.exists()


def test_wrong_usage_exits_2(tmp_path: Path) -> None:
    for arguments in ((), ("fly", "appliance"), ("start",), ("start", "x", "--forward", "http")):
        assert run(*arguments, cache=tmp_path).returncode == 2


def test_a_process_counts_only_while_it_is_that_program(machine: ModuleType, wait_for: Callable[..., None]) -> None:
    one = made(machine)
    assert one.running() is None
    one.pid_file.write_text("not a number")
    assert one.running() is None
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        one.pid_file.write_text(str(process.pid))
        wait_for(lambda: one.pid(one.pid_file, "cat") == process.pid, "the process to have its name")
        assert one.running() is None
        process.communicate()
    assert one.pid(one.pid_file, "cat") is None


def test_ansible_reaches_it_with_its_own_key_and_known_hosts(machine: ModuleType) -> None:
    one = made(machine, ssh_port=2299)
    variables = one.variables()
    assert (variables["ansible_host"], variables["ansible_port"]) == ("127.0.0.1", 2299)
    assert variables["lighthouse_project_path"] == "/srv/lighthouse/project"
    options = shlex.split(variables["ansible_ssh_common_args"])
    assert options[options.index("-i") + 1] == str(one.key)
    assert f"UserKnownHostsFile={one.folder / 'known_hosts'}" in options
    assert "StrictHostKeyChecking=no" not in options
    assert one.ssh("systemctl", "status")[-3:] == ["root@127.0.0.1", "systemctl", "status"]


@pytest.mark.parametrize("taken", ["ssh", "forward"])
def test_a_taken_port_is_told_before_anything_boots(machine: ModuleType, taken: str) -> None:
    with socket.socket() as other, socket.socket() as free:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        free.bind(("127.0.0.1", 0))
        unused = free.getsockname()[1]
        free.close()
        settings = (
            {"ssh_port": port, "forwards": []} if taken == "ssh" else {"ssh_port": unused, "forwards": [[port, 1]]}
        )
        one = made(machine, **settings)
        with pytest.raises(machine.MachineError, match=f"port {port} is taken"):
            one.boot()
    assert not (one.folder / "qemu.log").exists()


def test_a_command_s_last_words_are_told(machine: ModuleType) -> None:
    with pytest.raises(machine.MachineError, match=r"^sh failed \(3\): it is broken$"):
        machine.run("sh", "-c", "echo on the way; echo it is >&2; echo broken >&2; exit 3")
    assert machine.run("echo", "fine") == "fine\n"


def test_kvm_counts_only_where_the_processor_has_it(machine: ModuleType) -> None:
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        assert machine.has_kvm() is False
    elif machine.platform.machine() == "x86_64":
        flags = Path("/proc/cpuinfo").read_text().split()
        assert machine.has_kvm() is ("vmx" in flags or "svm" in flags)


def test_the_architecture_is_debian_s_word(machine: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.platform, "machine", lambda: "aarch64")
    assert machine.debian_architecture() == "arm64"
    monkeypatch.setattr(machine.platform, "machine", lambda: "pdp11")
    with pytest.raises(machine.MachineError, match="use an amd64 or arm64 host"):
        machine.debian_architecture()
