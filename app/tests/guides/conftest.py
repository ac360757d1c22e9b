"""A guide's commands, run section by section in the place of a person who follows it."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from lighthouse.mcp.adapter import build
from tests.conftest import RunningBridge, plain_environment

DOCS = Path(__file__).parents[3] / "docs"
WAIT_SECONDS = 60


needs_mount = pytest.mark.skipif(
    not os.access("/dev/fuse", os.R_OK | os.W_OK) or shutil.which("fusermount3") is None,
    reason="needs /dev/fuse and fusermount3",
)


class Guide:
    """One of docs/guide-*.md. `shell` and `tools` run what a section has; whatever is left over fails."""

    def __init__(self, name: str, home: Path, bridge: RunningBridge) -> None:
        self.home = home
        self.bridge = bridge
        text = (DOCS / f"guide-{name}.md").read_text()
        self._blocks: list[tuple[str, str, str]] = [
            (heading, kind, block)
            for heading, body in re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", text, re.M | re.S)
            for kind, block in re.findall(r"^```(\w+)\n(.*?)^```", body, re.M | re.S)
        ]

    def _take(self, heading: str, kind: str, told: dict[str, str]) -> str:
        """The next block of the section, with what the reader's own case has in place of the guide's."""
        at = next(i for i, one in enumerate(self._blocks) if one[:2] == (heading, kind))
        block = self._blocks.pop(at)[2]
        for theirs, own in told.items():
            assert re.search(rf"\b{theirs}\b", block), theirs
            block = re.sub(rf"\b{theirs}\b", own, block)
        return block

    def environment(self, agent: str, role: str) -> dict[str, str]:
        programs = self.home / "bin"
        if not programs.exists():
            programs.mkdir()
            program = programs / "lighthouse"
            program.write_text(f'#!/bin/sh\nexec {sys.executable} -m lighthouse.cli.main "$@"\n')
            program.chmod(0o755)
        own = plain_environment()
        return {
            **own,
            "PATH": f"{programs}:{own['PATH']}",
            "HOME": str(self.home),
            "LIGHTHOUSE_BRIDGE_URL": self.bridge.url,
            "LIGHTHOUSE_TOKEN": self.bridge.token(agent, role),
            # As the appliance's own configuration says it.
            "LIGHTHOUSE_AUTH_SECRET_FILE": str(self.bridge.state / "secret"),
            "LIGHTHOUSE_EVENT_STORE": str(self.bridge.state / "events"),
        }

    async def shell(self, heading: str, agent: str, role: str, **told: str) -> str:
        """Run the section's next block of commands in the project; what they print."""
        block = self._take(heading, "sh", told)
        ended = await asyncio.to_thread(
            subprocess.run,
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=self.bridge.project,
            env=self.environment(agent, role),
            capture_output=True,
            text=True,
            timeout=WAIT_SECONDS,
            check=False,
        )
        assert ended.returncode == 0, f"{block}\n{ended.stdout}{ended.stderr}"
        return ended.stdout

    async def tools(self, heading: str, agent: str, role: str, **told: str) -> list[Any]:
        """Call the section's next block of tools, one after the other; what they answer."""
        answers = []
        async with Client(build(self.environment(agent, role))) as client:
            for line in self._take(heading, "tool", told).splitlines():
                name, _, arguments = line.partition(" ")
                answer = await client.call_tool(name, json.loads(arguments or "{}"))
                assert not answer.is_error, f"{line}\n{answer}"
                answers.append(json.loads(answer.content[0].text))
        return answers

    def done(self) -> None:
        """Every block was run."""
        assert [one[:2] for one in self._blocks] == []


@pytest.fixture
def bridge(
    own_bridge: RunningBridge,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> RunningBridge:
    """A bridge with a project such as the guides speak of, in whose folder everybody is."""
    monkeypatch.chdir(own_bridge.project)
    (own_bridge.project / "src").mkdir()
    query = 'db.execute(f"select sum(cents) from orders where c = {customer}")'
    (own_bridge.project / "src" / "pay.py").write_text(f"def total(db, customer):\n    return {query}\n")
    if any(mark.kwargs == needs_mount.kwargs for mark in request.node.iter_markers("skipif")):
        own_bridge.mount = tmp_path / "mount"
        own_bridge.mount.mkdir()
    own_bridge.start()
    return own_bridge
