"""`lighthouse task` against a real bridge."""

import json


def test_a_task_from_the_shell(bridge_process, within, tmp_path) -> None:
    ann, tom = bridge_process.environment(), bridge_process.environment("tom")
    (tmp_path / "body").write_text("all \x1b[2J of them\n")
    made = within(
        "task", "dispatch", "count", "--to", "tom", "--body", f"@{tmp_path / 'body'}", "--json", env=ann
    )
    one = json.loads(made.stdout)["id"]
    row = next(
        line for line in within("task", "list", "--mine", env=tom).stdout.split("\n") if line.startswith(one)
    )
    assert row.split() == [one, "pending", "ann", "tom", "count"]
    assert within("task", "claim", one, env=tom).stdout.startswith(f"{one} is claimed by tom until ")
    assert within("task", "claim", one, env=tom).returncode == 1
    assert within("task", "progress", one, "half", "--percent", "50", env=tom).returncode == 0
    listed = within("task", "list", "--state", "claimed", "--agent", "tom", env=ann).stdout
    assert "50 % half" in listed
    assert within("task", "complete", one, "{", env=tom).returncode == 2
    assert within("task", "complete", one, '{"n": 3}', env=tom).stdout == f"{one} is completed\n"
    shown = within("task", "show", one, env=ann).stdout
    assert "\n  | all \\x1b[2J of them\n" in shown
    assert "half" in shown
    assert '{"n":3}' in shown
    assert json.loads(within("task", "show", one, "--json", env=ann).stdout)["result"] == {"n": 3}


def test_ends_that_are_none(bridge_process, within) -> None:
    ann, tom = bridge_process.environment(), bridge_process.environment("tom")
    waited = within("task", "dispatch", "count", "--to", "tom", "--wait", "0.1", env=ann)
    assert waited.returncode == 1
    one = waited.stdout.split()[0]
    within("task", "claim", one, env=tom)
    gave = within("task", "fail", one, "--reason", "busy", "--retry", env=tom)
    assert gave.stdout == f"{one} is pending, try 2 (busy)\n"
    cancelled = within("task", "cancel", one, "--reason", "late", env=ann)
    assert cancelled.stdout == f"{one} is cancelled (late)\n"
    assert within("task", "cancel", one, env=ann).returncode == 1


def test_for_a_capability(bridge_process, within) -> None:
    ann = bridge_process.environment()
    words = ("--speciality", "cobbler", "--language", "python", "--path", "src", "--risk", "delete")
    made = within("task", "dispatch", "mend", *words, "--json", env=ann)
    able = json.loads(made.stdout)["capability"]
    assert able == {"speciality": "cobbler", "languages": ["python"], "paths": ["src"], "risks": ["delete"]}
    listed = within("task", "list", "--state", "pending", env=ann).stdout
    assert "who knows cobbler, python, src, delete" in listed
    for wrong in (("--to", "tom", "--speciality", "x"), ("--lease", "soon")):
        assert within("task", "dispatch", "mend", *wrong, env=ann).returncode == 2
    for wrong in (("--state", "gone"), ("--mine", "--agent", "tom")):
        assert within("task", "list", *wrong, env=ann).returncode == 2
