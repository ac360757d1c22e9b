"""lighthouse_search: matches as text, page by page."""

import pytest

from tests.mcp.test_tools import Agent


@pytest.fixture
def agent(bridge_process) -> Agent:
    return Agent(bridge_process.environment())


async def ask(agent, **arguments):
    answer = await agent.call_tool("lighthouse_search", arguments)
    assert not answer.is_error, answer.content
    return answer.structured_content


async def test_lines_under_their_files(agent) -> None:
    found = await ask(agent, pattern="DICH", ignore_case=True, context=1)
    assert found["found"] == "src/main.py\n1:print('grüß dich')\n"
    assert "next_cursor" not in found


async def test_files_counts_and_globs(agent) -> None:
    # Only where no other test leaves files.
    assert (await ask(agent, pattern=".", path="src", mode="files"))["found"] == "src/main.py"
    assert (await ask(agent, pattern=".", path="src", mode="count"))["found"] == "src/main.py:1"
    assert (await ask(agent, pattern=".", path="src", globs=["!*.py"]))["found"] == ""


async def test_a_bad_pattern_is_told(agent) -> None:
    answer = await agent.call_tool("lighthouse_search", {"pattern": "("})
    assert answer.is_error
    assert "missing )" in answer.content[0].text
