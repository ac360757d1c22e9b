"""Whether a path can be mounted on, without mounting."""

import os
from pathlib import Path

import pytest

from lighthouse.mount import MountRefused, mountpoint


@pytest.mark.parametrize("target", ["/mnt/x", "/dev/fd/", "/dev/fd/x", "/dev/fd/3/", "dev/fd/3"])
def test_other_targets_are_no_descriptors(target: str) -> None:
    assert mountpoint.inherited_descriptor(target) is None


def test_a_descriptor_must_be_an_open_fuse_device(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as file, pytest.raises(MountRefused, match="not an open /dev/fuse"):
        mountpoint.inherited_descriptor(f"/dev/fd/{file.fileno()}")
    with pytest.raises(MountRefused, match="not an open /dev/fuse"):
        mountpoint.inherited_descriptor("/dev/fd/999999")


def test_the_missing_folder_is_made(tmp_path: Path) -> None:
    place = mountpoint.prepare(str(tmp_path / "new" / "mount"), tmp_path / "project")
    assert Path(place).is_dir()


def test_dots_and_links_are_resolved_above_the_mount_point(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    place = mountpoint.prepare(f"{tmp_path}/link/../link/mount", tmp_path / "project")
    assert place == str(tmp_path / "real" / "mount")


def test_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mount").mkdir()
    (tmp_path / "mount" / "file").touch()
    with pytest.raises(MountRefused, match="not empty"):
        mountpoint.prepare(str(tmp_path / "mount"), tmp_path / "project")


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MountRefused, match="cannot be a mount point"):
        mountpoint.prepare(str(tmp_path / "file"), tmp_path / "project")


@pytest.mark.parametrize("place", ["project", "project/mount", "."])
def test_mount_and_project_must_not_overlap(tmp_path: Path, place: str) -> None:
    (tmp_path / "project").mkdir()
    with pytest.raises(MountRefused, match="overlap"):
        mountpoint.prepare(str(tmp_path / place), tmp_path / "project")


def test_a_mount_point_is_found_in_the_table_whatever_its_name(tmp_path: Path) -> None:
    table = tmp_path / "mountinfo"
    table.write_bytes(
        b"43 27 0:40 / /mnt/a\\040b\\134c\xff ro - fuse.x x ro\n1 0 8:1 / / rw - ext4 /dev/sda rw\n"
    )
    assert mountpoint.is_mounted(os.fsdecode(b"/mnt/a b\\c\xff"), table)
    assert mountpoint.is_mounted("/", table)
    assert not mountpoint.is_mounted("/mnt/a", table)


def test_others_may_look_where_the_machine_allows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    conf = tmp_path / "fuse.conf"
    conf.write_text("#user_allow_other\n")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "allow_other" not in mountpoint.options(mountpoint.READING, conf)
    conf.write_text("mount_max = 5\n  user_allow_other \n")
    assert {"ro", "default_permissions", "allow_other"} <= mountpoint.options(mountpoint.READING, conf)
    assert "allow_other" not in mountpoint.options(mountpoint.READING, tmp_path / "missing")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert "allow_other" in mountpoint.options(mountpoint.READING, conf)
