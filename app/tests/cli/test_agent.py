"""`lighthouse agent`: merged into any settings, taken out as if it had never been there, through no link."""

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lighthouse.cli.installing.document import NotMergeable, parse, render
from lighthouse.cli.installing.entries import (
    Wiring,
    with_hooks,
    with_server,
    without_hooks,
    without_server,
)

WIRING = Wiring(
    "http://localhost:8765",
    "${HOME}/.config/lighthouse/b.token",
    "/usr/local/bin/lighthouse",
    ("/opt/lighthouse", "hook"),
)
SETTINGS, LOCAL, MCP = ".claude/settings.json", ".claude/settings.local.json", ".mcp.json"
OTHERS = {
    "permissions": {"allow": ["Bash(ls:*)"], "deny": []},
    "hooks": {
        "Stop": [{"hooks": [{"type": "command", "command": "say done"}]}],
        "PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": "./guard.sh"}]}],
    },
    "model": "opus",
}
SERVERS = {"mcpServers": {"jira": {"command": "jira-mcp", "env": {"KEY": "grüß"}}}}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    return folder


def run(within, *arguments: str) -> Any:
    return within(*arguments, env={"LIGHTHOUSE_BRIDGE_URL": "http://localhost:8765"})


def install(within, project: Path, *more: str) -> Any:
    return run(within, "agent", "install", "--project", str(project), "--agent", "builder-1", *more)


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b"/"
        for path in folder.rglob("*")
    }


def test_a_new_project_gets_hooks_and_server(within, project: Path) -> None:
    done = install(within, project)
    assert done.returncode == 0, done.stderr
    hooks = json.loads((project / SETTINGS).read_text())["hooks"]
    hook = {
        "type": "http",
        "url": "http://localhost:8765/hooks/claude-code",
        "headers": {"Authorization": "Bearer $LIGHTHOUSE_TOKEN"},
        "allowedEnvVars": ["LIGHTHOUSE_TOKEN"],
        "timeout": 330,
    }
    assert hooks == {
        "PreToolUse": [{"hooks": [hook | {"onFailure": "block"}]}],
        "PostToolUse": [{"hooks": [hook]}],
    }
    server = json.loads((project / MCP).read_text())["mcpServers"]["lighthouse"]
    assert server["args"] == ["mcp"]
    assert server["env"] == {
        "LIGHTHOUSE_BRIDGE_URL": "http://localhost:8765",
        "LIGHTHOUSE_TOKEN_FILE": "${HOME}/.config/lighthouse/builder-1.token",
    }
    assert "+++ .claude/settings.json" in done.stdout
    assert 'LIGHTHOUSE_TOKEN="$(cat ~/.config/lighthouse/builder-1.token)" claude' in done.stderr
    assert run(within, "agent", "remove", "--project", str(project)).returncode == 0
    assert tree(project) == {}


def test_what_is_there_stays_and_comes_back(within, project: Path) -> None:
    (project / ".claude").mkdir()
    (project / SETTINGS).write_text(json.dumps(OTHERS, indent="\t") + "\n")
    (project / MCP).write_text(json.dumps(SERVERS, indent=4, ensure_ascii=False))
    (project / MCP).chmod(0o600)
    before = tree(project)
    assert install(within, project).returncode == 0
    merged = json.loads((project / SETTINGS).read_text())
    assert list(merged) == list(OTHERS)
    assert merged["hooks"]["PreToolUse"][0] == OTHERS["hooks"]["PreToolUse"][0]  # type: ignore[index]
    assert list(json.loads((project / MCP).read_text())["mcpServers"]) == ["jira", "lighthouse"]
    assert stat.S_IMODE((project / MCP).stat().st_mode) == 0o600
    assert run(within, "agent", "remove", "--project", str(project)).returncode == 0
    assert tree(project) == before


def test_the_second_time_changes_nothing(within, project: Path) -> None:
    install(within, project)
    before = {path: path.stat().st_ino for path in project.rglob("*.json")}
    done = install(within, project, "--json")
    assert json.loads(done.stdout) == {"changed": False, "files": []}
    assert {path: path.stat().st_ino for path in project.rglob("*.json")} == before


def test_other_choices_replace_what_was_chosen(within, project: Path) -> None:
    install(within, project)
    done = install(
        within,
        project,
        "--scope",
        "local",
        "--hook",
        "command",
        "--seconds",
        "100",
        "--url",
        "http://h:1",
    )
    assert done.returncode == 0
    assert not (project / SETTINGS).exists()
    (group,) = json.loads((project / LOCAL).read_text())["hooks"]["PreToolUse"]
    (hook,) = group["hooks"]
    assert hook["onFailure"] == "block"
    assert hook["timeout"] == 100
    assert hook["command"].startswith(
        "LIGHTHOUSE_BRIDGE_URL=http://h:1 "
        'LIGHTHOUSE_TOKEN_FILE="${HOME}"/.config/lighthouse/builder-1.token /'
    )
    assert hook["command"].endswith("hook_program.py --seconds 90")
    assert run(within, "agent", "remove", "--project", str(project)).returncode == 0
    assert tree(project) == {}


def test_the_server_alone(within, project: Path) -> None:
    install(within, project)
    assert install(within, project, "--hook", "none").returncode == 0
    assert tree(project).keys() == {MCP}


def test_only_what_is_this_agent_s_is_removed(within, project: Path) -> None:
    install(within, project)
    before = tree(project)
    other = run(within, "agent", "remove", "--project", str(project), "--agent", "builder-2")
    assert (other.returncode, other.stdout) == (0, "nothing to change\n")
    assert tree(project) == before
    run(within, "agent", "remove", "--project", str(project), "--agent", "builder-1")
    assert tree(project) == {}


def test_a_dry_run_only_shows(within, project: Path) -> None:
    done = install(within, project, "--dry-run", "--json")
    told = json.loads(done.stdout)
    assert told["changed"]
    assert [file["path"] for file in told["files"]] == [SETTINGS, MCP]
    assert "/hooks/claude-code" in told["files"][0]["diff"]
    assert tree(project) == {}


@pytest.mark.parametrize(
    "content",
    [
        "// a remark\n{}",
        '{"a": 1,}',
        "[]",
        '{"hooks": []}',
        '{"disableAllHooks": true}',
        '{"hooks": {"PreToolUse": {}}}',
        '{"a": NaN}',
        '{"a": 1, "a": 2}',
        "[" * 100_000,
        '{"a": "\\ud800"}',
        '{"a": 1e999}',
        "\ufeff{}",
    ],
)
def test_what_cannot_be_kept_is_refused_and_nothing_is_written(within, project: Path, content: str) -> None:
    (project / ".claude").mkdir()
    (project / SETTINGS).write_text(content)
    before = tree(project)
    done = install(within, project)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert tree(project) == before


def test_another_program_of_that_name_is_left_alone(within, project: Path) -> None:
    (project / MCP).write_text('{"mcpServers": {"lighthouse": {"command": "web-audits"}}}')
    before = tree(project)
    assert install(within, project).returncode == 1
    assert run(within, "agent", "remove", "--project", str(project)).returncode == 0
    assert tree(project) == before


@pytest.mark.parametrize("name", [SETTINGS, MCP, ".claude"])
@pytest.mark.parametrize("dangling", [False, True])
def test_links_are_not_followed(within, project: Path, name: str, dangling: bool) -> None:
    outside = project.parent / "outside"
    if not dangling:
        outside.mkdir() if name == ".claude" else outside.write_text("{}")
    (project / name).parent.mkdir(exist_ok=True)
    (project / name).symlink_to(outside)
    for command in ("install", "remove"):
        more = ["--agent", "b"] if command == "install" else []
        done = run(within, "agent", command, "--project", str(project), *more)
        assert done.returncode == 1
        assert "symbolic link" in done.stderr
    assert outside.exists() is not dangling
    assert dangling or not tree(outside)
    assert not (project / MCP).is_file() or (project / MCP).is_symlink()


def test_a_pipe_is_not_waited_for(within, project: Path) -> None:
    os.mkfifo(project / MCP)
    assert "no plain file" in install(within, project).stderr


def test_without_agent_and_project_it_says_so(within, project: Path) -> None:
    assert run(within, "agent", "install", "--project", str(project)).returncode == 2
    done = run(within, "agent", "remove", "--project", str(project / "none"))
    assert (done.returncode, "cannot be opened" in done.stderr) == (1, True)


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.dictionaries(st.text(max_size=6), inner, min_size=1, max_size=3)
    ),
    max_leaves=6,
)
events = st.sampled_from(["PreToolUse", "PostToolUse", "Stop"])
groups = st.lists(
    st.dictionaries(st.sampled_from(["matcher", "hooks", "x"]), plain, min_size=1) | plain,
    min_size=1,
    max_size=3,
)
documents = st.dictionaries(st.text(max_size=6), plain, max_size=3).flatmap(
    lambda rest: (
        st.dictionaries(events, groups, min_size=1).map(lambda hooks: rest | {"hooks": hooks}) | st.just(rest)
    )
)


@settings(max_examples=200, deadline=None)
@given(documents, st.sampled_from(["http", "command"]))
def test_whatever_is_there_comes_back(there: dict[str, Any], kind: Any) -> None:
    if not isinstance(there.get("hooks", {}), dict):
        return
    wiring = Wiring(**{**WIRING.__dict__, "kind": kind})
    merged = with_hooks(there, wiring)
    assert with_hooks(merged, wiring) == merged
    assert json.dumps(without_hooks(merged)) == json.dumps(there)
    assert without_hooks(there) == there
    assert parse(render(merged, b""), "x") == merged


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.text(max_size=6), plain, min_size=1, max_size=3))
def test_servers_come_back(known: dict[str, Any]) -> None:
    known.pop("lighthouse", None)
    there = {"mcpServers": known} if known else {}
    merged = with_server(there, WIRING)
    assert with_server(merged, WIRING) == merged
    assert without_server(merged) == there


def test_the_layout_is_kept() -> None:
    for before in (b'{\n    "a": 1\n}\n', b'{\r\n\t"a": 1\r\n}\r\n', b'{\n  "a": 1\n}'):
        assert render(parse(before, "x"), before) == before


def test_an_own_entry_keeps_what_was_added_to_it() -> None:
    there = with_server({}, WIRING)
    there["mcpServers"]["lighthouse"]["timeout"] = 5
    there["mcpServers"]["lighthouse"]["env"]["MORE"] = "1"
    assert with_server(there, WIRING) == there


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_no_file_is_a_failure(raw: bytes) -> None:
    try:
        value = parse(raw, "x")
        rendered = render(value, raw)
    except NotMergeable:
        return
    assert parse(rendered, "x") == value
