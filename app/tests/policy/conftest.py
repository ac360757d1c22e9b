"""A judge with the shipped policies, for a project of ann's."""

import gc
from collections.abc import Iterator

import pytest

from lighthouse.policy.judge import Call, Judge
from lighthouse.policy.places import Roots
from lighthouse.policy.rules import Rules, default_texts
from lighthouse.policy.verdict import Verdict

PROJECT = "/home/ann/shop"


class Bench:
    """Judges Bash commands that are given in the project's folder."""

    def __init__(self, links: dict[str, str] | None = None) -> None:
        roots = Roots((PROJECT,), link=(links or {}).get)
        self.judge = Judge(Rules(default_texts()), roots)

    def verdict(self, command: str, cwd: str = PROJECT) -> Verdict:
        return self.judge.verdict(Call("Bash", {"command": command}, cwd))

    def decision(self, command: str, cwd: str = PROJECT) -> str:
        return self.verdict(command, cwd).decision

    def acts(self, command: str, cwd: str = PROJECT) -> list[tuple[str, str, str]]:
        judged = self.judge.judge(Call("Bash", {"command": command}, cwd))
        return [(act.action, act.place, act.target) for act, _ in judged.acts]


@pytest.fixture(scope="session", autouse=True)
def the_other_tests_memory_is_left_alone() -> Iterator[None]:
    """As the bridge does: to look for garbage in a large heap takes longer than an analysis may."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="session")
def bench() -> Bench:
    return Bench()
