"""`lighthouse validate`, `approvals`, `approve`, `deny` and `rules` against a real bridge."""

import json
import subprocess
import sys

import pytest

from lighthouse.client import Client


def asking(env: dict[str, str], command: str) -> subprocess.Popen[str]:
    """An agent's process that waits for the verdict."""
    words = [sys.executable, "-m", "lighthouse.cli.main", "validate", command, "--wait", "120"]
    return subprocess.Popen(words, env=env, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize(("verb", "told", "code"), [("approve", "allow", 0), ("deny", "deny", 1)])
async def test_a_person_answers_while_a_call_waits(
    bridge_process, lighthouse, wait_for, verb, told, code
) -> None:
    command = f"frobnicate --{verb}"
    agent, person = bridge_process.environment(), bridge_process.environment("olga", "operator")
    found: list[str] = []
    with asking(agent, command) as waiting:
        async with Client(bridge_process.url, bridge_process.token("olga", "operator")) as olga:

            async def there() -> bool:
                listed = (await olga.approvals(limit=100)).approvals
                found[:] = [one.id for one in listed if one.tool_input == {"command": command}]
                return bool(found)

            await wait_for(there, timeout=30)
        (one,) = found
        row = next(line for line in lighthouse("approvals", env=person).stdout.split("\n") if command in line)
        assert row.split()[:2] == [one, "ann"]
        assert " medium " in row
        assert " min " in row
        answered = lighthouse(verb, one, "--reason", "for a reason", env=person)
        assert answered.stdout == f"{one} is {'allowed' if code == 0 else 'denied'}\n"
        said, _ = waiting.communicate(timeout=30)
    assert waiting.returncode == code
    assert said.startswith(f"{told} (medium)")
    assert "for a reason" in said
    shown = lighthouse("approvals", one, env=person).stdout
    assert f"{verb} by olga (operator): for a reason" in shown
    listed = lighthouse("approvals", "--answered", env=person).stdout
    assert any(line.startswith(f"{one} ") and f"{told} (person)" in line for line in listed.split("\n"))


def test_verdicts_at_once(bridge_process, within) -> None:
    env = bridge_process.environment()
    allowed = within("validate", "ls", env=env)
    assert (allowed.returncode, allowed.stdout.split()[0]) == (0, "allow")
    denied = within("validate", "rm -rf /", env=env)
    assert (denied.returncode, denied.stdout.split()[0]) == (1, "deny")
    assert "\nsafer: " in denied.stdout
    asked = within("validate", "--tool", "Frob", "--input", '{"a": 1}', "--json", env=env)
    assert asked.returncode == 1
    assert json.loads(asked.stdout)["decision"] == "escalate"
    assert within("validate", env=env).returncode == 2
    assert within("validate", "--tool", "Frob", "--input", "[", env=env).returncode == 2


def test_where_a_call_is_made_counts(bridge_process, within, tmp_path) -> None:
    env = bridge_process.environment()
    inside = within("validate", "touch a", "--cwd", str(bridge_process.project), env=env)
    assert inside.returncode == 0
    assert within("validate", "touch a", "--cwd", "/etc", env=env).returncode == 1
    assert within("validate", "touch a", env=env, cwd=bridge_process.project).stdout == inside.stdout


def test_nothing_in_a_command_reaches_the_terminal_as_an_order(bridge_process, within) -> None:
    env = bridge_process.environment("olga", "operator")
    command = "frobnicate \x1b[2J \u202egnp.exe \x07\n\x9b31m" + "x" * 200 + " && touch /etc/z"
    asked = within("validate", command, "--json", env=bridge_process.environment())
    one = json.loads(asked.stdout)["id"]
    listed, shown = within("approvals", env=env).stdout, within("approvals", one, env=env).stdout
    for printed in (listed, shown):
        assert not [char for char in printed if not char.isprintable() and char != "\n"]
        assert "\\x1b[2J \\u202egnp.exe \\x07" in printed
    row = next(line for line in listed.split("\n") if line.startswith(f"{one} "))
    # The middle is cut: what a long command ends with is seen.
    assert " … " in row
    assert "&& touch /etc/z" in row
    assert "\n  | \\x9b31mxxx" in shown


def test_remembered_answers(bridge_process, within) -> None:
    agent, person = bridge_process.environment(), bridge_process.environment("olga", "operator")
    command = "cp README.md /etc/of-the-command"
    one = json.loads(within("validate", command, "--json", env=agent).stdout)["id"]
    assert within("approve", one, "--remember", "similar", "--ttl", "2h", env=person).returncode == 0
    assert within("validate", command + "2", env=agent).returncode == 0
    (rule,) = json.loads(within("rules", "list", "--json", env=person).stdout)
    assert (rule["from_id"], rule["scope"], rule["agent_id"]) == (one, "similar", "ann")
    assert f"{rule['id']}  allow    ann  similar  {command}" in within("rules", "list", env=person).stdout
    assert within("rules", "revoke", rule["id"], env=person).stdout == f"{rule['id']} is revoked\n"
    assert within("validate", command + "3", env=agent).returncode == 1
    assert rule["id"] not in within("rules", "list", env=person).stdout


def test_refusals(bridge_process, within) -> None:
    agent, person = bridge_process.environment(), bridge_process.environment("olga", "operator")
    one = json.loads(within("validate", "frobnicate --refused", "--json", env=agent).stdout)["id"]
    refused = within("approve", one, env=agent)
    assert refused.returncode == 1
    assert "(403)" in refused.stderr
    assert within("deny", one, env=person).returncode == 2
    assert within("approve", one, "--remember", "exact", "--ttl", "soon", env=person).returncode == 2
    assert within("approve", one, "--remember", "similar", env=person).returncode == 1
    assert "(404)" in within("approve", "v999999", env=person).stderr
    assert "(404)" in within("approvals", "v999999", env=person).stderr
    assert "(404)" in within("rules", "revoke", "r999999", env=person).stderr
    assert within("deny", one, "--reason", "no", "--json", env=person).returncode == 0
    assert "(409)" in within("approve", one, env=person).stderr


def test_what_whoever_answers_sees(own_bridge, within) -> None:
    (own_bridge.project / ".mcp.json").write_text('{"mcpServers": {}}\n')
    own_bridge.start()
    agent, person = own_bridge.environment(), own_bridge.environment("olga", "operator")
    within("validate", "ls", "--cwd", str(own_bridge.project), env=agent)
    edit = {
        "file_path": str(own_bridge.project / ".mcp.json"),
        "old_string": "{}",
        "new_string": '{"x": "\x1b[31m\u202e"}',
    }
    asked = within("validate", "--tool", "Edit", "--input", json.dumps(edit), "--json", env=agent)
    one = json.loads(asked.stdout)["id"]
    shown = within("approvals", one, env=person).stdout
    assert '\n  | -{"mcpServers": {}}\n  | +{"mcpServers": {"x": "\\x1b[31m\\u202e"}}\n' in shown
    assert "no expert who knows of it" in shown
    lately = shown[shown.index("lately") :]
    assert "Bash: ls" in lately
