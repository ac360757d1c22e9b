"""`lighthouse policy`, as a person runs it."""

import json


def test_check_lists_the_shipped_policies(lighthouse, tmp_path) -> None:
    done = lighthouse("policy", "check", "--json")
    assert done.returncode == 0, done.stderr
    assert {"id", "decision", "reason"} <= set(json.loads(done.stdout)["rules"][0])


def test_check_names_what_is_wrong(lighthouse, tmp_path) -> None:
    (tmp_path / "a.cedar").write_text("permit (")
    done = lighthouse("policy", "check", "--policies", str(tmp_path))
    assert done.returncode == 1
    assert "a.cedar" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_explain_shows_facts_and_rule(lighthouse, tmp_path) -> None:
    done = lighthouse("policy", "explain", "--project", str(tmp_path), "ls && git reset --hard")
    assert done.returncode == 0, done.stderr
    for told in ("escalate", "lose-work", "git", "discard", "git stash"):
        assert told in done.stdout
    done = lighthouse("policy", "explain", "--json", "ls")
    assert json.loads(done.stdout)["verdict"]["decision"] == "allow"


def test_explain_takes_other_tools(lighthouse) -> None:
    done = lighthouse(
        "policy", "explain", "--tool", "Write", "--input", '{"file_path": "/dev/sda"}', "--json"
    )
    assert json.loads(done.stdout)["verdict"]["decision"] == "deny"
    assert lighthouse("policy", "explain", "--tool", "Write", "--input", "{").returncode == 2
    assert lighthouse("policy", "explain").returncode == 2


def test_test_runs_a_table(lighthouse, tmp_path) -> None:
    table = tmp_path / "cases.jsonl"
    table.write_text('{"command": "ls", "expect": "allow"}\n{"command": "rm -rf /", "expect": "stop"}\n')
    done = lighthouse("policy", "test", str(table))
    assert done.returncode == 0, done.stdout
    assert "2 of 2" in done.stdout
    table.write_text('{"command": "rm -rf /", "expect": "allow"}\n')
    done = lighthouse("policy", "test", "--json", str(table))
    assert done.returncode == 1
    assert json.loads(done.stdout)["wrong"][0]["decision"] == "deny"
