"""How each expert has done, from the events of the requests it was asked and of the tasks it had."""

from collections import Counter

import msgspec

from lighthouse.events import Event

REQUESTED = "validation.requested"
HANDED_ON = "validation.handed_on"
ANSWERED = "validation.answered"
RESOLVED = "validation.resolved"
TASK_COMPLETED = "task.completed"
# Both name who had it.
TASK_RETURNED = "task.returned"
TASK_FAILED = "task.failed"


class _Said(msgspec.Struct):
    """The fields of those events that matter here."""

    id: str = ""
    asked: list[str] = []
    waited_seconds: float = 0.0
    holder: str = ""


class Record:
    """Requests answered and let pass, tasks completed and failed, by agent.

    A request that others decided before the experts' time was over counts neither way. A task is also failed
    for whoever gave it back, went away with it or let its lease end.
    """

    def __init__(self, expert_seconds: float) -> None:
        self.answered = Counter[str]()
        self.missed = Counter[str]()
        self.completed = Counter[str]()
        self.failed = Counter[str]()
        self._expert_seconds = expert_seconds
        self._open: dict[str, set[str]] = {}

    def apply(self, event: Event) -> None:
        """Take up an event of the streams `validations` and `tasks`."""
        if event.type == TASK_COMPLETED:
            self.completed[event.agent_id] += 1
        elif event.type in (TASK_RETURNED, TASK_FAILED):
            if holder := msgspec.json.decode(event.data, type=_Said).holder:
                self.failed[holder] += 1
        else:
            self._apply_request(event)

    def _apply_request(self, event: Event) -> None:
        if event.type not in (REQUESTED, HANDED_ON, ANSWERED, RESOLVED):
            return
        said = msgspec.json.decode(event.data, type=_Said)
        if event.type in (REQUESTED, HANDED_ON):
            self._open.setdefault(said.id or f"v{event.seq}", set()).update(said.asked)
        elif event.type == ANSWERED:
            if event.agent_id in self._open.get(said.id, ()):
                self._open[said.id].remove(event.agent_id)
                self.answered[event.agent_id] += 1
        else:
            silent = self._open.pop(said.id, set())
            if said.waited_seconds >= self._expert_seconds:
                self.missed.update(silent)

    def success(self, agent_id: str) -> float:
        """The share of its requests and tasks that it dealt with; who had none yet gets the benefit."""
        done = self.answered[agent_id] + self.completed[agent_id]
        return (done + 1) / (done + self.missed[agent_id] + self.failed[agent_id] + 1)
