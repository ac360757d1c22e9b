"""`lighthouse serve`: folders become absolute; a refusal is one line on standard error, exit code 1."""

from pathlib import Path
from typing import Any

import pytest

from lighthouse.bridge import main_bridge
from lighthouse.config import Settings


def test_a_refused_start_is_one_line_for_a_person(lighthouse: Any, tmp_path: Path) -> None:
    refused = lighthouse(
        "serve", "--project", tmp_path / "nowhere", "--state", tmp_path / "state", "--no-mount"
    )
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "nowhere is not a folder" in refused.stderr


@pytest.mark.parametrize("mount", ["mnt", "mnt/", "./mnt"])
def test_folders_are_told_so_that_they_hold_elsewhere(
    mount: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Settings] = []

    async def run(settings: Settings, *_: object, **__: object) -> None:
        told.append(settings)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIGHTHOUSE_CONFIG", "")
    monkeypatch.setattr(main_bridge.service, "run", run)
    main_bridge.serve("shop", mount, "state")
    assert told[0].project_path == tmp_path / "shop"
    assert told[0].mount_point == tmp_path / "mnt"
    # Beside the mount and never within it, where it would wait for itself.
    assert told[0].proposals_mount_point == tmp_path / "mnt.proposals"
