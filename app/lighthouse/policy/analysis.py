"""One analysis of a tool call: gathers its facts, and ends it when it takes too much."""

import time

from lighthouse.policy.act import Act, Facts, Program
from lighthouse.policy.places import Place, Roots, is_pure_glob, resolve
from lighthouse.policy.shell.grammar import NotUnderstood, TakesTooLong
from lighthouse.policy.shell.marks import BELOW, shown
from lighthouse.policy.shell.state import State

# It may be made twice, and read a text for PARSE_SECONDS after the last look at the clock: 48 ms at most.
MOST_SECONDS = 0.014
MOST_PROGRAMS = 400
MOST_DEPTH = 40
MOST_NESTING = 5


class Analysis:
    """Gathers programs and acts. Raises NotUnderstood when there are too many, TakesTooLong at its end."""

    def __init__(self, tool: str, roots: Roots) -> None:
        self.facts = Facts(tool)
        self.roots = roots
        self._seen: set[Act] = set()
        self._end = time.thread_time() + MOST_SECONDS

    def step(self) -> None:
        """Called for each command that is looked at."""
        if time.thread_time() > self._end:
            raise TakesTooLong("the command takes too long to analyse")

    def program(self, name: str, arguments: list[str], within: tuple[str, ...]) -> None:
        """A program would run."""
        self.step()
        if len(self.facts.programs) >= MOST_PROGRAMS:
            raise NotUnderstood(f"the command runs more than {MOST_PROGRAMS} programs")
        self.facts.programs.append(Program(shown(name), tuple(map(shown, arguments)), within))

    def act(
        self,
        action: str,
        place: str = "",
        target: str = "",
        program: str = "",
        *,
        recursive: bool = False,
        detail: str = "",
    ) -> None:
        """Something would be done."""
        act = Act(action, place, shown(target), program, recursive, detail)
        if act not in self._seen:
            self._seen.add(act)
            self.facts.acts.append(act)

    def rewrites(self, place: Place, program: str) -> None:
        """A file, or a folder with all in it, would change or go, and the shadow keeps what it was."""
        self.step()
        act = Act("write", place.kind, shown(place.path), program, recursive=True)
        if act not in self._seen:
            self._seen.add(act)
            self.facts.rewrites.append(act)

    def uncertain(self, why: str, program: str = "") -> None:
        """Something was not understood."""
        self.act("uncertain", program=program, detail=why)

    def path(
        self, action: str, text: str, state: State, program: str, *, recursive: bool = False, detail: str = ""
    ) -> None:
        """An act on a path."""
        if not text:
            return
        self.step()
        if state.linked and action != "read":
            first = text.removeprefix("./").partition("/")[0]
            if any(link.partition("/")[0] == first for link in state.linked):
                self.uncertain(f"{shown(text)} was just linked to somewhere else")
        # A pattern for all that is in a folder takes as much as the folder.
        if action == "delete" and (BELOW in text or is_pure_glob(text.rpartition("/")[2])):
            recursive = True
        for place in resolve(text, state.cwds, self.roots):
            self.act(action, place.kind, place.path, program, recursive=recursive, detail=detail)
