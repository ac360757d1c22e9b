"""Tools that are not Bash are judged by their own fields."""

from typing import Any

import pytest

from lighthouse.policy.judge import Call
from tests.policy.conftest import PROJECT, Bench


@pytest.mark.parametrize(
    ("tool", "fields", "decision"),
    [
        ("Write", {"file_path": f"{PROJECT}/src/a.py", "content": "rm -rf /"}, "allow"),
        ("Write", {"file_path": "/tmp/a"}, "allow"),
        ("Write", {"file_path": "/etc/passwd"}, "escalate"),
        ("Write", {"file_path": "/dev/sda"}, "deny"),
        ("Write", {"file_path": f"{PROJECT}/.git/hooks/pre-commit"}, "escalate"),
        ("Write", {"file_path": f"{PROJECT}/.claude/settings.json"}, "escalate"),
        ("Write", {"file_path": f"{PROJECT}/../x"}, "escalate"),
        ("Edit", {"file_path": f"{PROJECT}/a.py", "old_string": "a", "new_string": "b"}, "allow"),
        ("MultiEdit", {"file_path": f"{PROJECT}/a.py", "edits": []}, "allow"),
        ("Edit", {"file_path": "/home/ann/.bashrc"}, "escalate"),
        ("NotebookEdit", {"notebook_path": f"{PROJECT}/a.ipynb"}, "allow"),
        ("Read", {"file_path": f"{PROJECT}/a.py"}, "allow"),
        ("Read", {"file_path": f"{PROJECT}/.env"}, "escalate"),
        ("Read", {"file_path": "/home/ann/.ssh/id_rsa"}, "escalate"),
        ("Read", {"file_path": "/usr/include/stdio.h"}, "allow"),
        ("Glob", {"pattern": "**/*.py"}, "allow"),
        ("Grep", {"pattern": "x", "path": "/home/ann/.ssh"}, "escalate"),
        ("WebFetch", {"url": "https://example.com", "prompt": "x"}, "allow"),
        ("WebFetch", {"url": "file:///etc/shadow"}, "escalate"),
        ("WebSearch", {"query": "x"}, "allow"),
        ("TodoWrite", {"todos": []}, "allow"),
        ("Task", {"prompt": "x"}, "allow"),
        ("mcp__lighthouse__lighthouse_status", {}, "allow"),
        ("mcp__other__drop_table", {}, "escalate"),
        ("Write", {}, "escalate"),
        ("Write", {"file_path": 7}, "escalate"),
        ("Bash", {}, "escalate"),
        ("Unheard", {"x": 1}, "escalate"),
    ],
)
def test_a_tool_is_judged_by_what_its_fields_mean(
    tool, fields: dict[str, Any], decision, bench: Bench
) -> None:
    assert bench.judge.verdict(Call(tool, fields, PROJECT)).decision == decision
