"""Running the command as a person does: a process, its exit code and both its outputs."""

import io
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from lighthouse.cli import main

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


@pytest.fixture
def within(monkeypatch, capfd) -> Run:
    """As `lighthouse`, but in this process: a test of many commands would wait for many starts of Python."""

    def call(
        *arguments: str, env: Mapping[str, str], cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        with monkeypatch.context() as patched:
            for name, value in env.items():
                patched.setenv(name, value)
            if cwd is not None:
                patched.chdir(cwd)
            patched.setattr(sys, "stdin", io.StringIO())
            capfd.readouterr()
            code = main.run(arguments)
        told = capfd.readouterr()
        return subprocess.CompletedProcess(arguments, code, told.out, told.err)

    return call
