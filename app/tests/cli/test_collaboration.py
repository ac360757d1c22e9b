"""`collaboration` and `pair`: from asking to the record."""

import json

import pytest


def test_a_pair_from_asking_to_the_record(within, bridge_process) -> None:
    quinn, rosa = bridge_process.environment("quinn"), bridge_process.environment("rosa")

    def told(*arguments: str, env: dict[str, str] = quinn) -> str:
        done = within(*arguments, env=env)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return str(done.stdout)

    asked = told("pair", "request", "rosa", "greet politely", "--path", "src/main.py", "--idle", "10m")
    name = asked.split()[0]
    assert asked == f"{name} is requested; in it: quinn; asked: rosa\n"
    row = told("collaboration", "list", "--awaiting", env=rosa)
    for word in (name, "pair", "requested", "quinn", "rosa", "greet politely"):
        assert word in row
    assert told("pair", "accept", name, env=rosa) == f"{name} is active; in it: quinn, rosa\n"
    place = ("--at", "src/main.py:1")
    made = told("pair", "suggest", name, "say \x1b[1mSie", *place, env=rosa).split()[0]
    told("pair", "review", name, made, "change", "--comment", "du is fine")
    told("collaboration", "say", name, "agreed", env=rosa)
    assert told("pair", "complete", name, "it stays") == f"{name} is completed; in it: quinn, rosa\n"
    record = told("collaboration", "show", name)
    for word in (f"{name}, a pair: greet politely", f"rosa suggested {made} src/main.py:1:", "du is fine"):
        assert word in record
    assert f"quinn reviewed {made} change src/main.py:1:\n    du is fine\n" in record
    assert r"    say \x1b[1mSie" in record
    whole = json.loads(told("collaboration", "show", name, "--json"))
    assert whole["collaboration"]["state"] == "completed"
    later = json.loads(told("collaboration", "show", name, "--json", "--after", made[1:]))
    assert [one["type"] for one in later["entries"]] == ["pair.reviewed", "pair.said", "pair.completed"]
    assert name in told("collaboration", "list", "--ended", "--mine")
    refused = within("collaboration", "say", name, "too late", env=quinn)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)


def test_several_come_and_go(within, bridge_process) -> None:
    quinn, rosa = bridge_process.environment("quinn"), bridge_process.environment("rosa")
    begun = within("collaboration", "start", "names", "rosa", "sam", "--json", env=quinn).stdout
    name = json.loads(begun)["id"]
    assert within("collaboration", "join", name, env=rosa).stdout == (
        f"{name} is open; in it: quinn, rosa; asked: sam\n"
    )
    assert within("collaboration", "leave", name, "--reason", "lunch", env=rosa).returncode == 0
    assert within("collaboration", "close", name, env=rosa).returncode == 1
    assert within("collaboration", "close", name, env=quinn).stdout == f"{name} is closed; in it: quinn\n"
    asked = within("pair", "request", "rosa", "so", "--json", env=quinn).stdout
    refused = within("pair", "decline", json.loads(asked)["id"], "--reason", "no", env=rosa)
    assert "is declined" in refused.stdout


def test_a_patch_is_shown(within, bridge_process) -> None:
    quinn, rosa = bridge_process.environment("quinn"), bridge_process.environment("rosa")
    name = within("pair", "request", "rosa", "so", env=quinn).stdout.split()[0]
    within("pair", "accept", name, env=rosa)
    assert within("proposal", "create", "of-the-pair", env=quinn).returncode == 0
    nothing = within("pair", "suggest", name, "so", "--proposal", "of-the-pair", env=quinn)
    assert (nothing.returncode, "changes nothing" in nothing.stderr) == (1, True)
    within("proposal", "withdraw", "of-the-pair", env=quinn)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["pair", "accept", "c0"], 1),
        (["pair", "review", "c1", "s1", "maybe"], 2),
        (["pair", "suggest", "c1", "so", "--symbol", "main"], 2),
        (["pair", "request", "quinn", "so"], 1),
        (["pair", "request", "rosa", "so", "--idle", "1s"], 1),
        (["collaboration", "start", "so"], 2),
        (["collaboration", "show", "x"], 1),
        (["collaboration"], 2),
        (["pair"], 2),
    ],
)
def test_refusals_are_one_line(within, bridge_process, arguments, code) -> None:
    refused = within(*arguments, env=bridge_process.environment("quinn"))
    assert (refused.returncode, refused.stderr.count("\n")) == (code, 1), refused.stderr
