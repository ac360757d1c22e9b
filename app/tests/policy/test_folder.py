"""A folder of policies is followed; a broken file changes nothing."""

from pathlib import Path

import pytest

from lighthouse.policy.act import Act
from lighthouse.policy.folder import PolicyFolder
from lighthouse.policy.rules import Asker, default_texts

ASKER = Asker("ann", "agent", "Bash")
GOOD = '@id("all") permit (principal, action, resource);'
STRICT = '@id("none") @decision("deny") forbid (principal, action, resource);'


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "a.cedar").write_text(GOOD)
    return tmp_path


def decision(policies: PolicyFolder) -> str:
    return policies.rules.decide(Act("read", "project"), ASKER).decision


def test_the_shipped_set_counts_where_there_is_no_folder(tmp_path) -> None:
    policies = PolicyFolder(tmp_path / "none")
    assert len(policies.rules.rules) > 20
    assert policies.problem is None


def test_the_shipped_set_is_the_same_from_a_folder(tmp_path) -> None:
    for name, text in default_texts().items():
        (tmp_path / name).write_text(text)
    assert PolicyFolder(tmp_path).rules.version == PolicyFolder(tmp_path / "none").rules.version


def test_changes_are_followed(folder) -> None:
    policies = PolicyFolder(folder)
    assert decision(policies) == "allow"
    assert not policies.refresh()
    (folder / "b.cedar").write_text(STRICT)
    assert policies.refresh()
    assert decision(policies) == "deny"
    (folder / "b.cedar").unlink()
    assert policies.refresh()
    assert decision(policies) == "allow"


def test_a_broken_file_keeps_the_last_good_set_and_is_told(folder) -> None:
    policies = PolicyFolder(folder)
    (folder / "b.cedar").write_text("forbid (")
    assert not policies.refresh()
    assert decision(policies) == "allow"
    assert policies.problem is not None
    assert "b.cedar" in policies.problem
    (folder / "b.cedar").write_text(STRICT)
    assert policies.refresh()
    assert policies.problem is None


@pytest.mark.parametrize("raw", [b"forbid (", b"\xff\xfe", b""])
def test_nothing_is_allowed_where_the_policies_were_never_good(raw, tmp_path) -> None:
    (tmp_path / "a.cedar").write_bytes(raw)
    policies = PolicyFolder(tmp_path)
    assert decision(policies) == "escalate"
    assert policies.problem


def test_a_folder_that_goes_away_does_not_unlock_anything(folder, tmp_path) -> None:
    (folder / "a.cedar").write_text(STRICT)
    policies = PolicyFolder(folder)
    (folder / "a.cedar").unlink()
    assert not policies.refresh()
    assert decision(policies) == "deny"


def test_a_folder_out_of_reach_locks(tmp_path: Path) -> None:
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "file").write_text("no folder")
    for name in ("nowhere", "circle", "file", "x" * 300):
        folder = PolicyFolder(tmp_path / name)
        assert folder.problem is not None
        assert list(folder.rules.rules) == ["policies-are-broken"]


def test_a_folder_that_goes_out_of_reach_leaves_what_was_good(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "a.cedar").write_text('@id("mine") forbid (principal, action, resource);')
    (tmp_path / "policies").symlink_to("own")
    folder = PolicyFolder(tmp_path / "policies")
    (tmp_path / "own").rename(tmp_path / "elsewhere")
    assert not folder.refresh()
    assert folder.problem is not None
    assert list(folder.rules.rules) == ["mine"]
    (tmp_path / "elsewhere").rename(tmp_path / "own")
    folder.refresh()
    assert folder.problem is None
