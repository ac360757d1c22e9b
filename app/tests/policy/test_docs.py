"""The examples of docs/policy.md hold: each beside the shipped set, with its own cases."""

import re
from pathlib import Path

import msgspec
import pytest

from lighthouse.policy.act import ACTIONS
from lighthouse.policy.cases import Case
from lighthouse.policy.judge import Judge
from lighthouse.policy.places import PLACES, Roots
from lighthouse.policy.rules import Rules, default_texts
from tests.policy.conftest import PROJECT

DOCS = (Path(__file__).parents[3] / "docs" / "policy.md").read_text()
EXAMPLES = re.findall(r"^### (\d+\. .*?)\n.*?```cedar\n(.*?)```.*?```json\n(.*?)```", DOCS, re.S | re.M)


def without(names: set[str]) -> dict[str, str]:
    """The shipped set without the policies of these names."""
    kept = {}
    for file, text in default_texts().items():
        parts = re.split(r"\n(?=@id\()", text)
        kept[file] = "\n".join(part for part in parts if not any(f'@id("{name}")' in part for name in names))
    return kept


def test_there_are_ten() -> None:
    assert len(EXAMPLES) == 10


@pytest.mark.parametrize(("title", "policy", "cases"), EXAMPLES, ids=[title for title, _, _ in EXAMPLES])
def test_an_example_does_what_it_says(title, policy, cases) -> None:
    names = set(re.findall(r'@id\("([^"]+)"\)', policy))
    judge = Judge(Rules(without(names) | {"99-example.cedar": policy}), Roots((PROJECT,)))
    for line in cases.splitlines():
        case = msgspec.json.decode(line, type=Case)
        assert case.met_by(judge.verdict(case.call(PROJECT))), line


def test_every_word_is_explained() -> None:
    told = set(re.findall(r"`(\w+)`", DOCS))
    assert told >= ACTIONS
    assert told >= PLACES
