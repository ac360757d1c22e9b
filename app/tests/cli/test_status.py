"""`status`: the project's figures, and problems in plain sight."""

import json


def test_a_table_for_people(lighthouse, bridge_process) -> None:
    shown = lighthouse("status", env=bridge_process.environment())
    assert shown.returncode == 0, shown.stderr
    rows = dict(line.split(maxsplit=1) for line in shown.stdout.splitlines() if not line.startswith(" "))
    assert rows["bridge"].startswith("ok, version")
    assert rows["project"].strip() == str(bridge_process.project)
    assert int(rows["files"].split()[0]) >= 4
    assert rows["mount"].startswith("none")
    assert rows["approvals"].strip().endswith(("none waits", "see `lighthouse approvals`"))


def test_json_for_machines(lighthouse, bridge_process) -> None:
    told = json.loads(lighthouse("status", "--json", env=bridge_process.environment()).stdout)
    assert told["status"] == "ok"
    assert told["shadow"]["files"] >= 4


def test_asking_leaves_no_session_in_the_log(lighthouse, bridge_process) -> None:
    env = bridge_process.environment("quiet-asker", "observer")
    lighthouse("status", env=env)
    found = lighthouse("events", "query", "--agent", "quiet-asker", "--json", env=env)
    assert (found.returncode, found.stdout) == (0, "")


def test_without_a_token(lighthouse, bridge_process) -> None:
    refused = lighthouse("status", env={"LIGHTHOUSE_BRIDGE_URL": bridge_process.url})
    assert refused.returncode == 1
    assert "401" in refused.stderr
    assert "LIGHTHOUSE_TOKEN" in refused.stderr
