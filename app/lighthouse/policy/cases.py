"""Tables of cases: tool calls with the decision that is expected of them, one JSON object on a line."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from lighthouse.errors import LighthouseError
from lighthouse.policy.judge import Call, Judge
from lighthouse.policy.verdict import Verdict

MAX_LINE = 256 * 1024


class BadCases(LighthouseError):
    """A table of cases that cannot be read."""


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A call and what is expected: a decision, or `stop`, which is deny or escalate.

    `command` stands for a Bash call; else `tool` and `input`.
    """

    expect: Literal["allow", "deny", "escalate", "stop"]
    command: str | None = None
    tool: str = "Bash"
    input: dict[str, Any] = {}
    cwd: str | None = None
    agent: str = "case"
    role: str = "agent"
    why: str = ""

    def call(self, cwd: str) -> Call:
        """The call to be judged."""
        fields = {"command": self.command} if self.command is not None else self.input
        return Call(self.tool, fields, self.cwd or cwd, self.agent, self.role)

    def met_by(self, verdict: Verdict) -> bool:
        """Whether the verdict is what is expected."""
        return verdict.decision == self.expect or (self.expect == "stop" and verdict.decision != "allow")


def read_cases(path: Path) -> Iterator[tuple[int, Case]]:
    """The cases of a file with their lines' numbers. Raises BadCases for a line that is none."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.strip() or line.lstrip().startswith(b"//"):
                    continue
                if len(line) > MAX_LINE:
                    raise BadCases(f"{path} line {number} is too long", "split the case")
                try:
                    yield number, msgspec.json.decode(line, type=Case)
                except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                    raise BadCases(
                        f"{path} line {number} is no case ({error})", "see docs/policy.md"
                    ) from error
    except OSError as error:
        raise BadCases(f"{path} cannot be read ({error.strerror})", "name a file of cases") from error


def judge_cases(judge: Judge, path: Path, cwd: str) -> Iterator[tuple[int, Case, Verdict]]:
    """Each case of the file with its verdict."""
    for number, case in read_cases(path):
        yield number, case, judge.verdict(case.call(cwd))
