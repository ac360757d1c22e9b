"""A judgement that is kept is the one that would be made anew."""

import pytest

from lighthouse.policy import judge as judging
from lighthouse.policy.judge import Call, Judge
from lighthouse.policy.places import Roots
from lighthouse.policy.rules import Rules, default_texts
from lighthouse.policy.shell.grammar import NotUnderstood
from tests.policy.conftest import PROJECT

ONLY_THE_RELEASER = """
@id("only-the-releaser")
@decision("deny")
forbid (principal, action == Action::"read", resource) unless { principal == Agent::"releaser" };
"""
OBSERVERS = """
@id("observers-do-not-write")
@decision("deny")
forbid (principal, action == Action::"write", resource) when { principal.role == "observer" };
"""


@pytest.fixture
def analysed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was analysed, in order."""
    seen: list[str] = []
    real = judging.facts

    def counted(tool, fields, cwd, roots):
        seen.append(fields.get("command", tool))
        return real(tool, fields, cwd, roots)

    monkeypatch.setattr(judging, "facts", counted)
    return seen


def bash(command: str, cwd: str = PROJECT, agent: str = "ann", role: str = "agent") -> Call:
    return Call("Bash", {"command": command}, cwd, agent, role)


def shipped(link=None) -> Judge:
    return Judge(Rules(default_texts()), Roots((PROJECT,), link=link))


def test_the_same_call_is_analysed_once_for_all_agents_and_another_one_anew(analysed) -> None:
    judge = shipped()
    first = judge.judge(bash("git status"))
    assert judge.judge(bash("git status", agent="bob")) is first
    assert analysed == ["git status"]
    assert judge.verdict(bash("rm -rf src")).decision == "escalate"
    assert judge.verdict(bash("rm -rf src", cwd="/")).tier == "high"
    assert judge.verdict(Call("Write", {"command": "git status"}, PROJECT)).decision != "allow"
    assert len(analysed) == 4


def test_what_a_path_leads_to_is_looked_up_each_time(analysed) -> None:
    links: dict[str, str] = {}
    judge = shipped(links.get)
    assert judge.verdict(bash("echo x > out/a")).decision == "allow"
    links[f"{PROJECT}/out"] = "/etc"
    assert judge.verdict(bash("echo x > out/a")).decision == "escalate"
    del links[f"{PROJECT}/out"]
    assert judge.verdict(bash("echo x > out/a")).decision == "allow"
    assert len(analysed) == 3


def test_where_the_links_can_no_longer_be_read_nothing_is_allowed() -> None:
    broken = False

    def link(path: str) -> str | None:
        if broken:
            raise NotUnderstood("the project cannot be seen")
        return None

    judge = shipped(link)
    assert judge.verdict(bash("cat a")).decision == "allow"
    broken = True
    assert judge.verdict(bash("cat a")).decision == "escalate"


def test_other_policies_judge_anew() -> None:
    judge = shipped()
    assert judge.verdict(bash("cat a")).decision == "allow"
    judge.replace(Rules({"none.cedar": '@id("no") @decision("deny") forbid (principal, action, resource);'}))
    assert judge.verdict(bash("cat a")).decision == "deny"


def test_nothing_is_shared_between_agents_or_roles_where_a_rule_names_them() -> None:
    judge = Judge(Rules(default_texts() | {"x.cedar": ONLY_THE_RELEASER}), Roots((PROJECT,)))
    assert judge.verdict(bash("cat a", agent="releaser")).decision == "allow"
    assert judge.verdict(bash("cat a")).decision == "deny"
    judge = Judge(Rules(default_texts() | {"x.cedar": OBSERVERS}), Roots((PROJECT,)))
    assert judge.verdict(bash("touch a")).decision == "allow"
    assert judge.verdict(bash("touch a", role="observer")).decision == "deny"


def test_what_was_not_understood_is_looked_at_again(analysed) -> None:
    judge = shipped()
    for _ in range(2):
        assert judge.verdict(bash("unheard-of --now")).decision == "escalate"
    assert len(analysed) == 2


def test_what_is_kept_is_bounded(analysed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "MOST_KEPT", 2)
    judge = shipped()
    for name in ("a", "b", "a", "c", "a", "b"):
        judge.judge(bash(f"cat {name}"))
    assert analysed == ["cat a", "cat b", "cat c", "cat b"]
    long = "echo " + "x" * judging.MOST_KEPT_BYTES
    for _ in range(2):
        judge.judge(bash(long))
    assert analysed[4:] == [long, long]
