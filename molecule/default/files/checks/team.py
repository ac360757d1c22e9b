"""What is promised to a team: the story of story.py, on the appliance, its members run by the project's owner."""

import os
import subprocess
from pathlib import Path

import story
from host import MEMBER, PROJECT, SCALE, URL, bridge_pid, call, health, need, sh, wait_for
from judged import token_of

PROGRAM = "/usr/local/bin/lighthouse"


class Appliance(story.Place):
    project = PROJECT
    seconds = 60 * SCALE

    def __init__(self):
        names = {**story.ROLES, story.PERSON: "operator"}
        self._tokens = {name: token_of(name, role) for name, role in names.items()}

    def member(self, name, role):
        hello = {
            "library": [str(next(Path("/usr/local/lib/lighthouse").iterdir()))],
            "adapter": [PROGRAM, "mcp"],
            "environment": self._environment(name),
        }
        # The checks lie where only root looks.
        program = ("/usr/bin/python3", "-I", "-c", story.MEMBER.read_text())
        return story.Member(name, ["runuser", "-u", MEMBER, "--", *program], hello, self.seconds)

    def lighthouse(self, name, role, *arguments):
        if arguments[:2] == ("events", "verify"):
            return sh("lighthouse", *arguments, timeout=300)[1]
        done = subprocess.run(
            ["runuser", "-u", MEMBER, "--", PROGRAM, *arguments],
            env=self._environment(name),
            capture_output=True,
            text=True,
            timeout=self.seconds,
            check=False,
            cwd="/",
        )
        need(done.returncode == 0, f"lighthouse {' '.join(arguments)} exited {done.returncode}: {done.stderr}")
        return done.stdout

    def hook(self, name, role, tool, given, *, after=False):
        sent = story.hooked(tool, given, PROJECT, after)
        code, answer = call("POST", "/hooks/claude-code", sent, token=self._tokens[name], timeout=60)
        need(code == 200, f"the hook was answered {code}: {answer}")
        said = answer.get("hookSpecificOutput", {})
        return said.get("permissionDecision", "nothing"), said.get("permissionDecisionReason", "")

    def shell(self, script, *arguments):
        sh("sh", "-euc", script, *arguments, user=MEMBER)

    def restart(self):
        os.kill(bridge_pid(), 9)
        wait_for("health", lambda: health()[0] == 200, 10)

    def _environment(self, name):
        return {"LIGHTHOUSE_BRIDGE_URL": URL, "LIGHTHOUSE_TOKEN": self._tokens[name], "PATH": os.environ["PATH"]}


def together():
    """A team works on the project, each member over MCP with its own token; the log tells it back, and verifies."""
    try:
        with story.Story(Appliance()) as told:
            return "; ".join(told.tell())
    except story.Broken as error:
        need(False, str(error))
