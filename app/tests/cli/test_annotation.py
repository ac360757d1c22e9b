"""`annotate`, `annotations`, `annotation`: from making to closing."""

import json

import pytest


def test_from_making_to_closing(lighthouse, bridge_process) -> None:
    env = bridge_process.environment("cora")
    made = lighthouse("annotate", "src/main.py:1", "why [bold]german[/bold]?", "--severity", "error", env=env)
    assert (made.returncode, made.stderr) == (0, "")
    note_id, _, place = made.stdout.rstrip().partition(": ")
    assert place == "src/main.py:1"
    listed = lighthouse("annotations", "src", env=env).stdout
    for told in (note_id, "same", "src/main.py:1", "error", "cora", "why [bold]german[/bold]?"):
        assert told in listed
    notes = [json.loads(line) for line in lighthouse("annotations", "--json", env=env).stdout.splitlines()]
    assert note_id in {note["id"] for note in notes}
    other = bridge_process.environment("olaf")
    refused = lighthouse("annotation", "withdraw", note_id, env=other)
    assert (refused.returncode, refused.stderr.count("\n"), "cora's" in refused.stderr) == (1, 1, True)
    done = lighthouse("annotation", "resolve", note_id, "--reason", "it is", env=other)
    assert done.stdout == f"{note_id} is resolved\n"
    assert note_id not in lighthouse("annotations", env=env).stdout
    whole = json.loads(lighthouse("annotate", "image.bin", "large", "--json", env=env).stdout)["annotation"]
    assert (whole["path"], "lines" in whole) == ("image.bin", False)
    assert lighthouse("annotation", "withdraw", whole["id"], env=env).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["annotate", "src/main.py:9", "x"], 1),
        (["annotate", "src/main.py:2-1", "x"], 1),
        (["annotate", "none.py:1", "x"], 1),
        (["annotate", "src/main.py:1", ""], 1),
        (["annotate", "src/main.py:1", "x", "--severity", "bad"], 2),
        (["annotate", "", "x"], 2),
        (["annotations", "--at", "99999"], 1),
        (["annotation", "resolve", "none"], 1),
        (["annotation"], 2),
    ],
)
def test_refusals_are_one_line(lighthouse, bridge_process, arguments, code) -> None:
    refused = lighthouse(*arguments, env=bridge_process.environment())
    assert (refused.returncode, refused.stderr.count("\n")) == (code, 1), refused.stderr
