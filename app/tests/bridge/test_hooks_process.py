"""The hooks against the bridge as a process, over HTTP and through `lighthouse hook`: what a host sees."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from lighthouse import hook
from lighthouse.sessions import Role
from tests.bridge.process import WAIT_SECONDS, Place, Process
from tests.bridge.test_main_bridge import needs_fuse

PROGRAM = [sys.executable, "-SI", str(Path(hook.__file__).with_name("hook_program.py"))]
ROUTE = "/hooks/claude-code"
DOUBTFUL = "curl https://example.com/install.sh -o /usr/local/bin/tool"

Begin = Callable[..., tuple[Place, Process]]
Ask = Callable[[Place, Process, dict[str, Any]], tuple[str, str]]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """`begin(mount=…, LIGHTHOUSE_X=…)`: a bridge that serves."""
    running: list[Process] = []

    def start(*, mount: bool = False, **env: str) -> tuple[Place, Process]:
        place = Place(tmp_path, mount=mount)
        running.append(Process(place.arguments, env))
        running[-1].wait_for_health()
        return place, running[-1]

    yield start
    for process in running:
        process.discard()


def call(place: Place, tool: str, fields: dict[str, Any], event: str = "PreToolUse") -> dict[str, Any]:
    return {
        "session_id": "5b69559e-74c9-4f74-ba76-e75453fad6e5",
        "cwd": str(place.project),
        "hook_event_name": event,
        "tool_name": tool,
        "tool_input": fields,
        "tool_use_id": "toolu_01",
    }


def by_http(place: Place, process: Process, told: dict[str, Any]) -> tuple[str, str]:
    """What the client does, and what it tells the agent; an answer that failed blocks, by `onFailure`."""
    try:
        status, answer = process.get(ROUTE, place.token(), told)
    except OSError as error:
        return "blocked", str(error)
    return decision(answer) if status == 200 else ("blocked", str(answer))


def by_program(place: Place, process: Process, told: dict[str, Any]) -> tuple[str, str]:
    """The same through a process for each call; exit code 2 blocks."""
    env = {"LIGHTHOUSE_BRIDGE_URL": f"http://127.0.0.1:{process.port}", "LIGHTHOUSE_TOKEN": place.token()}
    done = subprocess.run(
        PROGRAM, input=json.dumps(told).encode(), env=env, capture_output=True, timeout=60, check=False
    )
    if done.returncode == 2:
        return "blocked", done.stderr.decode()
    assert done.returncode == 0, done
    return decision(json.loads(done.stdout))


def decision(answer: dict[str, Any]) -> tuple[str, str]:
    if not answer:
        return "goes on", ""
    output = answer["hookSpecificOutput"]
    return output["permissionDecision"], output["permissionDecisionReason"]


# Starting a bridge takes longer than all else here, so each test asks in both ways.
WAYS: tuple[Ask, ...] = (by_http, by_program)


def test_allowed_denied_and_stopped(begin: Begin) -> None:
    place, process = begin()
    reading = call(place, "Bash", {"command": "ls -l"})
    for ask in WAYS:
        assert ask(place, process, reading) == ("goes on", "")
        assert ask(place, process, call(place, "Bash", {"command": "rm -rf /"}))[0] == "deny"
    process.stop()
    for ask in WAYS:
        word, why = ask(place, process, reading)
        assert (word, "refused" in why) == ("blocked", True)


def answer_first(place: Place, process: Process, verdict: str) -> None:
    """As a person does who waits for something to wait."""
    person = place.token("olga", Role.OPERATOR)
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        _, known = process.get("/approvals", person)
        if known["approvals"]:
            said = {"id": known["approvals"][0]["id"], "verdict": verdict, "reason": "that host is ours"}
            assert process.get("/approve", person, said)[0] == 200
            return
        time.sleep(0.02)
    raise AssertionError("nothing ever waited")


def test_a_person_answers_while_the_host_waits(begin: Begin) -> None:
    place, process = begin()
    for ask in WAYS:
        for verdict, expected in (("approve", "goes on"), ("deny", "deny")):
            person = threading.Thread(target=answer_first, args=(place, process, verdict))
            person.start()
            word, why = ask(place, process, call(place, "Bash", {"command": DOUBTFUL}))
            person.join(WAIT_SECONDS)
            assert word == expected, why
            assert word == "goes on" or "that host is ours" in why


def test_nobody_answers(begin: Begin) -> None:
    place, process = begin(LIGHTHOUSE_PERSON_SECONDS="0.2")
    for ask in WAYS:
        word, why = ask(place, process, call(place, "Bash", {"command": DOUBTFUL}))
        assert (word, "nobody decided" in why) == ("deny", True)


@pytest.mark.parametrize("end", [Process.stop, Process.discard])
def test_a_bridge_that_goes_lets_nothing_through(begin: Begin, end: Callable[[Process], object]) -> None:
    place, process = begin()
    with ThreadPoolExecutor(len(WAYS)) as hosts:
        waiting = [hosts.submit(ask, place, process, call(place, ask.__name__, {})) for ask in WAYS]
        person, until = place.token("olga", Role.OPERATOR), time.monotonic() + WAIT_SECONDS
        while len(process.get("/approvals", person)[1]["approvals"]) < len(WAYS):
            assert time.monotonic() < until
            time.sleep(0.02)
        end(process)
        for got in waiting:
            assert got.result(WAIT_SECONDS)[0] == ("deny" if end is Process.stop else "blocked")


@needs_fuse
def test_the_writer_reads_its_own_write_through_the_mount(begin: Begin) -> None:
    place, process = begin(mount=True)
    current = place.mount / "current"
    for number in range(6):
        ask = WAYS[number % len(WAYS)]
        text = f"version {number}\n"
        (place.project / "notes.txt").write_text(text)
        (place.project / f"dir{number}").mkdir()
        (place.project / f"dir{number}" / "built").write_text(text)
        written = call(place, "Write", {"file_path": str(place.project / "notes.txt")}, "PostToolUse")
        assert ask(place, process, written) == ("goes on", "")
        assert (current / "notes.txt").read_text() == text
        built = call(place, "Bash", {"command": "make"}, "PostToolUse")
        assert ask(place, process, built) == ("goes on", "")
        assert (current / f"dir{number}" / "built").read_text() == text
