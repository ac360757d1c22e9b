"""Whatever a tool call holds, it gets a verdict that is in the log, or a refusal that says what to do."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lighthouse.events import Query
from lighthouse.keys import KeyRing
from lighthouse.policy import Call
from lighthouse.validation import BadCall
from tests.validation.conftest import Clock, Room

TOOLS = ["Bash", "Write", "Edit", "MultiEdit", "NotebookEdit", "Read", "WebFetch", "mcp__x__y", "Unheard"]
NAMES = [
    "command",
    "file_path",
    "notebook_path",
    "old_string",
    "new_string",
    "content",
    "edits",
    "url",
    "path",
]
names = st.sampled_from(NAMES) | st.text()
words = st.text() | st.sampled_from(
    ["src/a.py", ".env", "../..", "~/x", "/dev/sda", "rm -rf src", "https://e.com"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | st.text(), inner, max_size=3)
    ),
    max_leaves=10,
)
calls = st.builds(
    Call,
    st.sampled_from(TOOLS) | st.text(min_size=1, max_size=200),
    st.dictionaries(names, values, max_size=5),
    st.sampled_from(["", "/", "src", "/nowhere"]) | st.text(),
    st.sampled_from([f"agent-{number}" for number in range(40)]),
)


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[asyncio.Runner, Room]]:
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        room = Room(Path(folder), KeyRing(b"only-for-tests-0123456789-abcdef"), Clock())
        runner.run(room.open())
        (room.project / "src" / "a.py").write_text("a\n")
        yield runner, room
        runner.run(room.close())


@settings(max_examples=150, deadline=None)
@given(calls)
def test_whatever_is_asked(running: tuple[asyncio.Runner, Room], call: Call) -> None:
    runner, room = running

    async def asked() -> None:
        try:
            outcome = await room.validations.judge(call)
        except BadCall:
            return
        number = int(outcome.id[1:])
        (event,) = (await room.store.query(Query(from_seq=number, to_seq=number))).events
        told: dict[str, Any] = event.value
        assert (told["decision"], told["rule"]) == (outcome.decision, outcome.rule)
        assert (await room.validations.get(outcome.id)).decision == outcome.decision

    runner.run(asked())
