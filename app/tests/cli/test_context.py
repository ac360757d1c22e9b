"""`context`: made from paths and notes, listed, shown, removed."""

import json


def test_from_making_to_removing(lighthouse, bridge_process, tmp_path) -> None:
    env = bridge_process.environment("cora")
    (tmp_path / "why.md").write_text("Look here.")
    made = lighthouse(
        "context", "create", "cli-review", "src", "--note", str(tmp_path / "why.md"), "--note", "-",
        "--purpose", "to be sure", env=env, input="from the input",
    )  # fmt: skip
    assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout.startswith("cli-review: version ")
    assert made.stdout.endswith("files 1, notes 2\n")
    shown = lighthouse("context", "show", "cli-review", env=env).stdout
    for told in ("to be sure", "by cora", "notes/01-why.md", "notes/02-note.md", "src/main.py"):
        assert told in shown
    found = json.loads(lighthouse("context", "show", "cli-review", "--json", env=env).stdout)
    assert [note["text"] for note in found["notes"]] == ["Look here.\n", "from the input\n"]
    assert "cli-review" in lighthouse("context", "list", env=env).stdout
    listed = lighthouse("context", "list", "--json", env=env).stdout.splitlines()
    assert "cli-review" in {json.loads(line)["name"] for line in listed}
    assert lighthouse("context", "remove", "cli-review", env=env).stdout == "cli-review is removed\n"
    again = lighthouse("context", "remove", "cli-review", env=env)
    assert (again.returncode, "404" in again.stderr) == (1, True)


def test_refusals_are_one_line(lighthouse, bridge_process, tmp_path) -> None:
    env = bridge_process.environment()
    (tmp_path / "bad.md").write_bytes(b"\xff")
    for arguments in (["x", "nowhere"], ["x", "src", "--note", str(tmp_path / "bad.md")], ["x"]):
        refused = lighthouse("context", "create", *arguments, env=env)
        assert (refused.returncode, refused.stderr.count("\n")) == (1, 1), refused.stderr
    twice = ["--note", "-", "--note", "-"]
    assert lighthouse("context", "create", "x", "src", *twice, env=env).returncode == 2
