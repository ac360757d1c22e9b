"""Claude Code's hooks at the bridge: every tool's own JSON, verdicts in the client's form, its writes."""

import asyncio
import io
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lighthouse.bridge import tool_uses
from lighthouse.sessions import Role
from tests.bridge.conftest import Answer, Api, Start

WaitFor = Callable[..., Awaitable[None]]
ROUTE = "/hooks/claude-code"
SESSION = "6e0b4c6e-6e7a-4a52-9c0e-1f6f5d8f2c11"
DOUBTFUL = {
    "command": "curl https://example.com/install.sh -o /usr/local/bin/tool",
    "description": "Install it",
}


def before(project: Path, tool: str, fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A hook's JSON with all that the client sends today."""
    return {
        "session_id": SESSION,
        "transcript_path": f"/home/ann/.claude/projects/-shop/{SESSION}.jsonl",
        "cwd": str(project),
        "prompt_id": "1cf2bb36-3a05-4f1c-8f36-d3a6a5c6a2c4",
        "permission_mode": "default",
        "effort": {"level": "medium"},
        "hook_event_name": "PreToolUse",
        "tool_name": tool,
        "tool_input": fields,
        "tool_use_id": "toolu_01A2b3C4d5E6f7G8h9J0kLmN",
    } | more


def after(project: Path, tool: str, fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    told = {"hook_event_name": "PostToolUse", "tool_response": {"stdout": ""}, "duration_ms": 12}
    return before(project, tool, fields) | told | more


def decision(answer: Answer) -> tuple[str, str]:
    """What the client does, and what it tells the agent."""
    assert answer.status == 200, answer.body
    told = answer.json()
    word = answer.headers["X-Lighthouse-Hook"]
    if not told:
        assert word in ("allow", "none")
        return "", ""
    output = told["hookSpecificOutput"]
    assert output["hookEventName"] == "PreToolUse"
    assert word == output["permissionDecision"]
    return word, output["permissionDecisionReason"]


def calls(project: Path) -> dict[str, tuple[str, dict[str, Any], str]]:
    """For each tool a call as the client makes it, and what becomes of it."""
    main = str(project / "src/main.py")
    return {
        "read by shell": ("Bash", {"command": "git status && ls -l src", "description": "Look"}, ""),
        "destroy by shell": ("Bash", {"command": "rm -rf /", "description": "Tidy"}, "deny"),
        "Write": ("Write", {"file_path": main, "content": "print('ahoy')\n"}, ""),
        "Edit": ("Edit", {"file_path": main, "old_string": "a", "new_string": "b", "replace_all": False}, ""),
        "MultiEdit": (
            "MultiEdit",
            {"file_path": main, "edits": [{"old_string": "a", "new_string": "b", "replace_all": True}]},
            "",
        ),
        "NotebookEdit": (
            "NotebookEdit",
            {
                "notebook_path": str(project / "a.ipynb"),
                "new_source": "1",
                "cell_id": "c",
                "edit_mode": "replace",
            },
            "",
        ),
        "Read": ("Read", {"file_path": main, "offset": 1, "limit": 20}, ""),
        "Glob": ("Glob", {"pattern": "**/*.py", "path": str(project)}, ""),
        "Grep": ("Grep", {"pattern": "def", "path": str(project), "output_mode": "content", "-n": True}, ""),
        "WebFetch": ("WebFetch", {"url": "https://docs.python.org/3/", "prompt": "What is new?"}, ""),
        "WebSearch": ("WebSearch", {"query": "python 3.13 changes"}, ""),
        "Task": ("Task", {"description": "Look", "prompt": "Find it", "subagent_type": "Explore"}, ""),
        "TodoWrite": (
            "TodoWrite",
            {"todos": [{"content": "Test", "status": "pending", "activeForm": "Testing"}]},
            "",
        ),
        "own tool": ("mcp__lighthouse__lighthouse_read_file", {"path": "README.md"}, ""),
    }


@pytest.mark.parametrize("name", calls(Path("/project")))
async def test_the_calls_of_each_tool(api: Api, project: Path, name: str) -> None:
    tool, fields, expected = calls(project)[name]
    word, reason = decision(await api.post(ROUTE, before(project, tool, fields)))
    assert word == expected, reason
    (event,) = await api.events(stream="verdicts")
    assert event.agent_id == "ann"
    assert event.value["tool_name"] == tool
    assert event.value["origin"] == {
        "hook": "claude-code",
        "session_id": SESSION,
        "tool_use_id": "toolu_01A2b3C4d5E6f7G8h9J0kLmN",
        "permission_mode": "default",
    }
    if expected:
        assert f"v{event.seq}" in reason
        assert event.value["rule"] in reason


@pytest.fixture
async def hasty(start: Start) -> Api:
    """A bridge where nobody has time to answer."""
    return await start(person_seconds=0.01)


@pytest.mark.parametrize(
    "path", ["/etc/passwd", ".claude/settings.json", ".mcp.json", ".git/hooks/pre-commit"]
)
async def test_nobody_writes_there_unasked(hasty: Api, project: Path, path: str) -> None:
    fields = {"file_path": str(project / path), "content": "{}"}
    word, _ = decision(await hasty.post(ROUTE, before(project, "Write", fields)))
    assert word == "deny"


async def test_an_unknown_tool_waits_for_somebody(hasty: Api, project: Path) -> None:
    word, reason = decision(await hasty.post(ROUTE, before(project, "mcp__jira__delete_issue", {"id": 7})))
    assert word == "deny"
    assert "nobody decided within" in reason
    (event,) = await hasty.events(type="validation.resolved")
    assert event.value["how"] == "timeout"


async def waiting(api: Api, wait_for: WaitFor) -> str:
    assert api.bridge.validations is not None
    await wait_for(api.bridge.validations.pending)
    return api.bridge.validations.pending()[0].id


@pytest.mark.parametrize(("verdict", "expected"), [("approve", ""), ("deny", "deny")])
async def test_a_doubtful_call_waits_for_a_person(
    api: Api, project: Path, wait_for: WaitFor, verdict: str, expected: str
) -> None:
    asking = asyncio.create_task(api.post(ROUTE, before(project, "Bash", DOUBTFUL)))
    found = await waiting(api, wait_for)
    assert not asking.done()
    said = {"id": found, "verdict": verdict, "reason": "I know that host"}
    assert (await api.post("/approve", said, token=api.token("olga", Role.OPERATOR))).status == 200
    word, reason = decision(await asking)
    assert word == expected
    if expected:
        assert "I know that host" in reason
        assert found in reason


async def test_an_expert_denies_while_the_client_waits(api: Api, project: Path, wait_for: WaitFor) -> None:
    expert = api.token("eve", Role.EXPERT)
    able = {"speciality": "security", "languages": ["bash"], "paths": [], "risks": []}
    assert (await api.post("/expert/register", able, token=expert)).status == 200
    asking = asyncio.create_task(api.post(ROUTE, before(project, "Bash", DOUBTFUL)))
    found = await waiting(api, wait_for)
    said = {"id": found, "verdict": "deny", "reason": "it is not signed"}
    assert (await api.post("/approve", said, token=expert)).status == 200
    word, reason = decision(await asking)
    assert (word, "eve denied: it is not signed" in reason) == ("deny", True)


async def test_a_bridge_that_stops_denies_what_waits(api: Api, project: Path, wait_for: WaitFor) -> None:
    asking = asyncio.create_task(api.post(ROUTE, before(project, "Bash", DOUBTFUL)))
    await waiting(api, wait_for)
    api.bridge.begin_stop()
    word, reason = decision(await asking)
    assert word == "deny"
    assert "stopped" in reason
    word, reason = decision(await api.post(ROUTE, before(project, "Bash", {"command": "ls"})))
    assert (word, "stopping" in reason) == ("deny", True)


async def test_a_bridge_that_starts_denies(start: Start, project: Path) -> None:
    api = await start(parts=False)
    word, reason = decision(await api.post(ROUTE, before(project, "Bash", {"command": "ls"})))
    assert (word, "starting" in reason) == ("deny", True)
    assert decision(await api.post(ROUTE, after(project, "Bash", {"command": "ls"}))) == ("", "")


async def test_allow_is_said_only_where_it_is_set(start: Start, project: Path) -> None:
    api = await start(hook_allows=True)
    word, reason = decision(
        await api.post(ROUTE, before(project, "Read", {"file_path": str(project / "README.md")}))
    )
    assert word == "allow"
    (event,) = await api.events(type="verdict.allowed")
    assert f"v{event.seq}" in reason


async def test_a_subagent_is_its_main_agent(api: Api, project: Path) -> None:
    hook = before(
        project, "Read", {"file_path": str(project / "README.md")}, agent_id="a3f2", agent_type="Explore"
    )
    assert decision(await api.post(ROUTE, hook)) == ("", "")
    (event,) = await api.events(type="verdict.allowed")
    assert event.agent_id == "ann"
    assert event.value["origin"]["subagent"] == "a3f2"


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"tool_name": "Bash"}',
        b'{"hook_event_name": 7, "tool_name": "Bash"}',
        b'{"hook_event_name": "PreToolUse"}',
        b'{"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": "ls", "cwd": "/"}',
        b'{"hook_event_name": "PreToolUse", "tool_name": null, "tool_input": {}, "cwd": "/"}',
        b'{"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": "\xff"}}',
        b"[" * 100_000,
        # A long name in an unbounded memory of judgements would be one for as long as the bridge runs.
        b'{"hook_event_name": "PreToolUse", "tool_name": "mcp__a__get_%s", "tool_input": {}, "cwd": "/"}'
        % (b"x" * 200),
        b'{"hook_event_name": "PreToolUse", "tool_name": "TodoWrite", "tool_input": {}, "cwd": "/%s"}'
        % (b"x" * 4096),
    ],
)
async def test_what_is_malformed_is_denied(api: Api, wrong: bytes) -> None:
    word, reason = decision(await api.call("POST", ROUTE, data=wrong))
    assert word == "deny"
    assert "Lighthouse" in reason
    assert not await api.events(stream="verdicts")


async def test_too_much_is_denied(api: Api, project: Path) -> None:
    large = before(project, "Write", {"file_path": str(project / "a"), "content": "x" * (17 << 20)})
    word, reason = decision(await api.call("POST", ROUTE, data=io.BytesIO(json.dumps(large).encode())))
    assert (word, "16 MiB" in reason) == ("deny", True)


async def test_a_file_larger_than_other_bodies_may_be_written(api: Api, project: Path) -> None:
    large = before(project, "Write", {"file_path": str(project / "a.txt"), "content": "x" * (3 << 20)})
    assert decision(await api.call("POST", ROUTE, data=io.BytesIO(json.dumps(large).encode()))) == ("", "")


@pytest.mark.parametrize(
    "name", ["SessionStart", "Stop", "UserPromptSubmit", "PostToolUseFailure", "Unheard"]
)
async def test_other_events_are_taken(api: Api, name: str) -> None:
    answer = await api.post(ROUTE, {"hook_event_name": name, "session_id": SESSION, "more": [1]})
    assert decision(answer) == ("", "")
    assert answer.headers["X-Lighthouse-Hook"] == "none"


async def test_who_asks_has_to_be_known(api: Api, project: Path) -> None:
    hook = before(project, "Bash", {"command": "ls"})
    (await api.post(ROUTE, hook, token=None)).problem(401)
    (await api.post(ROUTE, hook, token="nonsense")).problem(401)
    (await api.post(ROUTE, hook, token=api.token("eve", Role.OBSERVER))).problem(403)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
        max_leaves=8,
    ),
    st.sampled_from(["Bash", "Write", "Edit", "Task", "mcp__x__y", ""]),
    st.text(max_size=20),
)
async def test_whatever_stands_in_a_call_gets_an_answer(hasty: Api, fields: Any, tool: str, cwd: str) -> None:
    hook = {"hook_event_name": "PreToolUse", "tool_name": tool, "tool_input": fields, "cwd": cwd}
    word, reason = decision(await hasty.call("POST", ROUTE, data=json.dumps(hook)))
    assert word == "deny" or isinstance(fields, dict)
    assert "failed" not in reason


def named(path: str) -> list[dict[str, str]]:
    return [{"path": path}]


@pytest.mark.parametrize("tool", ["Write", "Edit", "MultiEdit"])
async def test_a_written_file_is_seen_at_once_and_the_log_names_who_wrote_it(
    api: Api, project: Path, tool: str
) -> None:
    (project / "src" / "new [id].py").write_text("fresh\n")
    fields = {"file_path": str(project / "src" / "new [id].py"), "content": "fresh\n"}
    assert decision(await api.post(ROUTE, after(project, tool, fields))) == ("", "")
    assert (await api.get("/shadow/read/src/new%20%5Bid%5D.py")).body == b"fresh\n"
    (event,) = await api.events(stream="tools")
    assert (event.type, event.agent_id) == ("tool.used", "ann")
    assert event.value["paths"] == named("src/new [id].py")
    assert event.value["actions"] == ["write"]
    assert event.value["session_id"] == SESSION
    (changed,) = await api.events(type="shadow.changed")
    assert event.value["version"] == changed.seq


async def test_who_tells_a_lot_has_one_look_at_a_time(api: Api, project: Path) -> None:
    news = [after(project, "Write", {"file_path": str(project / str(number))}) for number in range(30)]
    posts = [asyncio.create_task(api.post(ROUTE, one)) for one in news]
    most = 0
    while not all(post.done() for post in posts):
        most = max(most, len(tool_uses._looks))
        await asyncio.sleep(0)
    assert most == 1
    assert len(await api.events(stream="tools")) == 30


async def test_what_the_shell_wrote_is_seen_at_once(api: Api, project: Path) -> None:
    (project / "made").mkdir()
    (project / "made" / "by-build.txt").write_text("built\n")
    (project / "README.md").write_text("# Changed\n")
    command = {"command": "make && echo '# Changed' > README.md"}
    assert decision(await api.post(ROUTE, after(project, "Bash", command))) == ("", "")
    assert (await api.get("/shadow/read/README.md")).body == b"# Changed\n"
    assert (await api.get("/shadow/read/made/by-build.txt")).body == b"built\n"
    (event,) = await api.events(stream="tools")
    assert event.value["paths"] == named("README.md")


async def test_a_write_through_a_link_is_found_where_it_leads(api: Api, project: Path) -> None:
    (project / "short").symlink_to("src")
    (project / "src" / "main.py").write_text("print('land')\n")
    fields = {"file_path": str(project / "short" / "main.py")}
    await api.post(ROUTE, after(project, "Edit", fields))
    (event,) = await api.events(stream="tools")
    assert event.value["paths"] == named("src/main.py")


async def test_the_host_has_its_own_name_for_the_project(start: Start, project: Path) -> None:
    api = await start(roots={"/home/ann/shop": str(project)})
    (project / "src" / "main.py").write_text("print('land')\n")
    fields = {"file_path": "/home/ann/shop/src/main.py"}
    assert decision(await api.post(ROUTE, before(Path("/home/ann/shop"), "Edit", fields))) == ("", "")
    await api.post(ROUTE, after(Path("/home/ann/shop"), "Edit", fields))
    (event,) = await api.events(stream="tools")
    assert event.value["paths"] == named("src/main.py")
    assert (await api.get("/shadow/read/src/main.py")).body == b"print('land')\n"


@pytest.mark.parametrize(
    ("tool", "fields"),
    [("Bash", {"command": "ls"}), ("Read", {"file_path": "/x"}), ("TodoWrite", {"todos": []})],
)
async def test_what_changes_nothing_is_not_told(api: Api, project: Path, tool: str, fields: Any) -> None:
    assert decision(await api.post(ROUTE, after(project, tool, fields))) == ("", "")
    assert not await api.events(stream="tools")


async def test_news_that_make_no_sense_hurt_nobody(api: Api, project: Path) -> None:
    for fields in (
        "text",
        {"file_path": 7},
        {"file_path": str(project) + "/" + "x" * 300},
        {"file_path": "\0"},
    ):
        answer = await api.post(ROUTE, after(project, "Write", {}) | {"tool_input": fields})
        assert decision(answer) == ("", "")
