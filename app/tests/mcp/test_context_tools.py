"""The tools of contexts, one after the other."""

from tests.mcp.test_tools import Agent


async def test_from_making_to_removing(bridge_process) -> None:
    agent = Agent(bridge_process.environment("mia"))

    async def ask(tool, **arguments):
        answer = await agent.call_tool(tool, arguments)
        assert not answer.is_error, answer.content
        return answer.structured_content

    made = await ask("lighthouse_create_context", name="tool-review", files=["src/**"], notes={"Why": "so"})
    assert (made["files"], made["notes"], made["agent_id"]) == (1, 1, "mia")
    names = [one["name"] for one in (await ask("lighthouse_list_contexts"))["contexts"]]
    assert "tool-review" in names
    found = await ask("lighthouse_get_context", name="tool-review")
    assert (found["files"], found["files_total"], found["notes"][0]["text"]) == (["src/main.py"], 1, "so\n")
    bob = Agent(bridge_process.environment("bob"))
    refused = await bob.call_tool("lighthouse_remove_context", {"name": "tool-review"})
    assert refused.is_error
    assert (await ask("lighthouse_remove_context", name="tool-review"))["name"] == "tool-review"
