"""The tools of contexts, one after the other."""

from tests.mcp.test_tools import Agent


async def test_from_making_to_removing(bridge_process) -> None:
    agent = Agent(bridge_process.environment("mia"))

    async def ask(tool, **arguments):
        answer = await agent.call_tool(tool, arguments)
        assert not answer.is_error, answer.content
        return answer.structured_content

    made = await ask("lighthouse_create_context", name="tool-review", files=["src/**"], notes={"Why": "so"})
    assert made["text"].startswith("tool-review: version ")
    assert "files 1, notes 1, by mia" in made["text"]
    assert made["text"] in (await ask("lighthouse_show_contexts"))["text"].splitlines()
    found = (await ask("lighthouse_show_contexts", name="tool-review"))["text"]
    assert found.endswith("\n# Why\n\nso\n\n\nFiles (1):\nsrc/main.py")
    bob = Agent(bridge_process.environment("bob"))
    refused = await bob.call_tool("lighthouse_remove_context", {"name": "tool-review"})
    assert refused.is_error
    assert (await ask("lighthouse_remove_context", name="tool-review"))["name"] == "tool-review"
