"""Cedar policies: loading, checking against the schema, and asking them about one act."""

import json
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Any, get_args

import cedarpy
import msgspec

from lighthouse.errors import LighthouseError
from lighthouse.policy.act import ACTIONS, Act
from lighthouse.policy.verdict import TIERS, WEIGHT, Decision, Tier, Verdict

MAX_FILE = 1024 * 1024
_HOME = resources.files("lighthouse.policy")
_ANNOTATIONS = {"id", "decision", "tier", "reason", "suggestion"}
# What a key of the cache needs hold only where a policy looks at it.
_LOOKED_AT = ("name", "program", "tool", "role")


class BadPolicy(LighthouseError):
    """A policy file that cannot be read, parsed, or does not fit the schema."""


class Rule(msgspec.Struct, frozen=True):
    """One policy: its name, what it decides, and what it tells people."""

    id: str
    decision: Decision
    tier: Tier
    reason: str
    suggestion: str
    file: str

    def weight(self) -> tuple[int, int]:
        """How grave the decision is: the gravest of several counts."""
        return WEIGHT[self.decision], TIERS[self.tier]

    def verdict(self, act: Act) -> Verdict:
        """The decision in words, for the act that it was made on."""
        what = act.detail or act.target
        by = f"{act.program}: " if act.program and not what.startswith(act.program) else ""
        reason = f"{by}{what} ({self.reason})" if what else f"{by}{self.reason}"
        return Verdict(self.decision, reason[:500], self.id, self.tier, self.suggestion)


UNDECIDED = Rule("no-rule", "escalate", "medium", "no policy permits it", "", "")
FAILED = Rule("policy-error", "escalate", "high", "a policy could not be evaluated", "", "")


@dataclass(frozen=True, slots=True)
class Asker:
    """Who calls, and with which tool."""

    agent: str
    role: str
    tool: str


class Rules:
    """A checked set of policies, immutable. `version` changes with any byte of them."""

    def __init__(self, texts: dict[str, str]) -> None:
        schema = (_HOME / "schema.cedarschema").read_text("utf-8")
        self._schema = cedarpy.Schema.from_str(schema)
        self.version = sha256(json.dumps([schema, sorted(texts.items())]).encode()).hexdigest()[:16]
        self.rules: dict[str, Rule] = {}
        for name, text in sorted(texts.items()):
            self._check(name, text)
        whole = "\n".join(text for _, text in sorted(texts.items()))
        if not self.rules:
            raise BadPolicy(
                "there is no policy at all",
                "write a file NAME.cedar, or leave the folder away for the default set",
            )
        encoded = cedarpy.policies_to_json_str(whole)
        # Evaluating takes as long as there are policies: those of other actions are left out.
        policies = json.loads(encoded)["staticPolicies"]
        self._sets = {action: _only(policies, action) for action in sorted(ACTIONS)}
        self.looks_at = frozenset(word for word in _LOOKED_AT if f'"attr":"{word}"' in encoded)
        self.names_agents = '"type":"Agent"' in encoded

    def decide(self, act: Act, asker: Asker) -> Rule:
        """The rule that decides on one act. Anything unforeseen in an evaluation escalates."""
        looks = self.looks_at
        target: dict[str, Any] = {"place": act.place, "recursive": act.recursive}
        target |= {"name": act.target} if "name" in looks else {}
        target |= {"program": act.program} if "program" in looks else {}
        entities = [{"uid": {"type": "Target", "id": "target"}, "attrs": target, "parents": []}]
        if "role" in looks:
            agent = {
                "uid": {"type": "Agent", "id": asker.agent},
                "attrs": {"role": asker.role},
                "parents": [],
            }
            entities.append(agent)
        try:
            request = {
                "principal": {"type": "Agent", "id": asker.agent},
                "action": {"type": "Action", "id": act.action},
                "resource": {"type": "Target", "id": "target"},
                "context": _text({"tool": asker.tool}),
            }
            # Without the schema it takes a third less: the policies were checked against it, what is asked is
            # always of this shape, and were it not, that would be an error in the evaluation.
            result = cedarpy.is_authorized(request, self._sets[act.action], _entities(_text(entities)))
        except ValueError:  # text that is no Unicode
            return FAILED
        if result.diagnostics.errors:
            return FAILED
        named = result.diagnostics.id_annotations_by_reason
        found = [self.rules[named[reason]] for reason in result.diagnostics.reasons]
        return max(found, key=Rule.weight, default=UNDECIDED)

    def _check(self, name: str, text: str) -> None:
        try:
            policies = json.loads(cedarpy.policies_to_json_str(text))
        except ValueError as error:
            raise BadPolicy(
                f"{name} is not Cedar ({error})", "correct it; `lighthouse policy check` tells more"
            ) from error
        if policies["templates"]:
            raise BadPolicy(f"{name} has a template", "write policies without ?principal and ?resource")
        valid = cedarpy.validate_policies(text, self._schema)
        if not valid.validation_passed:
            first = valid.errors[0]
            raise BadPolicy(f"{name}: {first.error}", "use the words of the schema, see docs/policy.md")
        for policy in policies["staticPolicies"].values():
            rule = _rule(name, policy)
            if rule.id in self.rules:
                raise BadPolicy(f"{name}: there are two policies of the name {rule.id}", "rename one")
            self.rules[rule.id] = rule


def _only(policies: dict[str, Any], action: str) -> cedarpy.PolicySet:
    """The policies that may say something about the action."""
    found = {name: policy for name, policy in policies.items() if _may_be_on(policy["action"], action)}
    text = cedarpy.policies_from_json_str(
        json.dumps({"staticPolicies": found, "templates": {}, "templateLinks": []})
    )
    return cedarpy.PolicySet.from_str(text)


def _may_be_on(scope: dict[str, Any], action: str) -> bool:
    named = [scope["entity"]] if "entity" in scope else scope.get("entities")
    return scope["op"] not in ("==", "in") or named is None or any(one["id"] == action for one in named)


@lru_cache(maxsize=256)
def _entities(text: str) -> cedarpy.Entities:
    """The entities, parsed; without the names of targets there are few different ones."""
    return cedarpy.Entities.from_json_str(text)


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _rule(file: str, policy: dict[str, Any]) -> Rule:
    notes = policy.get("annotations", {})
    rule_id = notes.get("id")
    if not rule_id:
        raise BadPolicy(f"{file}: a policy has no name", 'write @id("…") before it')
    if unknown := notes.keys() - _ANNOTATIONS:
        raise BadPolicy(f"{file}: {rule_id} has the unknown annotation @{min(unknown)}", "see docs/policy.md")
    permits = policy["effect"] == "permit"
    decision = notes.get("decision", "allow" if permits else "escalate")
    tier = notes.get("tier", "low" if permits else "medium")
    if permits != (decision == "allow") or decision not in WEIGHT:
        raise BadPolicy(
            f"{file}: {rule_id} cannot decide {decision}", "permit allows; forbid escalates or denies"
        )
    if tier not in get_args(Tier):
        raise BadPolicy(f"{file}: {rule_id} has the unknown tier {tier}", "low, medium, high or critical")
    return Rule(rule_id, decision, tier, notes.get("reason", rule_id), notes.get("suggestion", ""), file)


def default_texts() -> dict[str, str]:
    """The policies that are shipped."""
    return {
        file.name: file.read_text("utf-8")
        for file in sorted((_HOME / "default").iterdir(), key=lambda file: file.name)
        if file.name.endswith(".cedar")
    }


def read_texts(folder: Path) -> dict[str, str]:
    """The policies of a folder. Raises BadPolicy for what cannot be read."""
    texts: dict[str, str] = {}
    try:
        files = sorted(file for file in folder.iterdir() if file.suffix == ".cedar")
        for file in files:
            with file.open("rb") as opened:
                raw = opened.read(MAX_FILE + 1)
            if len(raw) > MAX_FILE:
                raise BadPolicy(f"{file} is larger than {MAX_FILE} bytes", "split it")
            texts[file.name] = raw.decode("utf-8")
    except OSError as error:
        raise BadPolicy(
            f"{error.filename or folder} cannot be read ({error.strerror})", "make it readable"
        ) from error
    except UnicodeDecodeError as error:
        raise BadPolicy(f"a file in {folder} is not UTF-8", "save it as UTF-8") from error
    return texts
