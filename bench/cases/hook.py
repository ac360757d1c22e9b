"""From the start of `lighthouse hook` to its verdict, beside the bare start of Python."""

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import lighthouse
from bench.bridge import Bridge
from bench.cases.case import Setting
from bench.report import LIGHTHOUSE, Goal, Row
from bench.sampling import interleaved, seconds

PROGRAM = str(Path(lighthouse.__file__).with_name("hook_program.py"))
BARE = "python -S -E -c pass"
ROUNDS, QUICK_ROUNDS = 60, 3
GOAL = 2.0
CALL = {
    "hook_event_name": "PreToolUse",
    "session_id": "bench",
    "tool_use_id": "toolu_bench",
    "tool_name": "Bash",
    "tool_input": {"command": "git status && ls -l src | head"},
}


def hook(setting: Setting) -> list[Row]:
    """A command that the policies allow; its verdict is on disk before it is given."""
    project = setting.work / "project"
    project.mkdir()
    bridge = Bridge(project, setting.work / "state")
    bridge.start()
    try:
        env = {"LIGHTHOUSE_BRIDGE_URL": f"http://{bridge.address}", "LIGHTHOUSE_TOKEN": bridge.token("builder")}
        call = json.dumps(CALL | {"cwd": str(project)}).encode()
        contenders = {
            BARE: partial(_run, [sys.executable, "-S", "-E", "-c", "pass"], b"", {}),
            LIGHTHOUSE: partial(_run, [sys.executable, "-SI", PROGRAM], call, env),
        }
        rounds = QUICK_ROUNDS if setting.quick else setting.rounds(ROUNDS)
        figures = interleaved(contenders, rounds)
    finally:
        bridge.stop()
    return [
        Row("hook", "start to verdict", "ms", figures, BARE, Goal(GOAL, "ratio"), "one process each, one at a time")
    ]


def _run(command: list[str], call: bytes, env: dict[str, str]) -> float:
    """Milliseconds; a call that was not allowed is no sample."""
    told = {"PATH": os.environ["PATH"], **env}
    done: list[subprocess.CompletedProcess[bytes]] = []

    def start() -> None:
        done.append(subprocess.run(command, input=call, env=told, capture_output=True, check=True))

    took = seconds(start) * 1000
    if done[0].stdout != (b"{}" if call else b""):
        raise RuntimeError(f"the call was not allowed: {done[0].stdout.decode()}")
    return took
