"""`lighthouse serve` refuses as every command does: one line on standard error, exit code 1."""

from pathlib import Path
from typing import Any


def test_a_refused_start_is_one_line_for_a_person(lighthouse: Any, tmp_path: Path) -> None:
    refused = lighthouse(
        "serve", "--project", tmp_path / "nowhere", "--state", tmp_path / "state", "--no-mount"
    )
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "nowhere is not a folder" in refused.stderr
