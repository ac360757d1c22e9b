"""docs/agents.md tells what is true today: its tools, its .mcp.json, its example."""

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path

from mcp import Client

from lighthouse.client import Client as Bridge
from lighthouse.mcp.adapter import build

TEXT = (Path(__file__).parents[3] / "docs" / "agents.md").read_text()


async def test_the_tools() -> None:
    async with Client(build({})) as agent:
        tools = (await agent.list_tools()).tools
    there = {tool.name: "reads" if tool.annotations.read_only_hint else "adds" for tool in tools}
    assert dict(re.findall(r"^\| `(lighthouse_\w+)` .*\| (reads|adds) \|$", TEXT, re.M)) == there


async def test_the_resources_and_prompts() -> None:
    async with Client(build({})) as agent:
        there = [one.uri for one in (await agent.list_resources()).resources]
        there += [one.uri_template for one in (await agent.list_resource_templates()).resource_templates]
        prompts = {
            prompt.name: [f"`{each.name}`{'' if each.required else '?'}" for each in prompt.arguments or []]
            for prompt in (await agent.list_prompts()).prompts
        }
    assert sorted(re.findall(r"^\| `(lighthouse://.*?)` \|", TEXT, re.M)) == sorted(there)
    told = re.findall(r"^\| `(\w+)` \| [^|]+ \| (`.*?) \|$", TEXT, re.M)
    assert {name: arguments.split(", ") for name, arguments in told} == prompts


def test_the_client_configuration() -> None:
    block = re.search(r"```json\n(.*?)```", TEXT, re.S)
    assert block
    server = json.loads(block[1])["mcpServers"]["lighthouse"]
    assert (server["command"], server["args"]) == ("lighthouse", ["mcp"])
    assert server["env"].keys() == {"LIGHTHOUSE_BRIDGE_URL", "LIGHTHOUSE_TOKEN_FILE"}


def example(mark: str) -> str:
    """The one Python block that holds `mark`."""
    (found,) = [block for block in re.findall(r"```python\n(.*?)```", TEXT, re.S) if mark in block]
    return str(found)


async def test_the_example_runs(bridge_process) -> None:
    env, code = bridge_process.environment(), example("store_event")
    ended = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=30
    )
    assert ended.returncode == 0, ended.stderr
    assert "note.added {'text': 'hello'}" in ended.stdout


async def test_the_expert_of_the_example_answers(own_bridge, wait_for) -> None:
    (own_bridge.project / "src").mkdir()
    own_bridge.start()
    code = example("bridge.expert(")
    assert len(code.strip().splitlines()) <= 32
    where = str(own_bridge.project)
    expert = subprocess.Popen([sys.executable, "-c", code], env=own_bridge.environment("eve", "expert"))
    try:
        async with Bridge(own_bridge.url, own_bridge.token()) as ann:

            async def there() -> bool:
                return any(one.alive for one in await ann.experts())

            await wait_for(there, timeout=30)
            kept = await ann.validate("Bash", {"command": "rm -rf src"}, cwd=where, wait_seconds=25)
            assert (kept.decision, kept.reason.split(":")[0]) == ("allow", "eve approved")
            lost = await ann.validate("Bash", {"command": "rm /opt/thing/a"}, cwd=where, wait_seconds=25)
            assert (lost.decision, lost.reason.split(":")[0]) == ("deny", "eve denied")
    finally:
        expert.terminate()
        expert.wait(30)
