"""From the start of `lighthouse mcp` to its first answers, beside a server of the same SDK that can do nothing."""

import json
import os
import subprocess
import sys
import time
from functools import partial
from typing import IO, Any

from bench.bridge import Bridge
from bench.cases.case import Setting
from bench.report import LIGHTHOUSE, Figure, Goal, Row

BARE = "the SDK alone"
ROUNDS, QUICK_ROUNDS = 20, 2
GOAL_MS = 1200.0
EMPTY = "from mcp.server import MCPServer; MCPServer('bare', log_level='WARNING').run()"
CLIENT = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}
QUESTION = {"name": "lighthouse_health_check", "arguments": {}}


def mcp(setting: Setting) -> list[Row]:
    """The answers to `initialize` and `tools/list`, and a tool's that asks the bridge."""
    project = setting.work / "project"
    project.mkdir()
    bridge = Bridge(project, setting.work / "state")
    bridge.start()
    try:
        env = {
            "PATH": os.environ["PATH"],
            "LIGHTHOUSE_BRIDGE_URL": f"http://{bridge.address}",
            "LIGHTHOUSE_TOKEN": bridge.token("builder"),
        }
        contenders = {
            BARE: partial(_session, [sys.executable, "-c", EMPTY], env, tool=False),
            LIGHTHOUSE: partial(_session, [sys.executable, "-m", "lighthouse.mcp_server"], env, tool=True),
        }
        rounds = QUICK_ROUNDS if setting.quick else setting.rounds(ROUNDS)
        sessions: dict[str, list[list[float]]] = {name: [] for name in contenders}
        for number in range(rounds):
            for name in list(contenders)[:: 1 if number % 2 else -1]:
                sessions[name].append(contenders[name]())
    finally:
        bridge.stop()
    steps = ("first answer", "list of tools", "first tool's answer")
    return [
        Row(
            "mcp",
            f"lighthouse mcp, start to {step}",
            "ms",
            {name: Figure.of([each[at] for each in found]) for name, found in sessions.items() if len(found[0]) > at},
            BARE if at < 2 else None,
            Goal(GOAL_MS, "value"),
            "one process each, one at a time",
        )
        for at, step in enumerate(steps)
    ]


def _session(command: list[str], env: dict[str, str], *, tool: bool) -> list[float]:
    """Milliseconds from the start to each answer."""
    began = time.perf_counter()
    took: list[float] = []
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)
    if server.stdin is None or server.stdout is None:
        raise RuntimeError("no pipes to the server")
    with server, server.stdin as say, server.stdout as hear:
        _ask(say, hear, 1, "initialize", CLIENT)
        took.append((time.perf_counter() - began) * 1000)
        _send(say, {"jsonrpc": "2.0", "method": "notifications/initialized"})
        _ask(say, hear, 2, "tools/list", {})
        took.append((time.perf_counter() - began) * 1000)
        if tool:
            answer = _ask(say, hear, 3, "tools/call", QUESTION)
            took.append((time.perf_counter() - began) * 1000)
            if answer["structuredContent"]["status"] != "ok":
                raise RuntimeError(f"the bridge is not well: {answer}")
    return took


def _ask(say: IO[bytes], hear: IO[bytes], number: int, method: str, params: dict[str, Any]) -> dict[str, Any]:
    _send(say, {"jsonrpc": "2.0", "id": number, "method": method, "params": params})
    answer: dict[str, Any] = json.loads(hear.readline())
    if answer.get("id") != number or "result" not in answer:
        raise RuntimeError(f"no answer to {method}: {answer}")
    result: dict[str, Any] = answer["result"]
    return result


def _send(say: IO[bytes], message: dict[str, Any]) -> None:
    say.write(json.dumps(message).encode() + b"\n")
    say.flush()
