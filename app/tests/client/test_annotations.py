"""Notes through the client."""

import pytest

from lighthouse.client import Client, Refused


async def test_from_making_to_resolving(bridge_process) -> None:
    async with Client(bridge_process.url, bridge_process.token("carl")) as bridge:
        made = await bridge.annotate("src/main.py", "why german?", line=1, severity="warning")
        note = made.annotation
        assert (note.status, note.lines, note.severity, note.agent_id) == ("same", (1, 1), "warning", "carl")
        found = await bridge.annotations("src")
        assert note in found.annotations
        assert found.seq == made.seq
        assert (await bridge.annotate("src/main.py", "why german?", line=1, severity="warning")) == made
        ended = await bridge.resolve_annotation(note.id, "because")
        assert (ended.ending, ended.reason) == ("resolved", "because")
        assert note not in (await bridge.annotations("src")).annotations
        assert note in (await bridge.annotations(at=str(ended.seq - 1))).annotations
        with pytest.raises(Refused, match="was resolved"):
            await bridge.withdraw_annotation(note.id)
