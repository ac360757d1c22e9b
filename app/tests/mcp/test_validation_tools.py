"""Verdicts over MCP: an agent asks and waits, experts and a person answer."""

import asyncio
import json
import subprocess
import sys
from typing import Any

from mcp import Client

from lighthouse.mcp.adapter import build


async def ask(env: dict[str, str], tool: str, /, **arguments: Any) -> Any:
    async with Client(build(env)) as client:
        return await client.call_tool(tool, arguments)


async def call(env: dict[str, str], tool: str, /, **arguments: Any) -> dict[str, Any]:
    answer = await ask(env, tool, **arguments)
    assert not answer.is_error, answer
    found: dict[str, Any] = json.loads(answer.content[0].text)
    assert answer.structured_content == found
    return found


async def next_of(env: dict[str, str], command: str) -> dict[str, Any]:
    """The request about `command`, waited for as an expert does."""
    async with asyncio.timeout(30):
        while True:
            waiting = await call(env, "lighthouse_pending_validations", wait_seconds=10)
            for one in waiting["waiting"]:
                if one["tool_input"] == {"command": command}:
                    return one


async def test_policy_decides_at_once(own_bridge) -> None:
    own_bridge.start()
    env = own_bridge.environment()
    allowed = await call(env, "lighthouse_validate_command", command="ls", cwd=str(own_bridge.project))
    assert allowed["decision"] == "allow"
    denied = await call(env, "lighthouse_validate_command", command="rm -rf /")
    assert denied["decision"] == "deny"
    assert denied["suggestion"]
    other = {"tool": "Write", "input": {"file_path": "/etc/passwd", "content": "x"}}
    assert (await call(env, "lighthouse_validate_command", **other))["decision"] != "allow"
    assert await call(env, "lighthouse_pending_validations") == {"waiting": []}


async def test_an_agent_waits_and_an_expert_answers(own_bridge) -> None:
    own_bridge.start()
    agent, expert = own_bridge.environment(), own_bridge.environment("eve", "expert")
    made = await call(expert, "lighthouse_register_expert", speciality="shell", languages=["bash"])
    assert made["agent_id"] == "eve"
    # The expert waits already when the agent asks.
    expecting = asyncio.create_task(next_of(expert, "frobnicate --now"))
    asked = {"command": "frobnicate --now", "wait_seconds": 60}
    waiting = asyncio.create_task(call(agent, "lighthouse_validate_command", **asked))
    one = await expecting
    assert (one["agent_id"], one["tier"], one["asked"]) == ("ann", "medium", ["eve"])
    assert one["facts"][0]["action"] == "uncertain"
    own = await ask(agent, "lighthouse_answer_validation", id=one["id"], verdict="approve", reason="mine")
    assert own.is_error
    answer = {"id": one["id"], "verdict": "deny", "reason": "nobody knows what it does"}
    answered = await call(expert, "lighthouse_answer_validation", **answer)
    assert answered == {"id": one["id"], "state": "resolved", "decision": "deny", "how": "expert"}
    verdict = await asyncio.wait_for(waiting, 30)
    assert (verdict["id"], verdict["decision"]) == (one["id"], "deny")
    assert "nobody knows what it does" in verdict["reason"]
    assert await call(expert, "lighthouse_pending_validations") == {"waiting": []}


async def test_much_at_stake_takes_two_specialities(own_bridge) -> None:
    own_bridge.start()
    agent = own_bridge.environment()
    eve, fred = own_bridge.environment("eve", "expert"), own_bridge.environment("fred", "expert")
    await call(eve, "lighthouse_register_expert", speciality="git")
    await call(fred, "lighthouse_register_expert", speciality="security")
    asked = {"command": "git reset --hard", "cwd": str(own_bridge.project), "wait_seconds": 60}
    waiting = asyncio.create_task(call(agent, "lighthouse_validate_command", **asked))
    one = await next_of(eve, "git reset --hard")
    assert one["quorum"] == 2
    answer = {"id": one["id"], "verdict": "approve", "reason": "all is committed"}
    assert (await call(eve, "lighthouse_answer_validation", **answer))["state"] == "pending"
    # What one has answered waits for others only.
    assert await call(eve, "lighthouse_pending_validations") == {"waiting": []}
    assert (await next_of(fred, "git reset --hard"))["id"] == one["id"]
    assert (await call(fred, "lighthouse_answer_validation", **answer))["how"] == "quorum"
    assert (await asyncio.wait_for(waiting, 30))["decision"] == "allow"


async def test_a_person_approves_with_the_command_while_a_call_waits(own_bridge) -> None:
    own_bridge.start()
    agent, person = own_bridge.environment(), own_bridge.environment("olga", "operator")
    asked = {"command": "frobnicate --person", "wait_seconds": 60}
    waiting = asyncio.create_task(call(agent, "lighthouse_validate_command", **asked))
    one = await next_of(person, "frobnicate --person")
    command = [sys.executable, "-m", "lighthouse.cli.main", "approve", one["id"], "--reason", "go on"]
    ended = await asyncio.to_thread(
        subprocess.run, command, env=person, capture_output=True, text=True, timeout=30
    )
    assert (ended.returncode, ended.stdout) == (0, f"{one['id']} is allowed\n")
    verdict = await asyncio.wait_for(waiting, 30)
    assert (verdict["decision"], verdict["reason"]) == ("allow", "olga approved: go on")
