"""Whom a task is for: the agent it names, or the experts who have the capability it asks for."""

from collections.abc import Sequence
from typing import Protocol

from lighthouse import paths
from lighthouse.experts import Capabilities, Coverage, Expert, Needs
from lighthouse.paths import BadPath
from lighthouse.policy import ACTIONS
from lighthouse.tasks.errors import BadTask
from lighthouse.tasks.task import Capability, Task

MAX_PATHS = 100


class Desk(Protocol):
    """What is asked of the room of the experts."""

    def matching(self, needs: Needs, tier: str | None, without: str) -> list[Expert]:
        """Those who are there and cover it, the best first."""
        ...

    def covers(self, agent_id: str, needs: Needs, tier: str | None) -> str | None:
        """The speciality of this expert, where it is there and covers it."""
        ...


class There(Protocol):
    """Whether an agent is there."""

    def gone(self, agent_id: str) -> bool:
        """Whether it has been away for so long that what it holds is for others now."""
        ...


def check(capability: Capability) -> None:
    """Raise BadTask or BadExpert for words that no expert can have, and for bad paths."""
    # An expert of exactly this kind has to be possible; a tier is no risk of a task, and a path no glob.
    Coverage(Capabilities(capability.speciality or "any", capability.languages))
    if unknown := set(capability.risks) - ACTIONS:
        raise BadTask(
            f"there is no action {min(unknown)[:50]!r}", f"use some of {', '.join(sorted(ACTIONS))}"
        )
    if len(capability.paths) > MAX_PATHS:
        raise BadTask(f"more than {MAX_PATHS} paths are named", "name folders")
    for path in capability.paths:
        try:
            paths.parse(path)
        except BadPath as error:
            raise BadTask(error.message, error.hint) from error


def fitting(desk: Desk, task: Task) -> Sequence[str]:
    """Who may be told of it, the best first; who tried it before comes last."""
    wanted = task.capability
    if wanted is None:
        return ()
    found = [
        expert.agent_id
        for expert in desk.matching(wanted, None, without=task.agent_id)
        if wanted.speciality in ("", expert.speciality)
    ]
    return sorted(found, key=lambda agent_id: agent_id in task.tried)


def is_for(desk: Desk, task: Task, agent_id: str) -> bool:
    """Whether the agent may claim it."""
    if agent_id in task.offered:
        return True
    wanted = task.capability
    if wanted is None or agent_id == task.agent_id:
        return False
    speciality = desk.covers(agent_id, wanted, None)
    return speciality is not None and wanted.speciality in ("", speciality)
