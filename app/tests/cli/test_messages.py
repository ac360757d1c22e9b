"""`lighthouse messages` against a real bridge."""

import json


def test_sent_listed_searched_and_acknowledged(bridge_process, within) -> None:
    ann, bob = bridge_process.environment("ann-cli"), bridge_process.environment("bob-cli")
    told = within("messages", "send", "the kestrel is done", "--to", "bob-cli", "--subject", "birds", env=ann)
    assert told.returncode == 0
    one = told.stdout.split()[0]
    assert told.stdout == f"{one} is sent to bob-cli\n"
    assert "nothing is known of bob-cli: is the name right?" in told.stderr
    listed = within("messages", "list", "--unread", env=bob)
    assert (listed.returncode, listed.stderr) == (0, "")
    row = next(line for line in listed.stdout.split("\n") if line.startswith(f"{one} "))
    assert "ann-cli" in row
    assert "1 of 1" in row
    assert "the kestrel is done" in row
    answered = within("messages", "send", "fine", "--thread", one, "--json", env=bob)
    reply = json.loads(answered.stdout)
    assert (reply["thread"], list(reply["recipients"])) == (one, ["ann-cli"])
    found = within("messages", "search", "kestrel", "--json", env=ann)
    assert [json.loads(line)["id"] for line in found.stdout.splitlines()] == [one]
    assert within("messages", "search", "kestrel", "--from", "bob-cli", "--json", env=ann).stdout == ""
    listed = within("messages", "list", "--thread", one, "--json", env=ann)
    assert [json.loads(line)["id"] for line in listed.stdout.splitlines()] == [one, reply["id"]]
    acknowledged = within("messages", "ack", one, env=bob)
    assert acknowledged.stdout.startswith(f"{one} was acknowledged at ")
    assert json.loads(within("messages", "ack", one, "--json", env=bob).stdout)["agent_id"] == "bob-cli"
    shown = within("messages", "show", one, env=ann).stdout
    assert "bob-cli: acknowledged at " in shown
    assert shown.endswith("\n  | the kestrel is done\n")
    assert json.loads(within("messages", "show", one, "--json", env=ann).stdout)["subject"] == "birds"
    threads = within("messages", "threads", "--agent", "bob-cli", env=ann).stdout
    assert f"\n{one} " in threads
    assert json.loads(within("messages", "threads", "--limit", "1", "--json", env=ann).stdout)["id"] == one


def test_pages_are_followed_and_what_is_left_is_told(bridge_process, within) -> None:
    env = bridge_process.environment("ann-pages")
    for n in range(3):
        within("messages", "send", f"osprey {n}", "--to", "bob-cli", "--key", f"osprey-{n}", env=env)
    again = within("messages", "send", "osprey 0", "--to", "bob-cli", "--key", "osprey-0", env=env)
    assert again.returncode == 0
    found = within("messages", "search", "osprey", "--limit", "2", "--json", env=env)
    assert len(found.stdout.splitlines()) == 2
    assert "there are more: raise --limit" in found.stderr
    found = within("messages", "search", "osprey", "--limit", "300", "--json", env=env)
    assert (len(found.stdout.splitlines()), found.stderr) == (3, "")


def test_to_everybody(bridge_process, within) -> None:
    env = bridge_process.environment("ann-cli")
    within("messages", "list", env=bridge_process.environment("bob-cli"))
    sent = json.loads(within("messages", "send", "harbour closed", "--everybody", "--json", env=env).stdout)
    assert sent["to"] == "*"
    assert "bob-cli" in sent["recipients"]
    assert "everybody" in within("messages", "search", "harbour", env=env).stdout


def test_nothing_in_a_message_reaches_the_terminal_as_an_order(bridge_process, within) -> None:
    env = bridge_process.environment("ann-cli")
    text = "falcon \x1b[2J \u202egnp.exe \x07\nsecond line\x9b31m"
    sent = within("messages", "send", text, "--to", "bob-cli", "--subject", "\x1b[31m", "--json", env=env)
    one = json.loads(sent.stdout)["id"]
    for command in (["list"], ["search", "falcon"], ["show", one], ["threads"]):
        printed = within("messages", *command, env=env).stdout
        assert not [char for char in printed if not char.isprintable() and char != "\n"]
        assert "\\x1b[" in printed


def test_refusals(bridge_process, within, lighthouse) -> None:
    env = bridge_process.environment("ann-cli")
    for usage in (
        ["send", "x"],
        ["send", "x", "--to", "bob", "--everybody"],
        ["list", "--unread", "--to", "bob"],
        ["ack"],
        ["search"],
    ):
        assert within("messages", *usage, env=env).returncode == 2
    wrong = within("messages", "search", "kestrel AND", env=env)
    assert wrong.returncode == 1
    assert "at character 12" in wrong.stderr
    assert "(404)" in within("messages", "show", "m99999", env=env).stderr
    assert "(404)" in within("messages", "ack", "m99999", env=env).stderr
    assert (
        "(403)"
        in within(
            "messages", "send", "x", "--to", "bob", env=bridge_process.environment("otto", "observer")
        ).stderr
    )
    piped = lighthouse("messages", "send", "-", "--to", "bob-cli", "--json", env=env, input="from a pipe\n")
    assert json.loads(piped.stdout)["body"] == "from a pipe\n"
