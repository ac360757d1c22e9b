"""What a tool call's judgement takes where nothing of it is cached, over a corpus of calls."""

import statistics
import time

from bench import calls
from bench.cases.case import Setting
from bench.report import LIGHTHOUSE, Figure, Goal, Row
from bench.sampling import percentile
from lighthouse.policy import Call, Judge, Roots, Rules, default_texts

ROUNDS = 7
GOALS_MS = {0.5: 0.2, 0.99: 2.0}


def judge(setting: Setting) -> list[Row]:
    """The calls one after the other; of each the median of the rounds, for it does the same in every one."""
    corpus = calls.read(setting.corpus)
    rules = Rules(default_texts())
    judging = Judge(rules, Roots((calls.PROJECT,)))
    rounds = [[_seconds(judging, rules, call) for call in corpus] for _ in range(setting.rounds(ROUNDS))]
    taken = [statistics.median(samples) * 1000 for samples in zip(*rounds, strict=True)]
    note = f"{len(corpus):,} calls"
    return [
        Row(
            "judge",
            f"judging a tool call, p{share * 100:g}",
            "ms",
            {LIGHTHOUSE: Figure(percentile(taken, share), min(taken), max(taken), len(taken))},
            goal=Goal(goal, "value"),
            note=note,
        )
        for share, goal in GOALS_MS.items()
    ]


def _seconds(judging: Judge, rules: Rules, call: Call) -> float:
    judging.replace(rules)  # which empties the cache
    began = time.perf_counter()
    judging.judge(call)
    return time.perf_counter() - began
