"""Judges tool calls: what a call would do, and what the policies say to it."""

from lighthouse.policy.act import ACTIONS, Act, Facts, Program
from lighthouse.policy.folder import POLICIES, PolicyFolder
from lighthouse.policy.judge import Call, Judge, Judgement
from lighthouse.policy.places import Roots
from lighthouse.policy.rules import BadPolicy, Rule, Rules, default_texts
from lighthouse.policy.verdict import Verdict

__all__ = [
    "ACTIONS",
    "POLICIES",
    "Act",
    "BadPolicy",
    "Call",
    "Facts",
    "Judge",
    "Judgement",
    "PolicyFolder",
    "Program",
    "Roots",
    "Rule",
    "Rules",
    "Verdict",
    "default_texts",
]
