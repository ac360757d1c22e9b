"""`lighthouse proposal` against a real bridge."""

import json
import os
import subprocess


def test_from_an_edit_in_the_mount_to_the_project(own_bridge, lighthouse, tmp_path) -> None:
    (own_bridge.project / "a.txt").write_text("one\n")
    own_bridge.mount = tmp_path / "mount"
    own_bridge.start()
    env = own_bridge.environment()
    folder = lighthouse("proposal", "create", "p", "--title", "Two", env=env).stdout.strip()
    assert folder == f"{own_bridge.mount}.proposals/p"
    subprocess.run(["sed", "-i", "s/one/two/", f"{folder}/a.txt"], check=True)
    (listed,) = json.loads(lighthouse("proposal", "list", "--json", env=env).stdout)
    assert (listed["name"], listed["agent_id"], listed["uid"]) == ("p", "ann", os.getuid())
    assert "p     open" in " ".join(lighthouse("proposal", "list", env=env).stdout.split("\n")[1:])
    shown = lighthouse("proposal", "show", "p", env=env)
    assert "M a.txt" in shown.stdout
    patch = lighthouse("proposal", "diff", "p", env=env).stdout
    assert patch == subprocess.run(["cat", f"{folder}.patch"], capture_output=True, text=True).stdout
    assert lighthouse("proposal", "rebase", "p", env=env).returncode == 0
    subprocess.run(["git", "apply", "-"], input=patch, text=True, cwd=own_bridge.project, check=True)
    assert (own_bridge.project / "a.txt").read_text() == "two\n"
    lighthouse("proposal", "create", "q", env=env)
    assert lighthouse("proposal", "withdraw", "q", "--reason", "no", env=env).stdout == "q is withdrawn\n"
    assert lighthouse("proposal", "create", "r", "--json", env=env).returncode == 0
    assert lighthouse("proposal", "applied", "r", env=env).stdout == "r is applied\n"


def test_refusals(bridge_process, lighthouse) -> None:
    env = bridge_process.environment()
    refused = lighthouse("proposal", "create", "no/name", env=env)
    assert refused.returncode == 1
    assert "cannot be a proposal's name" in refused.stderr
    for command in ("show", "diff", "rebase", "withdraw", "applied"):
        refused = lighthouse("proposal", command, "none", env=env)
        assert refused.returncode == 1
        assert "there is no proposal" in refused.stderr
