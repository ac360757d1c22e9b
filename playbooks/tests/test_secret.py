"""The bridge's secret: made once, closed to others, told apart without being told."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def module(load: Callable[[str], ModuleType]) -> ModuleType:
    return load("roles/bridge/library/lighthouse_secret.py")


def test_a_new_secret_is_64_digits_that_nobody_else_may_read(module: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "auth.secret"
    module.make(path)
    assert path.stat().st_mode & 0o777 == 0o600
    value = path.read_text()
    assert len(value) == 65
    assert int(value, 16) > 0
    module.make(tmp_path / "another")
    assert (tmp_path / "another").read_text() != value


def test_an_existing_file_is_never_overwritten(module: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "auth.secret"
    path.write_text("kept")
    with pytest.raises(FileExistsError):
        module.make(path)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        module.make(link)
    assert path.read_text() == "kept"
    assert not (tmp_path / "elsewhere").exists()


def test_a_digest_tells_secrets_apart_and_does_not_hold_them(module: ModuleType) -> None:
    one, other = module.keyed_digest(b"a" * 64), module.keyed_digest(b"b" * 64)
    assert one == module.keyed_digest(b"a" * 64)
    assert one != other
    assert len(one) == 64
    assert "a" * 64 not in one


def test_a_secret_others_may_read_is_refused(call: Callable[..., dict], tmp_path: Path) -> None:
    path = tmp_path / "auth.secret"
    path.write_text("0" * 64)
    path.chmod(0o644)
    answer = call("roles/bridge/library/lighthouse_secret.py", user="nobody", name="lighthouse-auth", path=str(path))
    assert answer["failed"] is True
    assert "0600" in answer["msg"]
    assert "0" * 64 not in str(answer)


def test_check_mode_on_a_virgin_host_makes_nothing(call: Callable[..., dict], tmp_path: Path) -> None:
    path = tmp_path / "auth.secret"
    answer = call(
        "roles/bridge/library/lighthouse_secret.py", check_mode=True, user="x", name="lighthouse-auth", path=str(path)
    )
    assert answer["changed"] is True
    assert not path.exists()
