"""What these tests share: loading programs and modules from where they lie, waiting with a bound, a user's folder."""

import importlib.machinery
import importlib.util
import json
import os
import pwd
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import ansible.module_utils
import pytest
from ansible.module_utils.testing import patch_module_args

ROOT = Path(__file__).resolve().parents[2]

# Where Ansible puts the roles' own module_utils when it ships a module.
ansible.module_utils.__path__.extend(str(folder) for folder in (ROOT / "roles").glob("*/module_utils"))
sys.dont_write_bytecode = True


@pytest.fixture
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def load() -> Callable[[str], ModuleType]:
    """`load("roles/…/name")`: the program or module of that path, with or without a suffix, freshly imported."""

    def from_path(path: str) -> ModuleType:
        name = Path(path).name.removesuffix(".py").replace("-", "_")
        loader = importlib.machinery.SourceFileLoader(name, str(ROOT / path))
        module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
        loader.exec_module(module)
        return module

    return from_path


@pytest.fixture
def call(load: Callable[[str], ModuleType], capsys: pytest.CaptureFixture[str]) -> Callable[..., dict]:
    """`call(module's path, check_mode=False, **options)`: an Ansible module's answer, as a task would get it."""

    def answer(module: str, /, check_mode: bool = False, **options: object) -> dict:
        with patch_module_args({"_ansible_check_mode": check_mode, **options}), pytest.raises(SystemExit):
            load(module).main()
        return json.loads(capsys.readouterr().out)

    return answer


@pytest.fixture
def wait_for() -> Callable[..., None]:
    """`wait_for(condition, what)`: until `condition()` is true, or fail after `timeout` seconds."""

    def wait(condition: Callable[[], object], what: str, timeout: float = 10.0) -> None:
        end = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > end:
                pytest.fail(f"waited {timeout} s in vain for {what}")
            time.sleep(0.005)

    return wait


@pytest.fixture
def account() -> Iterator[pwd.struct_passwd]:
    """The user `nobody` with a home of its own, in which root's rights are not at hand."""
    if os.getuid() != 0:
        pytest.skip("acting as another user takes root")
    nobody = pwd.getpwnam("nobody")
    home = tempfile.mkdtemp(prefix="lighthouse-home-")
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    fields = list(nobody)
    fields[5] = home
    yield pwd.struct_passwd(fields)
    shutil.rmtree(home)
