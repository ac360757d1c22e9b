"""The judge: facts of a call, policies over its acts, one verdict; with a bounded cache."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lighthouse.policy.act import Act, Facts
from lighthouse.policy.facts import facts
from lighthouse.policy.places import Roots
from lighthouse.policy.programs.start import tables
from lighthouse.policy.rules import Asker, Rule, Rules
from lighthouse.policy.verdict import Verdict

MOST_CACHED = 8192
NOTHING = Verdict("allow", "it does nothing that needs a rule", "nothing-to-judge", "low")


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call as it is asked about. `origin` says where it comes from, for the log alone."""

    tool: str
    fields: Mapping[str, Any]
    cwd: str
    agent: str = "unknown"
    role: str = "agent"
    origin: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with all it rests on: the facts, and the rule that decided on each act."""

    verdict: Verdict
    facts: Facts
    acts: tuple[tuple[Act, Rule], ...]


class Judge:
    """Judges calls by a set of policies, which may be replaced while it judges. One thread at a time."""

    def __init__(self, rules: Rules, roots: Roots) -> None:
        self._rules = rules
        self._roots = roots
        tables()  # read now and not within the first call
        self._cache: OrderedDict[tuple[object, ...], Rule] = OrderedDict()

    @property
    def rules(self) -> Rules:
        """The policies in force."""
        return self._rules

    def replace(self, rules: Rules) -> None:
        """Judge by other policies from now on."""
        self._rules = rules
        self._cache.clear()

    def verdict(self, call: Call) -> Verdict:
        """The verdict alone."""
        return self.judge(call).verdict

    def judge(self, call: Call) -> Judgement:
        """Judge every act of the call; the gravest rule is the call's."""
        found = facts(call.tool, call.fields, call.cwd, self._roots)
        asker = Asker(call.agent, call.role, call.tool)
        judged = tuple((act, self._rule(act, asker)) for act in found.acts)
        if not judged:
            return Judgement(NOTHING, found, ())
        act, rule = max(judged, key=lambda one: one[1].weight())
        return Judgement(rule.verdict(act), found, judged)

    def _rule(self, act: Act, asker: Asker) -> Rule:
        """The rule for one act, remembered by all of it that any policy looks at."""
        rules = self._rules
        looks = rules.looks_at
        key = (
            act.action,
            act.place,
            act.recursive,
            act.target if "name" in looks else "",
            act.program if "program" in looks else "",
            asker.agent if rules.names_agents else "",
            asker.role if "role" in looks else "",
            asker.tool if "tool" in looks else "",
        )
        if (known := self._cache.get(key)) is not None:
            self._cache.move_to_end(key)
            return known
        rule = rules.decide(act, asker)
        self._cache[key] = rule
        if len(self._cache) > MOST_CACHED:
            self._cache.popitem(last=False)
        return rule
