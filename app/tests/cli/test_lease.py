"""`lighthouse lease` and `leases` against a real bridge."""

import json


def test_taken_listed_and_ended(bridge_process, within) -> None:
    ann, bob = bridge_process.environment(), bridge_process.environment("bob")
    olga = bridge_process.environment("olga", "operator")
    taken = within("lease", "take", "cli/src", "cli/*.md", "--ttl", "5m", "--reason", "the parser", env=ann)
    assert taken.returncode == 0, taken.stderr
    lease_id, told = taken.stdout.split(" ", 1)
    assert told.startswith("is held until 20")
    assert told.endswith("cli/*.md cli/src\n")
    refused = within("lease", "take", "cli/src/main.py", env=bob)
    assert refused.returncode == 1
    assert f"cli/src/main.py is leased by ann ({lease_id}) until 20" in refused.stderr
    assert within("lease", "take", "cli/src", "--stays", env=bob).returncode == 1
    row = within("leases", "cli/src/main.py", env=bob).stdout.split("\n")[1]
    assert row.split()[:3] == [lease_id, "held", "ann"]
    assert row.endswith("the parser")
    renewed = json.loads(within("lease", "renew", lease_id, "--ttl", "10m", "--json", env=ann).stdout)
    assert renewed["id"] == lease_id
    assert within("lease", "release", lease_id, env=bob).returncode == 1
    released = within("lease", "release", lease_id, "--reason", "done", env=ann)
    assert released.stdout == f"{lease_id} is released: cli/*.md cli/src\n"
    again = json.loads(within("lease", "take", "cli/src", "--json", env=bob).stdout)
    revoked = within("lease", "revoke", again["id"], "--reason", "now", env=olga)
    assert revoked.stdout == f"{again['id']} is revoked: cli/src\n"
    assert json.loads(within("leases", "--agent", "bob", "--json", env=ann).stdout) == []


def test_a_time_that_is_none(bridge_process, within) -> None:
    wrong = within("lease", "take", "x", "--ttl", "soon", env=bridge_process.environment())
    assert wrong.returncode == 2
