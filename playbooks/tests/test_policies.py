"""The folder of policies: what is shipped reaches it, what a person did there stays, nothing broken is put in force."""

import os
import pwd
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

MODULE = "roles/bridge/library/lighthouse_policies.py"
ALLOW = '@id("look")\npermit (principal, action == Action::"read", resource);\n'
ALLOW_MORE = ALLOW + '@id("write")\npermit (principal, action == Action::"write", resource);\n'
DENY = '@id("no-push")\n@decision("deny")\nforbid (principal, action == Action::"push", resource);\n'
OWN = '@id("own")\nforbid (principal, action == Action::"install", resource);\n'


class Installed:
    """A host: the shipped policies and the folder the bridge follows."""

    def __init__(self, call: Callable[..., dict], root: Path) -> None:
        self.call = call
        self.shipped, self.folder = root / "shipped", root / "policies"
        self.shipped.mkdir()
        self.ship("10-allow.cedar", ALLOW)
        self.ship("20-deny.cedar", DENY)

    def ship(self, name: str, text: str | None) -> None:
        if text is None:
            (self.shipped / name).unlink()
        else:
            (self.shipped / name).write_text(text)

    def install(self, **options: object) -> dict:
        given = {"command": str(Path(sys.executable).with_name("lighthouse")), "user": "root"}
        places = {"folder": str(self.folder), "shipped": str(self.shipped)}
        return self.call(MODULE, **{**places, **given, **options})

    def files(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in self.folder.iterdir() if path.name != ".installed"}


@pytest.fixture
def host(call: Callable[..., dict], tmp_path: Path) -> Installed:
    if os.getuid() != 0:
        pytest.skip("checking as another user takes root")
    return Installed(call, tmp_path)


def test_they_are_installed_for_all_to_read_and_a_second_run_changes_nothing(host: Installed) -> None:
    assert host.install(check_mode=True)["changed"] is True
    assert not host.folder.exists()
    assert host.install()["changed"] is True
    assert host.files() == {"10-allow.cedar": ALLOW, "20-deny.cedar": DENY}
    assert host.folder.stat().st_mode & 0o7777 == 0o755
    assert {path.stat().st_mode & 0o7777 for path in host.folder.iterdir()} == {0o644}
    again = host.install()
    assert (again["changed"], again["told"]) == (False, [])


def test_a_new_version_arrives_and_what_is_no_longer_shipped_goes(host: Installed) -> None:
    host.install()
    (host.folder / "50-own.cedar").write_text(OWN)
    host.ship("10-allow.cedar", ALLOW_MORE)
    host.ship("20-deny.cedar", None)
    assert (host.install()["changed"], host.install()["changed"]) == (True, False)
    assert host.files() == {"10-allow.cedar": ALLOW_MORE, "50-own.cedar": OWN}


def test_an_edited_file_stays_until_a_new_version_comes_and_is_kept_beside_it(host: Installed) -> None:
    host.install()
    (host.folder / "10-allow.cedar").write_text(ALLOW + "// mine\n")
    kept = host.install()
    assert kept["changed"] is False
    assert kept["told"] == ["10-allow.cedar was edited and stays so"]
    assert "stays so" in str(kept["warnings"])

    host.ship("10-allow.cedar", ALLOW_MORE)
    assert host.install(check_mode=True)["changed"] is True
    assert host.files()["10-allow.cedar"] == ALLOW + "// mine\n"
    (told,) = host.install()["told"]
    (aside,) = (name for name in host.files() if ".edited-" in name)
    assert aside in told
    assert host.files() == {"10-allow.cedar": ALLOW_MORE, aside: ALLOW + "// mine\n", "20-deny.cedar": DENY}
    again = host.install()
    assert (again["changed"], again["told"]) == (False, [])


def test_an_edited_file_that_is_no_longer_shipped_is_set_aside(host: Installed) -> None:
    host.install()
    (host.folder / "20-deny.cedar").write_text(DENY + "// mine\n")
    host.ship("20-deny.cedar", None)
    assert "no longer shipped" in host.install()["told"][0]
    assert sorted(text for name, text in host.files().items() if name != "10-allow.cedar") == [DENY + "// mine\n"]
    assert host.install()["told"] == []


def test_a_removed_file_stays_away(host: Installed) -> None:
    host.install()
    (host.folder / "10-allow.cedar").unlink()
    host.ship("10-allow.cedar", ALLOW_MORE)
    for _ in range(2):
        assert host.install()["told"] == ["10-allow.cedar was removed and stays away"]
    assert host.files() == {"20-deny.cedar": DENY}


def test_a_person_s_file_of_a_name_that_is_shipped_later_is_kept_beside_it(host: Installed) -> None:
    host.folder.mkdir()
    (host.folder / "10-allow.cedar").write_text(ALLOW_MORE)
    host.install()
    assert host.files()["10-allow.cedar"] == ALLOW
    assert ALLOW_MORE in host.files().values()


def test_the_inventory_s_files_come_beside_the_shipped_ones_and_may_replace_them(host: Installed) -> None:
    assert host.install(files=[["40-own.cedar", OWN], ["10-allow.cedar", ALLOW_MORE]])["changed"] is True
    assert host.files() == {"10-allow.cedar": ALLOW_MORE, "20-deny.cedar": DENY, "40-own.cedar": OWN}
    host.install()
    assert host.files() == {"10-allow.cedar": ALLOW, "20-deny.cedar": DENY}


@pytest.mark.parametrize("name", ["../x.cedar", "x.txt", ".x.cedar"])
def test_a_name_that_is_none_is_refused(host: Installed, name: str) -> None:
    assert "cannot be a policy's file" in host.install(files=[[name, OWN]])["msg"]


def test_two_files_of_one_name_are_refused(host: Installed) -> None:
    assert host.install(files=[["x.cedar", OWN], ["x.cedar", DENY]])["failed"] is True


def test_what_the_bridge_would_not_take_fails_and_changes_nothing(host: Installed) -> None:
    host.install()
    before = host.files()
    answer = host.install(files=[["40-own.cedar", "permit ("]])
    assert "40-own.cedar is not Cedar" in answer["msg"]
    assert str(host.shipped) not in answer["msg"]
    assert host.files() == before

    # A person's own broken file is found as well, before the bridge is started anew.
    (host.folder / "50-own.cedar").write_text(DENY)
    assert "two policies of the name no-push" in host.install()["msg"]


def test_a_link_out_of_the_folder_is_refused(host: Installed, tmp_path: Path) -> None:
    host.install()
    (tmp_path / "elsewhere.cedar").write_text(OWN)
    (host.folder / "50-own.cedar").symlink_to(tmp_path / "elsewhere.cedar")
    assert "is a link out of the folder" in host.install()["msg"]


def test_they_are_read_with_the_bridge_s_rights(host: Installed, account: pwd.struct_passwd) -> None:
    command = Path(account.pw_dir, "lighthouse")
    # Root's .venv may be closed to others: the command reads as the user what the module put there for it.
    command.write_text('#!/bin/sh\ncat "$4"/*.cedar >/dev/null\n')
    command.chmod(0o755)
    assert host.install(command=str(command), user=account.pw_name)["changed"] is True
    own = host.folder / "50-own.cedar"
    own.write_text(OWN)
    own.chmod(0o600)
    answer = host.install(command=str(command), user=account.pw_name)
    assert "Permission denied" in answer["msg"]
    assert str(own) in answer["msg"]


def test_on_a_host_without_the_command_check_mode_foretells_the_change(host: Installed) -> None:
    assert host.install(check_mode=True, command="/nowhere/lighthouse")["changed"] is True
