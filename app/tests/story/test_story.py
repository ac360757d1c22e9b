"""A team at work beside a plain bridge: the story that the appliance is checked with, too."""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.conftest import RunningBridge, plain_environment

FILE = Path(__file__).parents[3] / "molecule/default/files/checks/story.py"
needs_mount = pytest.mark.skipif(
    not os.access("/dev/fuse", os.R_OK | os.W_OK) or shutil.which("fusermount3") is None,
    reason="needs /dev/fuse and fusermount3",
)


def loaded(file: Path) -> ModuleType:
    found = importlib.util.spec_from_file_location(file.stem, file)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


story = loaded(FILE)


class Beside(story.Place):  # type: ignore[name-defined, misc]
    """A plain bridge of this machine."""

    def __init__(self, bridge: RunningBridge) -> None:
        self.bridge = bridge
        self.project = bridge.project

    def member(self, name: str, role: str) -> Any:
        hello = {
            "library": [],
            "adapter": [sys.executable, "-m", "lighthouse.mcp_server"],
            "environment": self.bridge.environment(name, role),
        }
        return story.Member(name, [sys.executable, str(story.MEMBER)], hello, self.seconds)

    def lighthouse(self, name: str, role: str, *arguments: str) -> str:
        more = ["--state", str(self.bridge.state)] if arguments[:2] == ("events", "verify") else []
        return self._run(
            [sys.executable, "-m", "lighthouse.cli.main", *arguments, *more],
            self.bridge.environment(name, role),
        )

    def hook(self, name: str, role: str, tool: str, given: Any, *, after: bool = False) -> tuple[str, str]:
        sent = story.hooked(tool, given, self.project, after)
        headers = {"Authorization": f"Bearer {self.bridge.token(name, role)}"}
        request = urllib.request.Request(
            f"{self.bridge.url}/hooks/claude-code", json.dumps(sent).encode(), headers
        )
        with urllib.request.urlopen(request, timeout=self.seconds) as answer:
            said = json.load(answer).get("hookSpecificOutput", {})
        return said.get("permissionDecision", "nothing"), said.get("permissionDecisionReason", "")

    def shell(self, script: str, *arguments: str) -> None:
        self._run(["sh", "-euc", script, *arguments], plain_environment())

    def restart(self) -> None:
        self.bridge.stop(signal.SIGKILL)
        self.bridge.detach()
        self.bridge.start()

    def _run(self, command: list[str], env: dict[str, str]) -> str:
        ended = subprocess.run(
            command, env=env, capture_output=True, text=True, timeout=self.seconds, check=False
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout


@needs_mount
@pytest.mark.timeout(300)
def test_a_team_works_together(own_bridge: RunningBridge, tmp_path: Path) -> None:
    own_bridge.mount = tmp_path / "mount"
    own_bridge.mount.mkdir()
    place = Beside(own_bridge)
    place.shell('cd "$0" && git init -q && printf "# Shop\n" > README.md', str(own_bridge.project))
    own_bridge.start()
    with story.Story(place) as told:
        print("\n".join(told.tell()))
