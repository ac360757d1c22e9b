"""Running the command as a person does: a process, its exit code and both its outputs."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def lighthouse(tmp_path) -> Run:
    """`lighthouse("status", env=…)`: run it to its end, with nothing of this machine's settings."""

    def run(
        *arguments: str, env: Mapping[str, str] | None = None, input: str = "", cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        plain = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LIGHTHOUSE_CONFIG": ""}
        return subprocess.run(
            [sys.executable, "-m", "lighthouse.cli.main", *arguments],
            env={**plain, **(env or {})},
            input=input,
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=40,
            check=False,
        )

    return run
