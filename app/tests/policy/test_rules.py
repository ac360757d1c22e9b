"""Policies: loaded, checked, asked; the shipped ones and others."""

import re
from importlib import resources

import pytest

from lighthouse.policy.act import ACTIONS, Act
from lighthouse.policy.judge import Call, Judge
from lighthouse.policy.places import Roots
from lighthouse.policy.rules import Asker, BadPolicy, Rules, default_texts
from tests.policy.conftest import PROJECT

ASKER = Asker("ann", "agent", "Bash")
PERMIT = '@id("all") permit (principal, action, resource);\n'


def test_schema_and_analysis_know_the_same_actions() -> None:
    schema = (resources.files("lighthouse.policy") / "schema.cedarschema").read_text()
    listed = re.search(r"^action (.*?)appliesTo", schema, re.S | re.M)
    assert listed is not None
    assert set(re.findall(r"\w+", listed[1])) == ACTIONS


def test_every_shipped_rule_says_why() -> None:
    rules = Rules(default_texts()).rules.values()
    assert all(rule.reason != rule.id for rule in rules)
    assert all(rule.decision == "deny" or rule.tier != "critical" for rule in rules)


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_an_act_in_an_unheard_of_place_is_never_allowed_unless_all_places_are(action) -> None:
    verdict = Rules(default_texts()).decide(Act(action, "somewhere"), ASKER)
    assert verdict.decision != "allow" or action in ("commit", "push")


def test_forbid_wins_and_the_gravest_is_told() -> None:
    rules = Rules(
        {
            "a.cedar": PERMIT
            + '@id("ask") @tier("high") forbid (principal, action == Action::"send", resource);\n'
            + '@id("never") @decision("deny") forbid (principal, action == Action::"send", resource)'
            + ' when { resource.place == "remote" };'
        }
    )
    assert rules.decide(Act("read", "x"), ASKER).id == "all"
    assert rules.decide(Act("send", "local"), ASKER).id == "ask"
    verdict = rules.decide(Act("send", "remote"), ASKER)
    assert (verdict.decision, verdict.id) == ("deny", "never")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("permit (principal, action", "not Cedar"),
        ("permit (principal, action, resource);", "no name"),
        ('@id("a") permit (principal, action == Action::"fly", resource);', "fly"),
        ('@id("a") permit (principal, action, resource) when { resource.plaec == "x" };', "plaec"),
        ('@id("a") @decision("deny") permit (principal, action, resource);', "cannot decide"),
        ('@id("a") @tier("huge") forbid (principal, action, resource);', "tier"),
        ('@id("a") @reson("x") forbid (principal, action, resource);', "reson"),
        (PERMIT + PERMIT, "two policies"),
        ('@id("a") permit (principal == ?principal, action, resource);', "template"),
        ("", "no policy"),
    ],
)
def test_a_bad_policy_is_refused_with_its_fault(text, told) -> None:
    with pytest.raises(BadPolicy, match=re.escape(told)):
        Rules({"a.cedar": text})


def test_an_agent_named_in_a_rule_is_judged_apart() -> None:
    texts = default_texts() | {
        "99.cedar": '@id("ann") forbid (principal == Agent::"ann", action == Action::"fetch", resource);'
    }
    judge = Judge(Rules(texts), Roots((PROJECT,)))
    call = {"command": "curl https://example.com"}
    for agent, decision in [("bob", "allow"), ("ann", "escalate"), ("bob", "allow"), ("ann", "escalate")]:
        assert judge.verdict(Call("Bash", call, PROJECT, agent)).decision == decision


def test_what_a_rule_looks_at_is_never_mixed_up() -> None:
    texts = default_texts() | {
        "99.cedar": '@id("no-curl") forbid (principal, action == Action::"fetch", resource)'
        ' when { resource.program == "curl" && context.tool == "Bash" };'
    }
    judge = Judge(Rules(texts), Roots((PROJECT,)))
    assert judge.verdict(Call("Bash", {"command": "wget -qO- https://a.b"}, PROJECT)).decision == "allow"
    assert judge.verdict(Call("Bash", {"command": "curl https://a.b"}, PROJECT)).rule == "no-curl"
    assert judge.verdict(Call("WebFetch", {"url": "https://a.b"}, PROJECT)).decision == "allow"
