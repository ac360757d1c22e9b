"""`snapshot`, `snapshots` and `diff`: names for versions, and what differs."""

import json
import os
import subprocess

import pytest


@pytest.fixture
def env(own_bridge) -> dict[str, str]:
    (own_bridge.project / "a.txt").write_text("one\n")
    (own_bridge.project / "moved").write_text("moved\n")
    own_bridge.start()
    return own_bridge.environment()


def test_through_time(within, own_bridge, env, tmp_path) -> None:
    made = within("snapshot", "first", "--note", "as it was", env=env)
    assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout.startswith("first is version ")
    (own_bridge.project / "a.txt").write_text("two\n")
    (own_bridge.project / "moved").rename(own_bridge.project / "there")
    (own_bridge.project / os.fsdecode(b"\xff")).touch()
    told = json.loads(within("snapshot", "second", "--json", env=env).stdout)
    again = json.loads(within("snapshot", "again", "--at", "first", "--json", env=env).stdout)
    assert again["seq"] < told["seq"]
    listed = json.loads(within("snapshots", "--json", env=env).stdout)
    assert [one["name"] for one in listed] == ["first", "second", "again"]
    assert "as it was" in within("snapshots", env=env).stdout
    changed = json.loads(within("diff", "first", "second", "--json", env=env).stdout)
    assert {change["op"] for change in changed["changes"]} == {"modified", "renamed", "created"}
    shown = within("diff", "first", env=env).stdout
    assert "moved -> there (100 %)" in shown
    only = within("diff", "first", "second", "a.txt", env=env).stdout.split()
    assert only == ["modified", "a.txt"]
    patch = within("diff", "first", "current", "--patch", env=env).stdout
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "a.txt").write_text("one\n")
    (copy / "moved").write_text("moved\n")
    plain = {"PATH": os.environ["PATH"], "GIT_DIR": "/nonexistent"}
    subprocess.run(["git", "apply"], cwd=copy, env=plain, input=patch, text=True, check=True, timeout=30)
    assert (copy / "a.txt").read_text() == "two\n"
    assert (copy / "there").exists()


def test_what_is_refused(within, own_bridge, env) -> None:
    for arguments, code, reason in [
        (("snapshot", "12"), 1, "snapshot's name"),
        (("snapshot", "x", "--at", "nobody"), 1, "no snapshot nobody"),
        (("diff", "nobody"), 1, "404"),
        (("diff", "1", "2", "--patch", "--json"), 2, "leave one"),
        (("diff",), 2, "Missing argument"),
    ]:
        ended = within(*arguments, env=env)
        assert (ended.returncode, reason in ended.stderr) == (code, True), ended
    watcher = own_bridge.environment("wanda", "observer")
    assert "403" in within("snapshot", "x", env=watcher).stderr
