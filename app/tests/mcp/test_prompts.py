"""Prompts for the usual roles, over both protocol versions; they name only tools that there are."""

import re

import pytest
from mcp import Client

from lighthouse.mcp.adapter import build

ARGUMENTS = {
    "builder": {"goal": "mend the parser", "paths": "src/parser"},
    "reviewer": {"what": "the proposal mend"},
    "security_expert": {"paths": "src/auth/**"},
}


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_each_role(mode) -> None:
    async with Client(build({}), mode=mode) as agent:
        tools = {tool.name for tool in (await agent.list_tools()).tools}
        prompts = {prompt.name: prompt for prompt in (await agent.list_prompts()).prompts}
        assert prompts.keys() == ARGUMENTS.keys()
        for name, arguments in ARGUMENTS.items():
            assert prompts[name].description
            assert [each.name for each in prompts[name].arguments or []] == list(arguments)
            (message,) = (await agent.get_prompt(name, arguments)).messages
            named = set(re.findall(r"lighthouse_\w+", message.content.text))
            assert named <= tools
            assert all(value in message.content.text for value in arguments.values())
