"""`events`: what is stored is found, followed, proved and written out."""

import json
import subprocess
import sys
import urllib.request

import pytest


def store(bridge, stream: str, *texts: str) -> list[int]:
    """Store a note for each text, over plain HTTP; their sequence numbers."""
    seqs = []
    for text in texts:
        body = json.dumps({"type": "note.added", "stream": stream, "data": {"text": text}}).encode()
        headers = {"Authorization": f"Bearer {bridge.token()}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{bridge.url}/event/store", body, headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            seqs.append(json.load(answer)["seq"])
    return seqs


def test_query(lighthouse, bridge_process) -> None:
    seqs = store(bridge_process, "cli", "one", "two", "three")
    env = bridge_process.environment("reader", "observer")
    found = lighthouse("events", "query", "--stream", "cli", "--json", env=env)
    assert [json.loads(line)["seq"] for line in found.stdout.splitlines()] == seqs
    first = lighthouse("events", "query", "--stream", "cli", "--limit", "2", "--json", env=env)
    assert len(first.stdout.splitlines()) == 2
    assert "there are more" in first.stderr
    table = lighthouse("events", "query", "--stream", "cli", "--agent", "ann", "--type", "note.*", env=env)
    assert len(table.stdout.splitlines()) == 4
    none = lighthouse("events", "query", "--stream", "cli", "--agent", "nobody", "--json", env=env)
    assert (none.returncode, none.stdout) == (0, "")


def test_a_bad_query_is_refused_in_one_line(lighthouse, bridge_process) -> None:
    refused = lighthouse("events", "query", "--since", "yesterday", env=bridge_process.environment())
    assert refused.returncode == 1
    assert "422" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_control_characters_do_not_reach_the_terminal(lighthouse, bridge_process) -> None:
    store(bridge_process, "rude", "\x1b[2Jgone\x9b31m")
    env = bridge_process.environment()
    for extra in ([], ["--json"]):
        shown = lighthouse("events", "query", "--stream", "rude", *extra, env=env).stdout
        assert "gone" in shown
        assert "\x1b" not in shown
    assert "\x9b" not in lighthouse("events", "query", "--stream", "rude", env=env).stdout


def test_tail_shows_the_last_and_ends_after_count(lighthouse, bridge_process) -> None:
    seqs = store(bridge_process, "tail", "a", "b", "c")
    env = bridge_process.environment()
    shown = lighthouse(
        "events", "tail", "--stream", "tail", "--from-seq", str(seqs[0]), "--count", "2", "--json", env=env
    )
    assert shown.returncode == 0, shown.stderr
    assert [json.loads(line)["seq"] for line in shown.stdout.splitlines()] == seqs[:2]


def test_tail_follows(bridge_process) -> None:
    command = [sys.executable, "-m", "lighthouse.cli.main", "events", "tail", "-n", "1", "--count", "2"]
    [before] = store(bridge_process, "follow", "before")
    with subprocess.Popen(
        [*command, "--stream", "follow"], env=bridge_process.environment(), stdout=subprocess.PIPE, text=True
    ) as tail:
        assert tail.stdout is not None
        assert tail.stdout.readline().split()[0] == str(before)
        [after] = store(bridge_process, "follow", "after")
        assert tail.stdout.readline().split()[0] == str(after)
        assert tail.wait(20) == 0


@pytest.mark.parametrize("flag", [[], ["--json"]])
def test_verify_beside_a_running_bridge(lighthouse, bridge_process, flag) -> None:
    store(bridge_process, "verify", "x")
    proved = lighthouse("events", "verify", "--state", str(bridge_process.state), *flag)
    assert proved.returncode == 0, proved.stderr
    if flag:
        assert json.loads(proved.stdout)["ok"]


def test_export_and_its_proof(lighthouse, bridge_process, tmp_path) -> None:
    store(bridge_process, "export", "x", "y")
    state = str(bridge_process.state)
    file = tmp_path / "log.jsonl"
    written = lighthouse("events", "export", "--state", state, "--output", str(file), "--json")
    assert written.returncode == 0, written.stderr
    lines = file.read_text().splitlines()
    assert json.loads(written.stdout)["events"] == len(lines)
    assert [json.loads(line)["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert file.stat().st_mode & 0o777 == 0o600
    proved = lighthouse("events", "verify", "--state", state, "--file", str(file))
    assert proved.returncode == 0, proved.stderr
    piped = lighthouse("events", "export", "--state", state, "--from-seq", "2", "--to-seq", "3")
    assert piped.stdout.splitlines() == lines[1:3]
    proved = lighthouse("events", "verify", "--state", state, "--file", "-", input=piped.stdout)
    assert proved.returncode == 0, proved.stderr


def test_a_changed_export_is_named(lighthouse, bridge_process, tmp_path) -> None:
    store(bridge_process, "forged", "honest")
    state = str(bridge_process.state)
    lines = lighthouse("events", "export", "--state", state).stdout.splitlines()
    lines[-1] = lines[-1].replace("note.added", "note.adder").replace("honest", "forged")
    lines[-1] = lines[-1].replace('"stream":"', '"stream":"x')
    file = tmp_path / "forged.jsonl"
    file.write_text("\n".join(lines) + "\n")
    broken = lighthouse("events", "verify", "--state", state, "--file", str(file), "--json")
    assert broken.returncode == 1
    assert json.loads(broken.stdout)["broken_seq"] == len(lines)
    assert f"event {len(lines)} was changed" in broken.stderr
    assert broken.stderr.count("\n") == 1


def test_a_store_at_rest_is_exported_and_left_as_it_was(lighthouse, own_bridge) -> None:
    own_bridge.start()
    store(own_bridge, "rest", "x")
    own_bridge.stop()
    folder = own_bridge.state / "events"
    before = {name: (folder / name).read_bytes() for name in ("events.db", "anchor")}
    written = lighthouse("events", "export", "--state", str(own_bridge.state))
    assert '"stream":"rest"' in written.stdout
    proved = lighthouse("events", "verify", "--state", str(own_bridge.state))
    assert proved.returncode == 0, proved.stderr
    assert before == {name: (folder / name).read_bytes() for name in before}


def test_a_store_that_was_damaged(lighthouse, own_bridge) -> None:
    own_bridge.start()
    own_bridge.stop()
    folder = own_bridge.state / "events"
    (folder / "events.db-wal").unlink(missing_ok=True)
    (folder / "events.db").write_bytes(b"not a database at all" * 100)
    for command in ("export", "verify"):
        refused = lighthouse("events", command, "--state", str(own_bridge.state))
        assert refused.returncode == 1
        assert refused.stderr.count("\n") == 1
        assert "fault in lighthouse" not in refused.stderr
