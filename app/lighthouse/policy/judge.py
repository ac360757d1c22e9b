"""The judge: facts of a call, policies over its acts, one verdict; with bounded caches."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from lighthouse.policy.act import Act, Facts
from lighthouse.policy.facts import facts
from lighthouse.policy.places import Roots
from lighthouse.policy.programs.options import lists
from lighthouse.policy.programs.start import tables
from lighthouse.policy.rules import Asker, Rule, Rules
from lighthouse.policy.shell.grammar import NotUnderstood
from lighthouse.policy.verdict import Verdict

MOST_CACHED = 8192
MOST_KEPT, MOST_KEPT_BYTES, MOST_KEPT_LINKS = 2048, 2048, 32
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


@dataclass(frozen=True, slots=True)
class _Kept:
    """A judgement, and what it saw of the project's links: it holds as long as those are the same."""

    judgement: Judgement
    links: dict[str, str | None]


class Judge:
    """Judges calls by a set of policies, which may be replaced while it judges. One thread at a time.

    The same is asked again and again: what was understood in full is kept, and so are the rules of its acts.
    """

    def __init__(self, rules: Rules, roots: Roots) -> None:
        self._rules = rules
        self._link = roots.link
        self._roots = roots if roots.link is None else replace(roots, link=self._look)
        self._links: dict[str, str | None] = {}
        tables(), lists()  # read now and not within the first call
        self._cache: OrderedDict[tuple[object, ...], Rule] = OrderedDict()
        self._kept: OrderedDict[tuple[object, ...], _Kept] = OrderedDict()

    @property
    def rules(self) -> Rules:
        """The policies in force."""
        return self._rules

    def replace(self, rules: Rules) -> None:
        """Judge by other policies from now on."""
        self._rules = rules
        self._cache.clear()
        self._kept.clear()

    def verdict(self, call: Call) -> Verdict:
        """The verdict alone."""
        return self.judge(call).verdict

    def judge(self, call: Call) -> Judgement:
        """Judge every act of the call; the gravest rule is the call's."""
        key = self._key(call)
        if key is not None and (kept := self._kept.get(key)) is not None and self._holds(kept):
            self._kept.move_to_end(key)
            return kept.judgement
        self._links = {}
        judgement = self._judge(call)
        if key is not None and not judgement.facts.uncertain and len(self._links) <= MOST_KEPT_LINKS:
            self._kept[key] = _Kept(judgement, self._links)
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return judgement

    def _judge(self, call: Call) -> Judgement:
        found = facts(call.tool, call.fields, call.cwd, self._roots)
        asker = Asker(call.agent, call.role, call.tool)
        judged = tuple((act, self._rule(act, asker)) for act in found.acts)
        if not judged:
            return Judgement(NOTHING, found, ())
        act, rule = max(judged, key=lambda one: one[1].weight())
        return Judgement(rule.verdict(act), found, judged)

    def _key(self, call: Call) -> tuple[object, ...] | None:
        """All that a judgement depends on but the links; None for a call that is not kept."""
        if any(isinstance(value, str) and len(value) > MOST_KEPT_BYTES for value in call.fields.values()):
            return None
        try:
            fields = msgspec.json.encode(call.fields)
        except (TypeError, ValueError, RecursionError):  # no JSON
            return None
        if len(fields) > MOST_KEPT_BYTES:
            return None
        rules = self._rules
        agent = call.agent if rules.names_agents else ""
        return call.tool, fields, call.cwd, agent, call.role if "role" in rules.looks_at else ""

    def _look(self, path: str) -> str | None:
        """A link of the project, noted down."""
        link = self._links[path] = None if self._link is None else self._link(path)
        return link

    def _holds(self, kept: _Kept) -> bool:
        try:
            return all(self._link is None or self._link(path) == link for path, link in kept.links.items())
        except NotUnderstood:
            return False

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
