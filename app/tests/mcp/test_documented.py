"""docs/agents.md tells what is true today: its tools, its .mcp.json, its example."""

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path

from mcp import Client

from lighthouse.mcp.adapter import build

TEXT = (Path(__file__).parents[3] / "docs" / "agents.md").read_text()


async def test_the_tools() -> None:
    async with Client(build({})) as agent:
        tools = (await agent.list_tools()).tools
    there = {tool.name: "reads" if tool.annotations.read_only_hint else "adds" for tool in tools}
    assert dict(re.findall(r"^\| `(lighthouse_\w+)` .*\| (reads|adds) \|$", TEXT, re.M)) == there


def test_the_client_configuration() -> None:
    block = re.search(r"```json\n(.*?)```", TEXT, re.S)
    assert block
    server = json.loads(block[1])["mcpServers"]["lighthouse"]
    assert (server["command"], server["args"]) == ("lighthouse", ["mcp"])
    assert server["env"].keys() == {"LIGHTHOUSE_BRIDGE_URL", "LIGHTHOUSE_TOKEN_FILE"}


async def test_the_example_runs(bridge_process) -> None:
    block = re.search(r"```python\n(.*?)```", TEXT, re.S)
    assert block
    env = bridge_process.environment()
    ended = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", block[1]], env=env, capture_output=True, text=True, timeout=30
    )
    assert ended.returncode == 0, ended.stderr
    assert "note.added {'text': 'hello'}" in ended.stdout
