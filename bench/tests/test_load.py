"""The clients: each answer is counted once, at a fixed rate every request falls due, and a refusal is told."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import calls, load
from bench.bare import PATH, Bare
from bench.load import Task


@pytest.fixture
def bare() -> Iterator[Bare]:
    server = Bare()
    server.start()
    yield server
    server.stop()


def test_a_closed_loop_counts_what_is_answered_within_the_time(bare: Bare) -> None:
    done = load.run(Task(bare.address, PATH, ["a", "b", "c"], ['{"a": 1}', '{"a": 2}'], 0.2))
    assert len(done.latencies) > 3
    # Each client's last answer came after the end.
    assert done.answered == len(done.latencies) + 3
    assert all(0 < seconds < 30 for seconds in done.latencies)


def test_at_a_fixed_rate_all_that_falls_due_is_asked_and_waited_for(bare: Bare) -> None:
    done = load.run(Task(bare.address, PATH, ["a", "b"], ["{}"], 0.5, rate=100))
    assert done.answered == len(done.latencies) == 50


def test_one_client_keeps_up_with_more_than_it_can_have_under_way(bare: Bare) -> None:
    done = load.run(Task(bare.address, PATH, ["a"], ["{}"], 0.1, rate=2000))
    assert done.answered == 200


def test_a_refusal_ends_the_run(bare: Bare) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        load.run(Task(bare.address, "/nothing", ["a"], ["{}"], 0.1))


def test_the_calls_of_the_tables_are_those_of_the_project_that_is_named() -> None:
    known = calls.read(project="/srv/shop")
    assert len(known) >= 600
    assert not any(calls.PROJECT in json.dumps(dict(call.fields)) for call in known)
    assert {call.cwd for call in known} == {"/srv/shop"}


def test_another_corpus_needs_a_command_on_each_line_and_may_say_more(tmp_path: Path) -> None:
    file = tmp_path / "corpus.jsonl"
    file.write_text(
        '{"command": "ls", "expected": "allow"}\n\n// a remark\n{"tool": "Read", "input": {"file_path": "a"}}\n'
    )
    assert [(call.tool, dict(call.fields)) for call in calls.read(file)] == [
        ("Bash", {"command": "ls"}),
        ("Read", {"file_path": "a"}),
    ]
