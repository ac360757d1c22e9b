"""Who is limited to some paths is not asked about a call that does something elsewhere, too."""

import pytest

from lighthouse.experts.capabilities import Capabilities, Coverage
from lighthouse.policy import Call, Judge, Judgement, Roots
from lighthouse.policy.rules import Rules, default_texts
from lighthouse.validation import facts

ROOT = "/srv/shop"


def judged(command: str) -> Judgement:
    judge = Judge(Rules(default_texts()), Roots((ROOT,)))
    return judge.judge(Call("Bash", {"command": command}, ROOT))


def fits(command: str, glob: str = "docs/") -> bool:
    found = judged(command)
    needs = facts.needs(found, (ROOT,))
    assert len(needs.paths) <= facts.MAX_NEEDED_PATHS
    coverage = Coverage(Capabilities("writing", paths=(glob,)))
    return coverage.specificity(needs, found.verdict.tier) is not None


MANY = " ".join(f"docs/{number}" for number in range(25))


@pytest.mark.parametrize(
    "command",
    [
        "rm -rf docs/old src",
        f"rm -rf {MANY} src",
        "rm -rf docs/old /home/ann/work",
        f"rm -rf /home/ann/work {MANY}",
        "rm -rf docs/old; chmod -R 755 .",
        'rm -rf docs/old docs/"$WHERE"',
        'rm -rf docs/old "$WHERE"',
    ],
)
def test_not_of_theirs(command: str) -> None:
    assert judged(command).verdict.decision == "escalate", "else it says nothing about experts"
    assert not fits(command)


def test_of_theirs() -> None:
    assert fits("rm -rf docs/old docs/new")
    assert fits("cat /usr/share/dict/words && rm -rf docs/old"), "what is allowed anyway needs nobody"
    assert fits("npm publish"), "it names no path"
