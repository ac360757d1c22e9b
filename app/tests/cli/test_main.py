"""The command as a whole: help, versions, exit codes, one line for an error, no traceback."""

import os
import subprocess
import sys

import pytest

from lighthouse import __version__
from lighthouse.cli.main import run


def test_help_and_version(lighthouse) -> None:
    for arguments in ([], ["--help"], ["-h"]):
        shown = lighthouse(*arguments)
        assert (shown.returncode, shown.stderr) == (0, "")
        assert "doctor" in shown.stdout
    assert lighthouse("--version").stdout == f"{__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["bogus"],
        ["--bogus"],
        ["events"],
        ["events", "bogus"],
        ["token", "create"],
        ["token", "create", "--agent", "a", "--role", "king"],
        ["token", "create", "--agent", "a", "--ttl", "soon"],
        ["token", "create", "--agent", "a", "--ttl", "9" * 400],
        ["events", "query", "--limit", "0"],
        ["events", "export", "--json"],
        ["status", "extra"],
    ],
)
def test_usage(lighthouse, arguments) -> None:
    refused = lighthouse(*arguments)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert one_line(refused.stderr)
    assert "--help" in refused.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"],
        ["events", "query"],
        ["events", "tail"],
        ["events", "verify"],
        ["events", "verify", "--state", "/does/not/exist"],
        ["events", "verify", "--file", "/does/not/exist"],
        ["events", "export", "--state", "/does/not/exist"],
        ["token", "create", "--agent", "ann"],
        ["token", "create", "--agent", "ann", "--state", "/does/not/exist"],
        ["status", "--url", "ftp://x"],
    ],
)
def test_refusals(lighthouse, arguments) -> None:
    refused = lighthouse(*arguments, env={"LIGHTHOUSE_BRIDGE_URL": "http://127.0.0.1:1"})
    assert (refused.returncode, refused.stdout) == (1, "")
    assert one_line(refused.stderr)


def test_a_fault_of_ours_is_no_traceback(monkeypatch, capsys) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("not\nthought of")

    monkeypatch.setattr("lighthouse.client.environment.connection_from", broken)
    monkeypatch.setattr("lighthouse.client.connection_from", broken)
    assert run(["status"]) == 1
    assert "RuntimeError: not thought of" in capsys.readouterr().err


def test_a_reader_that_has_seen_enough() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        ended = subprocess.run(
            [sys.executable, "-m", "lighthouse.cli.main", "--help"],
            stdout=pipe,
            stderr=subprocess.PIPE,
            timeout=30,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from lighthouse.cli.main import run; run(['--help']);"
        "print([n for n in ('aiohttp', 'mcp', 'msgspec', 'rich', 'sqlite3', 'pyfuse3') if n in sys.modules],"
        " file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=30, check=True)
    assert ended.stderr.strip() == b"[]"


def one_line(text: str) -> bool:
    return text.startswith("lighthouse: ") and text.count("\n") == 1 and "Traceback" not in text
