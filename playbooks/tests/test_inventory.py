"""Which host the playbook meets, and how it is reached: the automatic inventory and those written by hand."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
ANSIBLE = Path(sys.executable).parent


@pytest.fixture
def auto(load: Callable[[str], ModuleType]) -> ModuleType:
    return load("inventory/auto.py")


def run(*command: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", **environment},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def host(done: subprocess.CompletedProcess[str]) -> tuple[str, dict]:
    """The only host of the inventory and its variables."""
    assert done.returncode == 0, done.stderr
    inventory = json.loads(done.stdout)
    (name,) = inventory["lighthouse"]["hosts"]
    return name, inventory["_meta"]["hostvars"][name]


@pytest.mark.parametrize("chosen", ["local", "vm"])
def test_the_target_may_be_chosen(auto: ModuleType, monkeypatch: pytest.MonkeyPatch, chosen: str) -> None:
    monkeypatch.setenv("LIGHTHOUSE_TARGET", chosen)
    assert auto.target() == chosen


def test_another_choice_is_refused(auto: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIGHTHOUSE_TARGET", "moon")
    with pytest.raises(SystemExit, match="LIGHTHOUSE_TARGET=moon: write local or vm"):
        auto.target()


def test_a_host_without_systemd_cannot_carry_it(auto: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIGHTHOUSE_TARGET", raising=False)
    found = auto.target()
    assert found in ("local", "vm")
    if not Path("/run/systemd/system").is_dir():
        assert found == "vm"


def test_this_host_serves_the_named_folder_or_this_repository(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    name, variables = host(run("inventory/auto.py", LIGHTHOUSE_TARGET="local", LIGHTHOUSE_PROJECT=f"{tmp_path}/link"))
    assert name == "localhost"
    assert variables == {"ansible_connection": "local", "lighthouse_project_path": str(tmp_path)}
    _, variables = host(run("inventory/auto.py", LIGHTHOUSE_TARGET="local", LIGHTHOUSE_PROJECT=""))
    assert variables["lighthouse_project_path"] == str(ROOT)


def test_a_machine_that_is_not_there_is_told(tmp_path: Path) -> None:
    done = run("inventory/auto.py", LIGHTHOUSE_TARGET="vm", XDG_CACHE_HOME=str(tmp_path))
    assert done.returncode == 1
    assert "make up starts it" in done.stderr


def rendered(inventory: str, names: Iterable[str], tmp_path: Path, **environment: str) -> dict:
    """These variables as Ansible itself sees them in the inventory of that name."""
    shown = {name: f"{{{{ {name} }}}}" for name in names}
    done = run(
        *(ANSIBLE / "ansible", "-i", f"inventory/{inventory}", "lighthouse"),
        *("-m", "debug", "-a", json.dumps({"msg": shown})),
        ANSIBLE_HOME=str(tmp_path / "ansible"),
        **environment,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout[done.stdout.index("{") :])["msg"]


def test_the_written_inventory_of_this_host_says_the_same(tmp_path: Path) -> None:
    environment = {"LIGHTHOUSE_TARGET": "local", "LIGHTHOUSE_PROJECT": str(tmp_path)}
    _, automatic = host(run("inventory/auto.py", **environment))
    assert rendered("local.yml", automatic, tmp_path, **environment) == automatic


def test_the_written_inventory_of_the_machine_says_the_same(
    load: Callable[[str], ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache folder"))
    one = load("playbooks/vm/machine.py").Machine("appliance")
    one.folder.mkdir(parents=True)
    one.settings_file.write_text(json.dumps({"ssh_port": 2230}))
    environment = {"LIGHTHOUSE_TARGET": "vm", "XDG_CACHE_HOME": str(tmp_path / "cache folder")}
    _, automatic = host(run("inventory/auto.py", **environment))
    del automatic["key"]
    assert rendered("vm.yml", automatic, tmp_path, **environment) == automatic


def test_the_production_example_is_read_by_ansible(tmp_path: Path) -> None:
    done = run(
        *(ANSIBLE / "ansible-inventory", "-i", "inventory/production.example.yml", "--list"),
        ANSIBLE_HOME=str(tmp_path / "ansible"),
    )
    _, variables = host(done)
    options = set()
    for spec in (ROOT / "roles").glob("*/meta/argument_specs.yml"):
        options |= {line.strip().rstrip(":") for line in spec.read_text().splitlines() if line.startswith("      l")}
    assert {name for name in variables if name.startswith("lighthouse_")} <= options
