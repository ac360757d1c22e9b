"""POST /validate of 16 agents, each verdict on the disk before it is answered, against HTTP alone."""

import itertools
import random
from contextlib import closing
from functools import partial
from pathlib import Path

import msgspec

from bench import calls, load
from bench.bare import BARE, PATH, Bare
from bench.bridge import Bridge
from bench.cases.case import Setting
from bench.report import LIGHTHOUSE, Figure, Goal, Row
from bench.sampling import interleaved, percentile
from lighthouse.events.schema import DATABASE, connect_reader
from lighthouse.policy import Call, Judge, Roots, Rules, default_texts

AGENTS = 16
ROUNDS = 5
SECONDS, QUICK_SECONDS, WARM_SECONDS = 4.0, 0.5, 0.5
# Different calls that are asked again and again, and how often each comes anew where all are to be new.
DIFFERENT, ANEW = 500, 60
LONGEST = 1000
RATE, QUICK_RATE = 2000.0, 200.0
SHARE_OF_BARE = 0.6
GOALS_MS = {0.5: 1.0, 0.99: 3.0}


def validate(setting: Setting) -> list[Row]:
    """As many as they can, of calls asked before and of new ones; then at a fixed rate."""
    project, state = setting.work / "project", setting.work / "state"
    project.mkdir()
    bare, bridge = Bare(), Bridge(project, state)
    try:
        bare.start()
        bridge.start()
        run = _Run(setting, bare, bridge, _decided_at_once(str(project)))
        rows = [run.as_many(), run.as_many(new=True), *run.at_rate()]
    finally:
        bridge.stop()
        bare.stop()
    if (stored := _verdicts(state)) != run.answered:
        raise RuntimeError(f"{run.answered} verdicts were answered, and {stored} are on the disk")
    return rows


class _Run:
    """Asks both servers in turns, and counts the verdicts that were answered."""

    def __init__(self, setting: Setting, bare: Bare, bridge: Bridge, known: list[Call]) -> None:
        self._setting = setting
        self._addresses = {BARE: bare.address, LIGHTHOUSE: bridge.address}
        self._seconds = QUICK_SECONDS if setting.quick else SECONDS
        self._rate = QUICK_RATE if setting.quick else RATE
        self._tokens = [bridge.token(f"agent-{number}") for number in range(AGENTS)]
        self._known = known
        self._bodies = [_body(call) for call in known]
        self._numbers = itertools.count(1)
        self.answered = 0
        for name in self._addresses:
            self._ask(name, WARM_SECONDS)

    def as_many(self, *, new: bool = False) -> Row:
        """Answers a second, each client asking again when it was answered."""
        turns = {name: partial(self._per_second, name, new=new) for name in self._addresses}
        figures = interleaved(turns, self._setting.rounds(ROUNDS))
        goal = None if new else Goal(SHARE_OF_BARE, "ratio", least=True)
        what = "each call a new one" if new else f"{len(self._known)} calls again and again"
        return Row("validate", f"{AGENTS} agents ask /validate, {what}", "calls/s", figures, BARE, goal)

    def at_rate(self) -> list[Row]:
        """What an answer takes at RATE, from the moment when the request falls due."""
        taken: dict[str, list[list[float]]] = {name: [] for name in self._addresses}
        turns = {name: partial(self._at_rate, name, taken[name]) for name in self._addresses}
        interleaved(turns, self._setting.rounds(ROUNDS))
        return [
            Row(
                "validate",
                f"/validate at {self._rate:,.0f} a second, p{share * 100:g}",
                "ms",
                {name: Figure.of([percentile(one, share) * 1000 for one in turns]) for name, turns in taken.items()},
                BARE,
                Goal(bound, "value"),
            )
            for share, bound in GOALS_MS.items()
        ]

    def _per_second(self, name: str, *, new: bool) -> float:
        return len(self._ask(name, self._seconds, new=new)) / self._seconds

    def _at_rate(self, name: str, taken: list[list[float]]) -> float:
        taken.append(self._ask(name, self._seconds, self._rate))
        return len(taken[-1])

    def _ask(self, name: str, seconds: float, rate: float | None = None, *, new: bool = False) -> list[float]:
        bodies = [_body(call, next(self._numbers)) for call in self._known * ANEW] if new else self._bodies
        done = load.run(load.Task(self._addresses[name], PATH, self._tokens, bodies, seconds, rate))
        if name == LIGHTHOUSE:
            self.answered += done.answered
        return done.latencies


def _decided_at_once(project: str) -> list[Call]:
    """Calls of the tables that the policies allow or deny, always the same ones; the others wait for somebody."""
    judge = Judge(Rules(default_texts()), Roots((project,)))
    commands = [call for call in calls.read(project=project) if call.tool == "Bash" and len(_body(call)) < LONGEST]
    decided = [call for call in commands if judge.verdict(call).decision != "escalate"]
    choice = random.Random(1)
    return choice.sample(decided, DIFFERENT)


def _body(call: Call, number: int | None = None) -> str:
    """The request; with a number it is one of its own, by a comment ahead of the command."""
    fields = dict(call.fields)
    if number is not None:
        fields["command"] = f"# {number}\n{fields['command']}"
    return msgspec.json.encode({"tool_name": call.tool, "tool_input": fields, "cwd": call.cwd}).decode()


def _verdicts(state: Path) -> int:
    """How many the log holds, which lies in a folder that nobody has open any more."""
    with closing(connect_reader(state / "events" / DATABASE)) as connection:
        (number,) = connection.execute("SELECT count(*) FROM events WHERE stream = 'verdicts'").fetchone()
    return int(number)
