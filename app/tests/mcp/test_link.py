"""Waiting over the link: whoever asked for progress is told, and a bridge that goes is a tool's error."""

import asyncio
import re

import aiohttp
import pytest
from mcp import Client

from lighthouse.mcp import link
from lighthouse.mcp.adapter import build


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_progress_of_a_long_wait(own_bridge, mode, monkeypatch) -> None:
    monkeypatch.setattr(link, "PROGRESS_SECONDS", 0.01)
    own_bridge.start()
    told: list[tuple[float, float | None, str | None]] = []
    often = asyncio.Event()

    async def progress(done: float, total: float | None, message: str | None) -> None:
        told.append((done, total, message))
        if len(told) > 2:
            often.set()

    async with Client(build(own_bridge.environment()), mode=mode) as agent:
        asked = {"command": "frobnicate", "wait_seconds": 60}
        call = asyncio.create_task(
            agent.call_tool("lighthouse_validate_command", asked, progress_callback=progress)
        )
        await asyncio.wait_for(often.wait(), 30)
        person = {"verdict": "deny", "reason": "no"}
        async with Client(build(own_bridge.environment("olga", "operator")), mode=mode) as olga:
            waiting = await olga.call_tool("lighthouse_pending_validations", {"wait_seconds": 10})
            one = waiting.structured_content["waiting"][0]["id"]
            await olga.call_tool("lighthouse_answer_validation", {"id": one, **person})
        answer = await asyncio.wait_for(call, 30)
    assert answer.structured_content["decision"] == "deny"
    assert all(total == 60 and message == "waiting for an answer" for _, total, message in told)
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)


async def test_a_bridge_that_goes_in_the_middle_of_a_wait(own_bridge) -> None:
    own_bridge.start()
    waits = asyncio.Event()

    async def progress(*_: object) -> None:
        waits.set()

    async with Client(build(own_bridge.environment())) as agent:
        asked = {"command": "frobnicate", "wait_seconds": 60}
        call = asyncio.create_task(
            agent.call_tool("lighthouse_validate_command", asked, progress_callback=progress)
        )
        await asyncio.wait_for(waits.wait(), 30)
        await asyncio.to_thread(own_bridge.stop)
        answer = await asyncio.wait_for(call, 30)
        assert answer.is_error or answer.structured_content["decision"] == "escalate"
        gone = await agent.call_tool("lighthouse_validate_command", {"command": "ls"})
        assert gone.is_error
        assert "no bridge answers" in gone.content[0].text
        own_bridge.start()
        back = await agent.call_tool("lighthouse_validate_command", {"command": "ls"})
        assert back.structured_content["decision"] == "allow"


async def test_an_agent_is_heard_of_while_it_says_nothing(own_bridge, wait_for, monkeypatch) -> None:
    monkeypatch.setattr(link, "BEAT_SECONDS", 0.02)
    own_bridge.start()

    headers = {"Authorization": f"Bearer {own_bridge.token('olga', 'operator')}"}
    async with Client(build(own_bridge.environment())) as agent, aiohttp.ClientSession() as http:
        await agent.call_tool("lighthouse_health_check", {})

        async def heard() -> bool:
            async with http.get(f"{own_bridge.url}/metrics", headers=headers) as answer:
                text = await answer.text()
            found = re.search(r'lighthouse_http_requests_total{[^}]*"/session/validate"[^}]*} (\d+)', text)
            return found is not None and int(found[1]) > 2

        await wait_for(heard, timeout=30)
        await asyncio.to_thread(own_bridge.stop)
        own_bridge.start()
        await wait_for(heard, timeout=30)
