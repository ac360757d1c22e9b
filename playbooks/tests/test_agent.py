"""An agent's token and its client's entries in a project, read and written as its user, for real."""

import base64
import json
import os
import pwd
import stat
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

MODULE = "roles/agent/library/lighthouse_agent.py"
SETTINGS, MCP = ".claude/settings.json", ".mcp.json"


@pytest.fixture
def module(load: Callable[[str], ModuleType]) -> ModuleType:
    return load(MODULE)


@pytest.fixture
def project(account: pwd.struct_passwd) -> Path:
    """A folder of that user's, in its home."""
    path = Path(account.pw_dir, "shop")
    path.mkdir()
    os.chown(path, account.pw_uid, account.pw_gid)
    return path


def give(path: Path, account: pwd.struct_passwd, text: str, mode: int = 0o644) -> Path:
    path.write_text(text)
    path.chmod(mode)
    os.chown(path, account.pw_uid, account.pw_gid)
    return path


def test_work_is_done_with_the_user_s_rights_only(module: ModuleType, account: pwd.struct_passwd) -> None:
    ids = module.as_user(account, lambda: [os.getresuid(), os.getresgid(), os.getgroups()])
    assert ids[0] == [account.pw_uid] * 3
    assert ids[1] == [account.pw_gid] * 3
    assert 0 not in ids[2]
    assert os.getuid() == 0


def test_what_the_user_may_not_do_is_refused_in_one_line(
    module: ModuleType, account: pwd.struct_passwd, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("{}")
    secret.chmod(0o600)
    with pytest.raises(module.Refused, match=r"Permission denied.*\(as nobody\)"):
        module.as_user(account, secret.read_text)


def starts(program: Path) -> bool:
    try:
        return subprocess.run([program, "--version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.fixture
def lighthouse(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: ModuleType, account: pwd.struct_passwd
) -> Iterator[str]:
    """The `lighthouse` command of this tree, where that user can start it, and a secret for it to mint with."""
    secret = tmp_path / "auth.secret"
    secret.write_text("0123456789abcdef" * 4)
    secret.chmod(0o600)
    monkeypatch.setenv("LIGHTHOUSE_AUTH_SECRET_FILE", str(secret))
    with tempfile.TemporaryDirectory(prefix="lighthouse-bin-") as folder:
        Path(folder).chmod(0o755)
        program = Path(folder, "lighthouse")
        # The tests' own Python may lie in root's home.
        for python in (sys.executable, "/usr/bin/python3"):
            program.write_text(
                f"#!{python} -IS\nimport sys\n"
                f"sys.path[:0] = [{str(root / 'app')!r}, {sysconfig.get_path('platlib')!r}]\n"
                "from lighthouse.cli.main import main\nsys.exit(main())\n"
            )
            program.chmod(0o755)
            if module.as_user(account, lambda: starts(program)):
                break
        else:
            pytest.skip("no Python that others may start has what the command needs")
        yield str(program)


@pytest.fixture
def let_in(
    call: Callable[..., dict], account: pwd.struct_passwd, lighthouse: str, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict]:
    """The module as a task calls it, for that user."""
    monkeypatch.setattr(pwd, "getpwnam", lambda name: account)

    def run(**options: object) -> dict:
        return call(MODULE, **{"agent": "builder-1", "user": "nobody", "command": lighthouse, **options})

    return run


def test_the_token_is_made_once_and_is_the_user_s_alone(
    let_in: Callable[..., dict], account: pwd.struct_passwd, project: Path, lighthouse: str
) -> None:
    foretold = let_in(project=str(project), check_mode=True)
    assert foretold["changed"] is True
    assert not Path(foretold["token_file"]).exists()

    made = let_in(project=str(project))
    assert made["changed"] is True
    token_file = Path(account.pw_dir, ".config/lighthouse/builder-1.token")
    assert made["token_file"] == str(token_file)
    token = token_file.read_text()
    assert token.count(".") == 2
    assert token.strip() not in json.dumps(made)
    assert (token_file.stat().st_uid, stat.S_IMODE(token_file.stat().st_mode)) == (account.pw_uid, 0o600)

    assert let_in(project=str(project))["changed"] is False
    assert token_file.read_text() == token


def test_the_client_is_connected_and_no_longer(
    let_in: Callable[..., dict], account: pwd.struct_passwd, project: Path, lighthouse: str
) -> None:
    there = give(project / MCP, account, '{"mcpServers": {"other": {"command": "größer"}}}', 0o600)
    assert let_in(project=str(project), check_mode=True)["changed"] is True
    assert [path.name for path in project.iterdir()] == [MCP]
    token_file = let_in(project=str(project))["token_file"]
    servers = json.loads(there.read_text())["mcpServers"]
    assert servers["lighthouse"]["command"] == lighthouse
    assert servers["lighthouse"]["env"]["LIGHTHOUSE_TOKEN_FILE"] == token_file
    assert stat.S_IMODE(there.stat().st_mode) == 0o600
    settings = project / SETTINGS
    assert settings.stat().st_uid == account.pw_uid
    (group,) = json.loads(settings.read_text())["hooks"]["PreToolUse"]
    assert group["hooks"][0]["onFailure"] == "block"
    # Another agent that goes takes only its own with it.
    assert let_in(project=str(project), agent="builder-2", state="absent")["changed"] is False
    assert let_in(project=str(project), state="absent", check_mode=True)["changed"] is True
    assert let_in(project=str(project), state="absent")["changed"] is True
    assert json.loads(there.read_text()) == {"mcpServers": {"other": {"command": "größer"}}}
    assert [path.name for path in project.iterdir()] == [MCP]
    assert not Path(token_file).exists()
    assert let_in(project=str(project), state="absent")["changed"] is False


def test_it_is_foretold_before_the_command_is_there(let_in: Callable[..., dict], project: Path, tmp_path: Path) -> None:
    ahead: dict = {"project": str(project), "command": str(project / "lighthouse"), "check_mode": True}
    assert let_in(**ahead)["changed"] is True
    assert let_in(**ahead, state="absent")["changed"] is False
    assert list(project.iterdir()) == []


def test_the_ways_to_ask(let_in: Callable[..., dict], project: Path) -> None:
    let_in(project=str(project), hook="command", scope="local")
    text = (project / ".claude/settings.local.json").read_text()
    assert "LIGHTHOUSE_TOKEN_FILE=" in text
    let_in(project=str(project), hook="none")
    assert [path.name for path in project.iterdir()] == [MCP]


def test_a_link_in_a_project_is_not_followed(
    let_in: Callable[..., dict], account: pwd.struct_passwd, project: Path, tmp_path: Path
) -> None:
    kept = give(Path(account.pw_dir, "dotfiles.json"), account, "{}")
    (project / MCP).symlink_to(kept)
    assert "symbolic link" in let_in(project=str(project))["msg"]
    assert kept.read_text() == "{}"
    assert [path.name for path in project.iterdir()] == [MCP]


def test_a_file_that_is_no_json_is_left_as_it_is(
    let_in: Callable[..., dict], account: pwd.struct_passwd, project: Path
) -> None:
    path = give(project / MCP, account, '{"mcpServers": ')
    assert "mend it first" in let_in(project=str(project))["msg"]
    assert path.read_text() == '{"mcpServers": '
    assert list(project.iterdir()) == [path]


def test_somebody_else_s_project_is_refused(let_in: Callable[..., dict], project: Path) -> None:
    os.chown(project, 0, 0)
    project.chmod(0o755)
    assert "Permission denied" in let_in(project=str(project))["msg"]
    assert list(project.iterdir()) == []
    assert "cannot be opened" in let_in(project=str(project / "missing"))["msg"]


def token_made(days_ago: float, for_days: float) -> str:
    """The form of a token; its signature is the bridge's affair."""
    made = time.time() - days_ago * 86400
    claims = json.dumps({"role": "agent", "iat": int(made), "exp": int(made + for_days * 86400)})
    return f"e30.{base64.urlsafe_b64encode(claims.encode()).decode().rstrip('=')}.c2ln"


def test_a_token_about_to_run_out_is_made_anew(let_in: Callable[..., dict], account: pwd.struct_passwd) -> None:
    path = Path(let_in(ttl="10d")["token_file"])
    give(path, account, token_made(days_ago=7, for_days=10), 0o600)
    assert let_in(ttl="10d")["changed"] is False
    old = path.read_text()
    for text in (token_made(days_ago=9, for_days=10), token_made(days_ago=11, for_days=10), "no token", ""):
        give(path, account, text, 0o600)
        assert let_in(ttl="10d")["changed"] is True
        assert path.read_text() not in (old, text)


def test_a_token_of_another_role_or_length_of_life_is_made_anew(let_in: Callable[..., dict]) -> None:
    seen = set()
    for options in ({}, {"ttl": "7d"}, {"ttl": "7d", "role": "observer"}, {"ttl": "3600", "role": "observer"}):
        made = let_in(**options)
        assert made["changed"] is True
        assert let_in(**options)["changed"] is False
        seen.add(Path(made["token_file"]).read_text())
    assert len(seen) == 4
    assert "is no time to live" in let_in(ttl="soon")["msg"]


def test_why_there_is_no_token_is_said(let_in: Callable[..., dict], account: pwd.struct_passwd) -> None:
    answer = let_in(agent="../../escape")
    assert answer["failed"] is True
    assert answer["msg"].startswith("no token for ../../escape: ")
    assert "\n" not in answer["msg"]
    assert list(Path(account.pw_dir).iterdir()) == []


def test_a_user_who_is_not_there_is_told(call: Callable[..., dict]) -> None:
    answer = call(MODULE, agent="builder-1", user="no-such-user-here")
    assert answer["failed"] is True
    assert answer["msg"] == "user no-such-user-here does not exist on this host"
