"""An agent's token and .mcp.json entry, read and written as its user, for real."""

import base64
import json
import os
import pwd
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

MODULE = "roles/agent/library/lighthouse_agent.py"
ENTRY = {
    "command": "/usr/local/bin/lighthouse",
    "args": ["mcp"],
    "env": {"LIGHTHOUSE_BRIDGE_URL": "http://localhost:1"},
}


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


def set_entry(module: ModuleType, account: pwd.struct_passwd, project: Path, write_it: bool = True) -> bool:
    return module.as_user(account, lambda: module.set_entry(project / ".mcp.json", ENTRY, write_it))


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


def test_a_fresh_project_gets_the_entry_once(module: ModuleType, account: pwd.struct_passwd, project: Path) -> None:
    assert set_entry(module, account, project, write_it=False) is True
    assert list(project.iterdir()) == []
    assert set_entry(module, account, project) is True
    path = project / ".mcp.json"
    assert json.loads(path.read_text()) == {"mcpServers": {"lighthouse": ENTRY}}
    assert (path.stat().st_uid, stat.S_IMODE(path.stat().st_mode)) == (account.pw_uid, 0o644)
    assert set_entry(module, account, project) is False
    assert list(project.iterdir()) == [path]


def test_what_else_is_in_the_file_stays_and_so_does_its_mode(
    module: ModuleType, account: pwd.struct_passwd, project: Path
) -> None:
    other = {"command": "other", "env": {"KEY": "größer"}}
    there = {"note": 1, "mcpServers": {"other": other, "lighthouse": {"command": "old"}}}
    path = give(project / ".mcp.json", account, json.dumps(there), 0o600)
    assert set_entry(module, account, project) is True
    assert json.loads(path.read_text()) == {"note": 1, "mcpServers": {"other": other, "lighthouse": ENTRY}}
    assert list(json.loads(path.read_text())) == ["note", "mcpServers"]
    assert "größer" in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_link_stays_a_link(module: ModuleType, account: pwd.struct_passwd, project: Path) -> None:
    kept = give(Path(account.pw_dir, "dotfiles.json"), account, "{}")
    (project / ".mcp.json").symlink_to(kept)
    assert set_entry(module, account, project) is True
    assert (project / ".mcp.json").is_symlink()
    assert json.loads(kept.read_text()) == {"mcpServers": {"lighthouse": ENTRY}}


def test_a_link_to_what_root_alone_may_read_gives_nothing_away(
    module: ModuleType, account: pwd.struct_passwd, project: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text('{"mcpServers": {"bank": {"env": {"PIN": "1234"}}}}')
    secret.chmod(0o600)
    (project / ".mcp.json").symlink_to(secret)
    with pytest.raises(module.Refused, match=r"denied|not a folder") as refused:
        set_entry(module, account, project)
    assert "1234" not in str(refused.value)
    assert "lighthouse" not in secret.read_text()


@pytest.mark.parametrize("text", ['{"mcpServers": ', "[]", '"text"', '{"mcpServers": []}', '{"mcpServers": null}'])
def test_a_file_that_is_no_mcp_json_is_left_as_it_is(
    module: ModuleType, account: pwd.struct_passwd, project: Path, text: str
) -> None:
    path = give(project / ".mcp.json", account, text)
    with pytest.raises(module.Refused, match="mend it first"):
        set_entry(module, account, project)
    assert path.read_text() == text
    assert list(project.iterdir()) == [path]


def test_a_pipe_or_a_folder_in_its_place_is_refused(
    module: ModuleType, account: pwd.struct_passwd, project: Path
) -> None:
    os.mkfifo(project / ".mcp.json")
    with pytest.raises(module.Refused, match="is not a file"):
        set_entry(module, account, project)
    with pytest.raises(module.Refused, match="is not a folder"):
        set_entry(module, account, project / "missing")


def test_a_file_of_somebody_else_s_project_is_refused(
    module: ModuleType, account: pwd.struct_passwd, project: Path
) -> None:
    os.chown(project, 0, 0)
    with pytest.raises(module.Refused, match="Permission denied"):
        set_entry(module, account, project)
    assert list(project.iterdir()) == []


@pytest.fixture
def lighthouse(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The `lighthouse` command of this tree, and a secret for it to mint with."""
    secret = tmp_path / "auth.secret"
    secret.write_text("0123456789abcdef" * 4)
    secret.chmod(0o600)
    monkeypatch.setenv("LIGHTHOUSE_AUTH_SECRET_FILE", str(secret))
    program = tmp_path / "lighthouse"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(root / 'app')!r})\n"
        "from lighthouse.cli.main import main\nsys.exit(main())\n"
    )
    program.chmod(0o755)
    return str(program)


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
    entry = json.loads((project / ".mcp.json").read_text())["mcpServers"]["lighthouse"]
    assert entry["command"] == lighthouse
    assert entry["env"]["LIGHTHOUSE_TOKEN_FILE"] == str(token_file)

    assert let_in(project=str(project))["changed"] is False
    assert token_file.read_text() == token


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
