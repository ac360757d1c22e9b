"""The tools of notes, one after the other."""

from tests.mcp.test_tools import Agent


async def test_from_making_to_closing(bridge_process) -> None:
    agent = Agent(bridge_process.environment("mia"))

    async def ask(tool, **arguments):
        answer = await agent.call_tool(tool, arguments)
        assert not answer.is_error, answer.content
        return answer.structured_content

    made = await ask("lighthouse_annotate", path="src/main.py", text="by a tool", line=1)
    assert (made["status"], made["lines"]) == ("same", [1, 1])
    found = await ask("lighthouse_list_annotations", path="src")
    assert made in found["notes"]
    ended = await ask("lighthouse_end_annotation", id=made["id"], ending="withdrawn", reason="a test")
    assert (ended["id"], ended["ending"]) == (made["id"], "withdrawn")
    assert made not in (await ask("lighthouse_list_annotations"))["notes"]
    assert made in (await ask("lighthouse_list_annotations", at=str(ended["seq"] - 1)))["notes"]
